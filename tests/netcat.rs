//! The TCP and UDP programs with the clients and servers that people have: netcat as OpenBSD and as nmap have it.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::net::{TcpListener, UdpSocket};

use common::program::Program;
use common::wait::wait_until;

const TCP_SERVER: &str = env!("CARGO_BIN_EXE_tcp_server");
const TCP_CLIENT: &str = env!("CARGO_BIN_EXE_tcp_client");
const UPPER: &str = env!("CARGO_BIN_EXE_tcp_concurrent_server");
const CLIENT: &str = env!("CARGO_BIN_EXE_tcp_concurrent_client");
const UDP_SERVER: &str = env!("CARGO_BIN_EXE_udp_server");
const UDP_CONCURRENT_SERVER: &str = env!("CARGO_BIN_EXE_udp_concurrent_server");
const UDP_CLIENT: &str = env!("CARGO_BIN_EXE_udp_client");

/// A port where nobody listens now.
fn free_port(udp: bool) -> String {
    let addr = match udp {
        true => UdpSocket::bind("127.0.0.1:0").unwrap().local_addr(),
        false => TcpListener::bind("127.0.0.1:0").unwrap().local_addr(),
    };
    addr.unwrap().port().to_string()
}

/// Waits until a program listens on this port of the loopback.
#[track_caller]
fn until_bound(protocol: &str, port: &str) {
    let port: u16 = port.parse().unwrap();
    let sockets = || fs::read_to_string(format!("/proc/net/{protocol}")).unwrap();
    let local = format!(": 0100007F:{port:04X} 00000000:0000 ");
    wait_until("netcat listens", || sockets().contains(&local), sockets);
}

/// Types into a client until the server has answered that.
#[track_caller]
fn talk(mut client: Program, server: Program, typed: &str, answer: &str) {
    client.input(typed);
    client.wait_for_stdout(answer, 1);
    drop(client);
    server.stop();
}

#[test]
#[ignore = "needs nc and ncat"]
fn upper_case_server_answers_netcat() {
    for client in ["nc", "ncat"] {
        let server = Program::start(UPPER, &[&"127.0.0.1:0"]);
        let port = server.addr().port().to_string();
        let client = Program::start(client, &[&"127.0.0.1", &port]);
        talk(client, server, "straße 世界\n", "STRAßE 世界\n");
    }
}

#[test]
#[ignore = "needs nc and ncat"]
fn one_shot_server_answers_netcat() {
    for client in ["nc", "ncat"] {
        let mut server = Program::start(TCP_SERVER, &[&"127.0.0.1:0"]);
        let port = server.addr().port().to_string();
        let mut client = Program::start(client, &[&"127.0.0.1", &port]);
        client.input("hello\n");
        client.wait_for_stdout("server is ok", 1);
        assert!(server.ended().status.success());
        assert!(server.stdout().contains("服务器读取到:  hello\n"));
    }
}

#[test]
#[ignore = "needs nc and ncat"]
fn udp_servers_answer_netcat() {
    for client in ["nc", "ncat"] {
        for (program, answer) in [
            (UDP_SERVER, "nice to see u in udp"),
            (UDP_CONCURRENT_SERVER, "I-AM-SERVER"),
        ] {
            let server = Program::start(program, &[&"127.0.0.1:0"]);
            let port = server.addr().port().to_string();
            let mut client = Program::start(client, &[&"-u", &"127.0.0.1", &port]);
            client.input("hello\n");
            client.wait_for_stdout(answer, 1);
        }
    }
}

#[test]
#[ignore = "needs nc and ncat"]
fn clients_talk_with_netcat_that_listens() {
    for listen in ["nc", "ncat"] {
        let port = free_port(false);
        let mut server = Program::start(listen, &[&"-l", &"127.0.0.1", &port]);
        let addr = format!("127.0.0.1:{port}");
        until_bound("tcp", &port);
        let mut client = Program::start(CLIENT, &[&addr]);
        client.input("世界\n");
        server.wait_for_stdout("世界\n", 1);
        server.input("hello\n");
        client.wait_for_stdout("客户端读取到:  hello\n", 1);
        server.end_input();
        server.kill();
        assert!(client.ended().status.success());
    }
}

#[test]
#[ignore = "needs nc and ncat"]
fn one_shot_clients_talk_with_netcat_that_listens() {
    for listen in ["nc", "ncat"] {
        for (udp, client, question) in [
            (false, TCP_CLIENT, "R U ok??"),
            (true, UDP_CLIENT, "Hello! I'm client in UDP!"),
        ] {
            let port = free_port(udp);
            let flags = if udp { "-ul" } else { "-l" };
            let mut server = Program::start(listen, &[&flags, &"127.0.0.1", &port]);
            let addr = format!("127.0.0.1:{port}");
            server.input("yes\n");
            until_bound(if udp { "udp" } else { "tcp" }, &port);
            let client = Program::run(client, &[&addr], b"");
            assert!(String::from_utf8_lossy(&client.stdout).ends_with(" yes\n\n"));
            server.wait_for_stdout(question, 1);
        }
    }
}
