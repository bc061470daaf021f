//! Standard streams that are not ready, full, or a terminal.
#![cfg(unix)]

#[path = "../common/mod.rs"]
mod common;

mod console;
mod terminal;

use std::fs::File;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::net::{Shutdown, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use common::nobody;
use common::user::User;
use common::wait::DEADLINE;
use rustix::fs::{OFlags, fcntl_setfl};

const CHAT: &str = env!("CARGO_BIN_EXE_chat_server");
const TCP_CLIENT: &str = env!("CARGO_BIN_EXE_tcp_client");
const CLIENT: &str = env!("CARGO_BIN_EXE_tcp_concurrent_client");
const UDP_SERVER: &str = env!("CARGO_BIN_EXE_udp_concurrent_server");
const UDP_CLIENT: &str = env!("CARGO_BIN_EXE_udp_client");
const UDP_CONCURRENT_CLIENT: &str = env!("CARGO_BIN_EXE_udp_concurrent_client");
const FILE_CLIENT: &str = env!("CARGO_BIN_EXE_file_client");
const STAT: &str = env!("CARGO_BIN_EXE_file_stat");

/// How many pieces a non-blocking input comes in. Before nearly all of them, the program has found it empty.
const PIECES: usize = 20;

/// A pipe with both ends non-blocking.
fn non_blocking_pipe() -> (PipeReader, PipeWriter) {
    let (reader, writer) = io::pipe().unwrap();
    fcntl_setfl(&reader, OFlags::NONBLOCK).unwrap();
    fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    (reader, writer)
}

fn spawn(program: &str, args: &[&str], stdin: impl Into<Stdio>, stdout: impl Into<Stdio>) -> Child {
    Command::new(program)
        .args(args)
        .stdin(stdin)
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The address that a server prints first.
fn listening_on(server: &mut Child) -> String {
    let mut line = String::new();
    let mut stderr = BufReader::new(server.stderr.as_mut().unwrap());
    stderr.read_line(&mut line).unwrap();
    line.trim_end().rsplit_once(' ').unwrap().1.to_owned()
}

/// Waits for the end, and returns what was printed.
#[track_caller]
fn printed(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Gives the program time to find its input empty.
fn let_it_read() {
    thread::sleep(Duration::from_millis(2));
}

#[test]
fn tcp_client_waits_for_input_that_is_not_there_yet() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let (stdin, mut typed) = non_blocking_pipe();
    let client = spawn(CLIENT, &[&addr], stdin, Stdio::piped());
    let (mut conn, _) = listener.accept().unwrap();
    conn.set_read_timeout(Some(DEADLINE)).unwrap();
    for _ in 0..PIECES {
        let_it_read();
        typed.write_all(b"hello\n").unwrap();
        conn.read_exact(&mut [0; 6]).unwrap();
    }
    drop(typed);
    assert_eq!(conn.read(&mut [0]).unwrap(), 0, "the input has ended");
    drop(conn);
    assert_eq!(printed(client), "");
}

#[test]
fn udp_client_waits_for_input_that_is_not_there_yet() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(DEADLINE)).unwrap();
    let addr = server.local_addr().unwrap().to_string();
    let (stdin, mut typed) = non_blocking_pipe();
    let client = spawn(UDP_CONCURRENT_CLIENT, &[&addr], stdin, Stdio::piped());
    for _ in 0..PIECES {
        let_it_read();
        typed.write_all(b"hello\n").unwrap();
        let (n, from) = server.recv_from(&mut [0; 10]).unwrap();
        assert_eq!(n, 6);
        server.send_to(b"hello", from).unwrap();
    }
    drop(typed);
    assert_eq!(printed(client), "服务器写来： hello\n".repeat(PIECES));
}

