//! What signals do to the programs. A signal that was ignored when a program started stays ignored, as
//! in Go: `nohup` ignores SIGHUP, and a script ignores SIGINT for what it runs in the background.
#![cfg(unix)]

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;

use common::program::Program;
use common::wait::DEADLINE;
use tempfile::TempDir;

const CHAT: &str = env!("CARGO_BIN_EXE_chat_server");
const UPPER: &str = env!("CARGO_BIN_EXE_tcp_concurrent_server");
const FILES: &str = env!("CARGO_BIN_EXE_file_server");
const UDP: &str = env!("CARGO_BIN_EXE_udp_concurrent_server");
const TCP_ONCE: &str = env!("CARGO_BIN_EXE_tcp_server");
const UDP_ONCE: &str = env!("CARGO_BIN_EXE_udp_server");
const TCP_CLIENT: &str = env!("CARGO_BIN_EXE_tcp_client");
const TCP_CONCURRENT_CLIENT: &str = env!("CARGO_BIN_EXE_tcp_concurrent_client");

/// Every server, one of them in both of its ways to work.
const SERVERS: [(&str, &[&str]); 7] = [
    (CHAT, &[]),
    (UPPER, &[]),
    (FILES, &["--keep"]),
    (FILES, &[]),
    (UDP, &[]),
    (TCP_ONCE, &[]),
    (UDP_ONCE, &[]),
];

/// Starts a server through a shell, in an empty folder.
fn serve(shell: &str, server: &str, args: &[&str]) -> (Program, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("{shell} {server} 127.0.0.1:0 {}", args.join(" "));
    let mut command = Command::new("sh");
    let program = Program::spawn(command.args(["-c", &script]).current_dir(&folder));
    program.addr();
    (program, folder)
}

/// Sends something that only a server that still runs can answer, and returns the connection.
#[track_caller]
fn ask(addr: SocketAddr, server: &str) -> Option<TcpStream> {
    let mut answer = [0; 100];
    if server == UDP || server == UDP_ONCE {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.send_to(b"hello", addr).unwrap();
        assert!(socket.recv(&mut answer).unwrap() > 0);
        return None;
    }
    let mut conn = TcpStream::connect(addr).unwrap();
    conn.set_read_timeout(Some(DEADLINE)).unwrap();
    conn.write_all(b"hello").unwrap();
    let n = conn.read(&mut answer).unwrap();
    assert!(n > 0, "the answer is a disconnect");
    Some(conn)
}

#[test]
fn first_signal_stops_every_server_with_status_0() {
    for (server, args) in SERVERS {
        for signal in ["INT", "TERM", "HUP"] {
            let (running, _folder) = serve("exec", server, args);
            running.signal(signal);
            let status = running.wait_end();
            assert_eq!(status.code(), Some(0), "{signal}: {}", running.seen());
        }
    }
}

#[test]
fn second_signal_ends_a_server_at_once_with_status_130() {
    for (first, second) in [("INT", "INT"), ("TERM", "INT"), ("HUP", "TERM")] {
        let (room, _folder) = serve("exec", CHAT, &[]);
        // A client that stays is given a second to disconnect.
        let _stays = ask(room.addr(), CHAT);
        room.signal(first);
        room.wait_for_stderr("stopping");
        room.signal(second);
        let status = room.wait_end();
        assert_eq!(
            status.code(),
            Some(130),
            "{first} {second}: {}",
            room.seen()
        );
    }
}

/// Starts each server through a shell that ignores a signal for it, and holds the server to that.
#[cfg(target_os = "linux")]
#[track_caller]
fn assert_stays_ignored(ignored: &str, shell: &str) {
    for (server, args) in SERVERS {
        let (running, _folder) = serve(shell, server, args);
        running.signal(ignored);
        running.signal(ignored);
        ask(running.addr(), server);
        for other in ["INT", "TERM", "HUP"] {
            if other != ignored {
                let (running, _folder) = serve(shell, server, args);
                running.signal(ignored);
                running.signal(other);
                let status = running.wait_end();
                assert_eq!(status.code(), Some(0), "{other}: {}", running.seen());
            }
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn server_under_nohup_ignores_sighup() {
    assert_stays_ignored("HUP", "exec nohup");
}

#[test]
#[cfg(target_os = "linux")]
fn background_server_of_a_script_ignores_sigint() {
    // As sh does for what ends with &.
    assert_stays_ignored("INT", "trap '' INT; exec");
}

#[test]
#[cfg(target_os = "linux")]
fn server_started_with_sigterm_ignored_ignores_it() {
    assert_stays_ignored("TERM", "trap '' TERM; exec");
}

#[test]
fn first_signal_stops_a_waiting_client_with_status_0() {
    for client in [TCP_CLIENT, TCP_CONCURRENT_CLIENT] {
        for signal in ["INT", "TERM", "HUP"] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let addr = listener.local_addr().unwrap().to_string();
            let client = Program::start(client, &[&addr]);
            let _conn = listener.accept().unwrap();
            client.signal(signal);
            let status = client.wait_end();
            assert_eq!(status.code(), Some(0), "{signal}: {}", client.seen());
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn background_client_of_a_script_ignores_sigint() {
    for client in [TCP_CLIENT, TCP_CONCURRENT_CLIENT] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let script = format!(
            "trap '' INT; exec {client} {}",
            listener.local_addr().unwrap()
        );
        let client = Program::spawn(Command::new("sh").args(["-c", &script]));
        let (mut conn, _) = listener.accept().unwrap();
        client.signal("INT");
        client.signal("INT");
        conn.write_all(b"still here?").unwrap();
        client.wait_for_stdout("客户端读取到:  still here?\n", 1);
        drop(conn);
        assert_eq!(client.wait_end().code(), Some(0), "{}", client.seen());
    }
}

#[test]
#[cfg(all(target_os = "linux", feature = "lab"))]
fn child_processes_ignore_the_same_signals() {
    let script = format!(
        "trap '' INT HUP; exec {} idle -c 1 -d 2s --rounds 1 --no-own --server 'room={CHAT} {{addr}}'",
        env!("CARGO_BIN_EXE_loadtest")
    );
    let loadtest = Program::spawn(Command::new("sh").args(["-c", &script]));
    let child_of = |process: String| {
        let children = format!("/proc/{process}/task/{process}/children");
        let children = std::fs::read_to_string(children).ok()?;
        children.split_whitespace().next().map(str::to_owned)
    };
    // Between the two is the process that ends the server if loadtest is killed.
    let server = || child_of(loadtest.id().to_string()).and_then(child_of);
    common::wait::wait_until(
        "loadtest starts a server",
        || server().is_some(),
        || loadtest.seen(),
    );
    let server = server().unwrap();
    let catches = || {
        let status = std::fs::read_to_string(format!("/proc/{server}/status")).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        u64::from_str_radix(caught.unwrap().trim(), 16).unwrap() & 1 << (15 - 1) != 0
    };
    // Before that, the signals are merely ignored.
    common::wait::wait_until("the server catches signals", catches, || loadtest.seen());
    for signal in ["-INT", "-HUP"] {
        for program in [&server, &loadtest.id().to_string()] {
            let sent = Command::new("kill").args([signal, program]).status();
            assert!(sent.unwrap().success(), "{}", loadtest.seen());
        }
    }
    let status = loadtest.wait_end();
    assert_eq!(status.code(), Some(0), "{}", loadtest.seen());
}
