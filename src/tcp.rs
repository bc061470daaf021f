//! Section two, TCP: the concurrent server that answers in upper case.

use std::io::{self, Read};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::thread;

use log::warn;

use crate::go::utf8::WholeChars;
use crate::go::{fmt, go, strings};
use crate::server::accept::{Acceptor, Limits, ServerProfile};
use crate::server::conn::Conn;
use crate::server::shutdown::Done;
use crate::server::spin::Spin;

/// One thread per client, which waits for its client only.
const PROFILE: ServerProfile = ServerProfile {
    threads: 1,
    descriptors: 1,
    full: "the server is full, try again later\r\n",
    crowded: "too many clients from your address\r\n",
    shutdown_half: Some(Shutdown::Read),
};

/// Answers one client in upper case until it leaves.
fn handler(conn: Arc<Conn>) {
    // Take the client's address.
    let addr = conn.addr().to_string();
    fmt::println!(addr, "connect successful!!!").ok();

    // Go: a character that two reads share comes out as two broken halves. Ours waits for its second
    // half, for a second at most.
    let mut reader = WholeChars::new(conn.stream(), Spin::new(&conn));
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
        // Show what came.
        fmt::println!("服务器读取到: ", &buf[..n]).ok();

        // Answer.
        if let Err(err) = conn.write(&strings::to_upper(&buf[..n])) {
            // Go: reads on after a failed write, and fails again.
            warn!("conn.Write {addr}: {err}");
            return;
        }
    }
}

/// Serves `listener` until `shutdown` ends, one thread per client, and joins them all.
///
/// # Errors
/// The server cannot start. What goes wrong with a client costs that client only.
pub fn run(listener: TcpListener, limits: &Limits, shutdown: Done) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, limits, PROFILE, shutdown)?;
    fmt::println!("服务器等待客户端建立连接...").ok();
    thread::scope(|s| {
        // Go: the server ends when one accept fails. `acceptor` waits and goes on.
        for conn in acceptor {
            let name = conn.thread_name("handler");
            if let Err(err) = go(s, name, move || handler(conn)) {
                warn!("cannot start a thread, a client is disconnected: {err}");
            }
        }
    });
    Ok(())
}