#[test]
fn file_client_waits_for_a_path_that_is_typed_slowly() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("name");
    std::fs::write(&path, "content").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let (stdin, mut typed) = non_blocking_pipe();
    let client = spawn(FILE_CLIENT, &[&addr], stdin, Stdio::piped());
    for byte in path.to_str().unwrap().bytes().chain(*b"\n") {
        let_it_read();
        typed.write_all(&[byte]).unwrap();
    }
    let (mut conn, _) = listener.accept().unwrap();
    conn.set_read_timeout(Some(DEADLINE)).unwrap();
    let n = conn.read(&mut [0; 100]).unwrap();
    assert_eq!(n, "name".len());
    conn.write_all(b"ok").unwrap();
    let mut content = String::new();
    conn.read_to_string(&mut content).unwrap();
    assert_eq!(content, "content");
    drop(conn);
    assert!(printed(client).ends_with("文件发送完毕\n"));
}

#[test]
fn output_that_is_full_is_waited_for() {
    // Far more than a pipe holds.
    let sent = "0123456789abcdef".repeat(1 << 16);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let (mut shown, stdout) = non_blocking_pipe();
    let client = spawn(CLIENT, &[&addr], Stdio::null(), stdout);
    let (mut conn, _) = listener.accept().unwrap();
    thread::scope(|s| {
        s.spawn(|| {
            conn.write_all(sent.as_bytes()).unwrap();
            conn.shutdown(Shutdown::Both).unwrap();
        });
        // Full before the first byte is taken: it no longer grows.
        let mut before = 0;
        let is_full = || {
            thread::sleep(Duration::from_millis(50));
            let now = unread(&shown);
            now > 0 && now == std::mem::replace(&mut before, now)
        };
        common::wait::wait_until("the pipe is full", is_full, String::new);
        fcntl_setfl(&shown, OFlags::empty()).unwrap();
        let mut all = String::new();
        shown.read_to_string(&mut all).unwrap();
        let text: String = all
            .split_inclusive('\n')
            .map(|line| {
                line.trim_start_matches("客户端读取到:  ")
                    .trim_end_matches('\n')
            })
            .collect();
        assert!(
            text == sent,
            "{} of {} bytes were printed",
            text.len(),
            sent.len()
        );
    });
    printed(client);
}

#[test]
fn departures_are_announced_while_the_output_of_the_room_is_full() {
    let (_unread, mut filler) = non_blocking_pipe();
    let stdout = filler.try_clone().unwrap();
    let mut server = spawn(CHAT, &["127.0.0.1:0"], Stdio::null(), stdout);
    let addr = listening_on(&mut server).parse().unwrap();
    while filler.write(&[b'x'; 4096]).is_ok() {}
    while filler.write(b"x").is_ok() {}

    let mut stays = User::join(addr);
    // Several: one could win the race between its line and the message about it.
    let leaving: Vec<_> = (0..5).map(|_| User::join(addr)).collect();
    for user in leaving {
        let line = format!("[{0}]{0}: logout\r\n", user.addr);
        drop(user);
        stays.read_until(&line);
    }
    // A stopped room says why it still waits.
    let id = server.id().to_string();
    let term = || {
        let status = Command::new("kill").args(["-TERM", &id]).status();
        assert!(status.unwrap().success());
    };
    term();
    let mut log = server.stderr.take().unwrap();
    let warning = until(&mut log, "a second signal exits at once\n");
    assert!(warning.contains("standard output is full"), "{warning}");
    term();
    assert_eq!(server.wait().unwrap().code(), Some(130));
}

fn unread(pipe: &PipeReader) -> u64 {
    rustix::io::ioctl_fionread(pipe).unwrap()
}

