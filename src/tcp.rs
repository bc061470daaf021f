//! Section two, TCP: the concurrent server, which answers in upper case.

use std::io::{self, Read};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::thread;

use log::warn;

use crate::go::utf8::WholeChars;
use crate::go::{fmt, go, strings};
use crate::server::accept::{Acceptor, ServerProfile};
use crate::server::conn::Conn;
use crate::server::limits::Limits;
use crate::server::shutdown::Done;
use crate::server::spin::Spin;
use crate::server::telnet::Telnet;

/// One thread per client, which blocks only on its client: shutting down the reading side ends it.
const PROFILE: ServerProfile = ServerProfile {
    threads: 1,
    descriptors: 1,
    memory: 0,
    full: "the server is full, try again later\r\n",
    crowded: "too many clients from your address\r\n",
    shutdown_half: Some(Shutdown::Read),
};

/// Answers one client in upper case until it leaves.
fn handler(conn: Arc<Conn>) {
    // Get the client's address.
    let addr = conn.addr().to_string();
    fmt::println!(addr, "connect successful!!!").ok();

    // Go: upper-cases the two halves of a character that is split across two reads separately, and replaces each of
    // their bytes by U+FFFD. Ours waits up to one second for the second half.
    let mut reader = WholeChars::new(conn.stream(), Spin::new(&conn));
    let mut telnet = Telnet::default();
    let mut buf = vec![0; 4096];
    loop {
        let n = match reader.read(&mut buf) {
            Ok(0) => {
                fmt::println!("client close!!!").ok();
                return;
            }
            Ok(n) => n,
            Err(err) => {
                warn!("conn.Read {addr}: {err}");
                return;
            }
        };
        // Print what was received.
        fmt::println!("服务器读取到: ", &buf[..n]).ok();

        // Answer.
        let mut answer = strings::to_upper(&buf[..n]);
        // Go: ignores telnet commands. After Ctrl-C, a `telnet` program then shows nothing more. Ours answers the
        // command.
        answer.extend(telnet.answers(&buf[..n]));
        if let Err(err) = conn.write(&answer) {
            // Go: keeps reading after a failed write, and every later write fails too. Ours returns.
            warn!("conn.Write {addr}: {err}");
            return;
        }
    }
}

/// Serves `listener` with one thread per client until `shutdown` is closed, then joins all threads.
///
/// # Errors
/// The server cannot start. An error of one client disconnects only that client.
pub fn run(listener: TcpListener, limits: &Limits, shutdown: Done) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, limits, PROFILE, shutdown)?;
    fmt::println!("服务器等待客户端建立连接...").ok();
    thread::scope(|s| {
        // Go: the server exits if one accept fails. In ours, `acceptor` waits and tries again.
        for conn in acceptor {
            let name = conn.thread_name("handler");
            if let Err(err) = go(s, name, move || handler(conn)) {
                warn!("a client was disconnected: {err}");
            }
        }
    });
    Ok(())
}
