//! What reaches the console of a program for Windows. Wine makes a console of a terminal.

use std::env;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use crossbeam_channel::unbounded;

use crate::common::wait::{DEADLINE, wait_until};
use crate::spawn;
use crate::terminal::terminal;

#[test]
#[ignore = "needs WINDOWS_PROGRAMS"]
fn windows_console_shows_what_is_not_utf8_and_what_comes_after_it() {
    let programs = env::var("WINDOWS_PROGRAMS").expect("the folder of our programs for Windows");
    let wine = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/wine/run");
    let client = format!("{programs}/tcp_concurrent_client.exe");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let (mut ours, theirs) = terminal();
    let stdin = theirs.try_clone().unwrap();
    let mut client = spawn(wine, &[&client, &addr], stdin, theirs);

    let (sender, shown) = unbounded();
    thread::spawn(move || {
        let mut buf = [0; 4096];
        while let Ok(n @ 1..) = ours.read(&mut buf) {
            let _ = sender.send(buf[..n].to_vec());
        }
    });
    let mut text = Vec::new();
    let mut wait_for = |part: &str| {
        while !String::from_utf8_lossy(&text).contains(part) {
            match shown.recv_timeout(DEADLINE) {
                Ok(more) => text.extend(more),
                Err(err) => panic!("no {part:?}: {err} after {}", text.escape_ascii()),
            }
        }
    };

    listener.set_nonblocking(true).unwrap();
    let mut conn = None;
    let has_come = || {
        conn = listener.accept().ok();
        conn.is_some()
    };
    wait_until("the client connects", has_come, || addr.clone());
    let (mut conn, _) = conn.unwrap();
    conn.write_all(b"GBK: \xC4\xE3, half: \xE4\xBD.").unwrap();
    wait_for("GBK: \u{FFFD}\u{FFFD}, half: \u{FFFD}.");
    conn.write_all("第二".as_bytes()).unwrap();
    wait_for("第二");
    client.kill().unwrap();
    client.wait().unwrap();
}