#[test]
fn error_that_cannot_be_printed_is_still_status_1() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let (_socket, addr) = nobody::tcp();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for (program, args) in [
        (TCP_CLIENT, &[addr.as_str()][..]),
        (CLIENT, &[&addr]),
        (UDP_CLIENT, &["no such address:1"]),
        (FILE_CLIENT, &[&addr, "/no such file"]),
        (STAT, &["/no such file"]),
    ] {
        let mut command = Command::new(program);
        let status = command
            .args(args)
            .stdin(Stdio::null())
            .stderr(full())
            .status();
        assert_eq!(status.unwrap().code(), Some(1), "{program}");
    }
    let status = Command::new(TCP_CLIENT)
        .arg(&addr)
        .env("RUST_LOG", "info=nonsense")
        .stderr(full())
        .status();
    assert_eq!(status.unwrap().code(), Some(1), "with a wrong RUST_LOG");
    // What cannot be printed is an error, too.
    let output = Command::new(STAT).arg("/").stdout(full()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.starts_with("error: cannot write to standard output: "),
        "{stderr}"
    );
}

#[test]
fn output_that_nobody_reads_is_not_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp_addr = udp.local_addr().unwrap().to_string();
    for (program, args) in [
        (STAT, &["/"][..]),
        (TCP_CLIENT, &[&addr]),
        (CLIENT, &[&addr]),
        (UDP_CLIENT, &[&udp_addr]),
        (FILE_CLIENT, &[&addr, STAT]),
    ] {
        let stdout = io::pipe().unwrap().1;
        let mut client = spawn(program, args, Stdio::piped(), stdout);
        if program == UDP_CLIENT {
            udp.set_read_timeout(Some(DEADLINE)).unwrap();
            let (_, from) = udp.recv_from(&mut [0; 100]).unwrap();
            udp.send_to(b"hello", from).unwrap();
        } else if program != STAT {
            let (mut conn, _) = listener.accept().unwrap();
            // What a file server answers first.
            conn.write_all(b"ok").unwrap();
            drop(client.stdin.take());
            io::copy(&mut conn, &mut io::sink()).unwrap();
        }
        let output = client.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !stderr.contains("error"),
            "{program}: {}: {stderr}",
            output.status
        );
    }
}

#[test]
fn help_that_cannot_be_printed_is_an_error() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    for program in [CHAT, CLIENT, UDP_SERVER, FILE_CLIENT, STAT] {
        for option in ["--help", "--version"] {
            let full = File::options().write(true).open("/dev/full").unwrap();
            let mut command = Command::new(program);
            let output = command.arg(option).stdout(full).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{program}: {stderr}");
            assert!(
                stderr.starts_with("error: cannot write to standard output: "),
                "{program}: {stderr}"
            );
        }
    }
}

#[test]
fn room_does_not_wait_for_the_reader_of_its_log() {
    let (mut log, stderr) = io::pipe().unwrap();
    let mut filler = stderr.try_clone().unwrap();
    let mut command = Command::new(CHAT);
    let mut server = command
        .arg("127.0.0.1:0")
        .env("RUST_LOG", "debug")
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap();
    let addr = until(&mut log, "listening on ");
    let addr = format!("{addr}{}", until(&mut log, "\n"));
    let addr = addr.rsplit_once(' ').unwrap().1.trim_end().parse().unwrap();
    // The server's end becomes non-blocking too, until the pipe is full.
    fcntl_setfl(&filler, OFlags::NONBLOCK).unwrap();
    while filler.write(&[b'x'; 4096]).is_ok() {}
    fcntl_setfl(&filler, OFlags::empty()).unwrap();
    drop(filler);

    let mut stays = User::join(addr);
    let mut talk = || {
        let user = User::join(addr);
        let line = format!("[{0}]{0}: logout\r\n", user.addr);
        drop(user);
        stays.read_until(&line);
    };
    (0..5).for_each(|_| talk());
    // Once the pipe has room again, the next line is preceded by the number of lost ones.
    let mut lost = vec![0; unread(&log) as usize];
    log.read_exact(&mut lost).unwrap();
    talk();
    until(&mut log, " lines of the log were dropped: ");
    until(&mut log, " logout\n");
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Reads up to the end of `text`.
fn until(from: &mut impl Read, text: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(text.as_bytes()) {
        let mut byte = [0];
        from.read_exact(&mut byte).unwrap();
        read.push(byte[0]);
    }
    String::from_utf8(read).unwrap()
}
