//! The UDP programs and their library, over real sockets.

mod common;

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Instant;

use common::nobody;
use common::program::{Program, text};
use common::wait::DEADLINE;
use crossbeam_channel::bounded;

const SERVER: &str = env!("CARGO_BIN_EXE_udp_server");
const CLIENT: &str = env!("CARGO_BIN_EXE_udp_client");
const CONCURRENT_SERVER: &str = env!("CARGO_BIN_EXE_udp_concurrent_server");
const CONCURRENT_CLIENT: &str = env!("CARGO_BIN_EXE_udp_concurrent_client");

fn client_of(addr: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(addr).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

#[track_caller]
fn expect_answer(socket: &UdpSocket, answer: &[u8]) {
    let mut buf = [0; 100];
    let n = socket.recv(&mut buf).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&buf[..n]),
        String::from_utf8_lossy(answer)
    );
}

#[test]
fn server_and_client_print_what_the_go_programs_print() {
    let mut server = Program::start(SERVER, &[&"127.0.0.1:0"]);
    let addr = server.addr().to_string();
    Program::run(CLIENT, &[&addr], b"").expect(0, "服务器发来： nice to see u in udp\n");
    server
        .ended()
        .expect(0, "客户端发送： Hello! I'm client in UDP!\n");
}

#[test]
#[cfg(target_os = "linux")]
fn client_keeps_waiting_after_a_pause_of_the_process() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut client = Program::start(CLIENT, &[&server.local_addr().unwrap().to_string()]);
    let (_, addr) = server.recv_from(&mut [0; 100]).unwrap();
    let waits_in = |state: &str| {
        common::wait::wait_until(
            &format!("the client is in state {state}"),
            || client.state() == state,
            || client.seen(),
        );
    };
    // On Linux, a receive with a timeout fails with EINTR after SIGCONT.
    waits_in("S");
    client.signal("STOP");
    client.signal("CONT");
    waits_in("S");
    server.send_to(b"at last", addr).unwrap();
    client.ended().expect(0, "服务器发来： at last\n");
}

#[test]
#[cfg(target_os = "linux")]
fn answer_that_arrives_during_a_pause_of_the_process_is_not_too_late() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(DEADLINE)).unwrap();
    let addr = server.local_addr().unwrap().to_string();
    // Several, because which of a client's two threads runs first after the pause is chance.
    let clients: Vec<_> = (0..20)
        .map(|_| {
            let mut client = Program::start(CONCURRENT_CLIENT, &[&addr]);
            client.input("hello");
            let (_, from) = server.recv_from(&mut [0; 100]).unwrap();
            client.end_input();
            client.signal("STOP");
            (client, from)
        })
        .collect();
    for (_, from) in &clients {
        server.send_to(b"early enough", from).unwrap();
    }
    thread::sleep(threadline::udp::SILENCE);
    for (mut client, _) in clients {
        client.signal("CONT");
        client.ended().expect(0, "服务器写来： early enough\n");
    }
}

#[test]
fn server_receives_the_longest_datagram_and_an_empty_one() {
    for datagram in [vec![], vec![0xFF; 65_507]] {
        let mut server = Program::start(SERVER, &[&"127.0.0.1:0"]);
        let client = client_of(server.addr());
        client.send(&datagram).unwrap();
        expect_answer(&client, b"nice to see u in udp");
        let printed = ["客户端发送： ".as_bytes(), &datagram, b"\n"].concat();
        let ended = server.ended();
        assert!(ended.status.success(), "{}", ended.stderr);
        assert!(
            ended.stdout == printed,
            "{} bytes were printed",
            ended.stdout.len()
        );
    }
}

#[test]
#[cfg_attr(windows, ignore = "needs Windows itself")]
fn clients_without_a_server_fail_with_one_line() {
    let (_taken, addr) = nobody::udp();
    let addr = addr.to_string();
    for client in [CLIENT, CONCURRENT_CLIENT] {
        Program::run(client, &[&addr], b"hello\n").expect_one_error(&addr);
    }
}

