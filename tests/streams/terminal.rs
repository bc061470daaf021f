//! What reaches a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::{CLIENT, STAT, TCP_CLIENT, UDP_SERVER, listening_on, spawn};

/// A terminal: our end, and the one for a program.
pub(crate) fn terminal() -> (impl Read + AsFd, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let name = name.to_str().unwrap();
    let theirs = File::options().read(true).write(true).open(name).unwrap();
    (File::from(ours), theirs)
}

/// Reads from a terminal until its text ends so. The terminal itself turns newlines into `\r\n`.
#[track_caller]
fn shown_until(terminal: &mut impl Read, end: &str) -> String {
    let mut text = Vec::new();
    let mut buf = [0; 4096];
    while !String::from_utf8_lossy(&text).ends_with(end) {
        match terminal.read(&mut buf) {
            Ok(n @ 1..) => text.extend_from_slice(&buf[..n]),
            end => panic!("{end:?} after {}", text.escape_ascii()),
        }
    }
    String::from_utf8_lossy(&text).replace("\r\n", "\n")
}

/// What another could send to repaint the terminal: escape sequences of both kinds, a new title, a line over
/// this one, text in another order.
const HOSTILE: &str = "a\x1b[2J\u{9b}2Jb\x1b]0;title\x07\rc\u{202e}d\u{2028}\x08e\t世界\n";
const CLEANED: &str = "a[2J2Jb]0;titlecde\t世界\n";

#[test]
fn terminal_of_a_server_is_not_repainted_by_what_clients_send() {
    for on_terminal in [true, false] {
        let (mut shown, theirs) = terminal();
        let stdout: Stdio = match on_terminal {
            true => theirs.into(),
            false => Stdio::piped(),
        };
        let mut server = spawn(UDP_SERVER, &["127.0.0.1:0"], Stdio::null(), stdout);
        let addr = listening_on(&mut server);
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.send_to(HOSTILE.as_bytes(), &addr).unwrap();
        let printed = match on_terminal {
            true => shown_until(&mut shown, "世界\r\n"),
            false => {
                let mut buf = vec![0; 1000];
                let n = server.stdout.as_mut().unwrap().read(&mut buf).unwrap();
                String::from_utf8_lossy(&buf[..n]).into_owned()
            }
        };
        server.kill().unwrap();
        server.wait().unwrap();
        let from = client.local_addr().unwrap();
        let text = if on_terminal { CLEANED } else { HOSTILE };
        assert_eq!(printed, format!("接收到客户端[{from}]：{text}"));
    }
}

#[test]
fn terminal_of_a_client_is_not_repainted_by_its_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    for program in [TCP_CLIENT, CLIENT] {
        let (mut shown, theirs) = terminal();
        let mut client = spawn(program, &[&addr], Stdio::null(), theirs);
        let mut conn: TcpStream = listener.accept().unwrap().0;
        conn.write_all(HOSTILE.as_bytes()).unwrap();
        let printed = shown_until(&mut shown, "世界\r\n\r\n");
        assert_eq!(printed, format!("客户端读取到:  {CLEANED}\n"), "{program}");
        drop(conn);
        client.wait().unwrap();
    }
}

#[test]
fn error_does_not_repaint_the_terminal() {
    let (mut shown, theirs) = terminal();
    let mut stat = Command::new(STAT)
        .arg("no\x1b[2J such file")
        .stderr(theirs)
        .spawn()
        .unwrap();
    let printed = shown_until(&mut shown, "(os error 2)\r\n");
    assert!(
        printed.starts_with("error: cannot ") && !printed.contains('\x1b'),
        "{printed:?}"
    );
    stat.wait().unwrap();
}

#[test]
fn terminal_is_not_repainted_by_the_name_of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a\x1b[2Jb");
    std::fs::write(&path, "").unwrap();
    let (mut shown, theirs) = terminal();
    let mut stat = spawn(STAT, &[path.to_str().unwrap()], Stdio::null(), theirs);
    let printed = shown_until(&mut shown, "size为： 0\r\n");
    assert_eq!(printed, "文件name为： a[2Jb\n文件size为： 0\n");
    stat.wait().unwrap();
}