#[test]
fn invalid_address_is_wrong_usage() {
    for program in [SERVER, CLIENT, CONCURRENT_SERVER, CONCURRENT_CLIENT] {
        let stderr = Program::run(program, &[&"nonsense"], b"").expect(2, "");
        assert!(
            stderr.starts_with("error: invalid value 'nonsense'"),
            "{stderr:?}"
        );
    }
}

#[test]
fn address_in_use_fails_with_one_line() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    for program in [SERVER, CONCURRENT_SERVER] {
        Program::run(program, &[&addr], b"").expect_one_error(&addr);
    }
}

#[test]
fn concurrent_server_answers_any_length_and_exits_with_status_0() {
    let mut server = Program::start(CONCURRENT_SERVER, &[&"127.0.0.1:0"]);
    let addr = server.addr();
    let mut printed = Vec::new();
    for datagram in [
        &b"one\n"[..],
        b"",
        b"\xFF\x00",
        &[b'x'; 1025],
        &[b'y'; 65_507],
        "中文".as_bytes(),
    ] {
        let client = client_of(addr);
        client.send(datagram).unwrap();
        expect_answer(&client, b"I-AM-SERVER");
        printed.extend(format!("接收到客户端[{}]：", client.local_addr().unwrap()).bytes());
        printed.extend(datagram);
    }
    server.signal("TERM");
    let ended = server.ended();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(
        ended.stdout == printed,
        "{} bytes were printed, not {}",
        ended.stdout.len(),
        printed.len()
    );
}

#[test]
fn idle_servers_and_clients_exit_with_status_0_at_a_signal() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent_addr = silent.local_addr().unwrap().to_string();
    for (program, addr, signal) in [
        (SERVER, "127.0.0.1:0", "INT"),
        (CONCURRENT_SERVER, "127.0.0.1:0", "INT"),
        (CONCURRENT_SERVER, "0.0.0.0:0", "TERM"),
        (CONCURRENT_SERVER, "[::1]:0", "TERM"),
        (CONCURRENT_SERVER, "[::]:0", "TERM"),
        (CONCURRENT_CLIENT, &silent_addr, "TERM"),
    ] {
        if addr.starts_with('[') && UdpSocket::bind(addr).is_err() {
            continue; // a machine without IPv6
        }
        let mut running = Program::start(program, &[&addr]);
        if program == SERVER || program == CONCURRENT_SERVER {
            running.addr();
        } else {
            // Its datagram shows that it runs.
            running.input(b"x");
            silent.set_read_timeout(Some(DEADLINE)).unwrap();
            silent.recv(&mut [0; 100]).unwrap();
        }
        running.signal(signal);
        running.ended().expect(0, "");
    }
}

/// The client waits for one second. Under Wine, Ctrl-C takes longer on a busy machine.
#[test]
#[cfg_attr(windows, ignore = "needs Windows itself")]
fn client_without_an_answer_exits_with_status_0_at_a_signal() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    silent.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut client = Program::start(CLIENT, &[&silent.local_addr().unwrap().to_string()]);
    silent.recv(&mut [0; 100]).unwrap();
    client.signal("INT");
    client.ended().expect(0, "");
}

#[test]
fn concurrent_client_works_in_a_pipe() {
    let mut server = Program::start(CONCURRENT_SERVER, &[&"127.0.0.1:0"]);
    let addr = server.addr().to_string();
    let stderr =
        Program::run(CONCURRENT_CLIENT, &[&addr], b"hello").expect(0, "服务器写来： I-AM-SERVER\n");
    assert_eq!(stderr, "", "all was answered");
    Program::run(CONCURRENT_CLIENT, &[&addr], b"").expect(0, "");
    server.signal("TERM");
    let ended = server.ended();
    assert!(
        ended.stdout.ends_with("：hello".as_bytes()),
        "{:?}",
        String::from_utf8_lossy(&ended.stdout)
    );
}

#[test]
fn concurrent_client_sends_one_datagram_per_read_and_prints_every_answer() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut client = Program::start(
        CONCURRENT_CLIENT,
        &[&server.local_addr().unwrap().to_string()],
    );
    let mut buf = vec![0; 65_535];
    let mut shown = Vec::new();
    for typed in [&b"one\n"[..], b"\xFF\xFE no line end", &[b'x'; 4096]] {
        client.input(typed);
        let (n, addr) = server.recv_from(&mut buf).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&buf[..n]),
            String::from_utf8_lossy(typed)
        );
        for answer in [&buf[..n], b""] {
            server.send_to(answer, addr).unwrap();
            shown.extend(["服务器写来： ".as_bytes(), answer, b"\n"].concat());
        }
        client.wait("show both answers", |client| {
            client.stdout().starts_with(&text(&shown))
        });
    }
    client.ended().expect(0, shown);
}

#[test]
#[cfg_attr(windows, ignore = "needs Windows itself")]
fn concurrent_client_without_a_server_fails_with_one_line() {
    let (_taken, addr) = nobody::udp();
    for _ in 0..20 {
        let ended = Program::run(CONCURRENT_CLIENT, &[&addr.to_string()], b"hello\n");
        ended.expect_one_error("is the server running?");
    }
}

#[test]
#[cfg(unix)]
fn closed_stdout_is_not_reported_as_timeout() {
    let server = Program::start(CONCURRENT_SERVER, &[&"127.0.0.1:0"]);
    let addr = server.addr();
    for _ in 0..50 {
        let script = format!("echo hello | {CONCURRENT_CLIENT} {addr} | true");
        let stderr = Program::run("sh", &[&"-c", &script], b"").expect(0, "");
        assert_eq!(stderr, "");
    }
    server.stop();
}

#[test]
fn the_client_gives_up_after_a_second_of_silence() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap().to_string();
    let started = Instant::now();
    Program::run(CLIENT, &[&addr], b"").expect_one_error(&format!(
        "no answer from {addr} within 1 second (is the server running?)"
    ));
    assert!(
        started.elapsed().as_secs() >= 1,
        "it waited {:?}",
        started.elapsed()
    );
}

#[test]
fn concurrent_client_times_out_after_a_second_without_an_answer() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let started = Instant::now();
    let stderr = Program::run(
        CONCURRENT_CLIENT,
        &[&server.local_addr().unwrap().to_string()],
        b"hello\n",
    )
    .expect(1, "");
    assert!(
        started.elapsed().as_secs() >= 1,
        "it waited {:?}",
        started.elapsed()
    );
    assert!(
        stderr.contains("error: 0 of 1 datagrams were answered"),
        "{stderr:?}"
    );
}

#[test]
#[cfg_attr(windows, ignore = "needs Windows itself")]
fn server_continues_after_connection_refused() {
    // A server whose socket is connected to a client that has gone: such a socket is told about it.
    let conn = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = conn.local_addr().unwrap();
    let (client, gone) = nobody::udp();
    conn.connect(gone).unwrap();
    let probe = conn.try_clone().unwrap();
    conn.send(b"anybody there?").unwrap();
    conn.set_read_timeout(Some(DEADLINE)).unwrap();
    let err = conn.recv(&mut [0; 10]).unwrap_err();
    assert_eq!(
        err.kind(),
        ErrorKind::ConnectionRefused,
        "the system reports no error, so this test shows nothing"
    );
    conn.set_read_timeout(None).unwrap();

    let (running, shutdown) = bounded(0);
    let server = thread::spawn(move || threadline::udp::run(conn, shutdown));
    // Each of these brings an error, at a receive or at a send.
    for _ in 0..20 {
        let _ = probe.send(b"still nobody?");
        thread::yield_now();
    }
    // It has come back, and is answered.
    client.connect(addr).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    client.send(b"here I am").unwrap();
    let mut buf = [0; 100];
    loop {
        let n = client.recv(&mut buf).unwrap();
        match &buf[..n] {
            b"I-AM-SERVER" => break,
            // What the probe has sent since.
            other => assert_eq!(other, b"still nobody?"),
        }
    }
    drop(running);
    server.join().unwrap().unwrap();
}
