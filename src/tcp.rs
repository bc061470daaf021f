//! Section two, TCP: the concurrent server that answers in upper case.

use std::io::{self, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::thread;

use log::warn;

use crate::go::fmt;
use crate::go::strings::{split_cut_off, to_upper};
use crate::go::{go, take_turns};
use crate::server::accept::{Acceptor, Limits, ServerProfile};
use crate::server::conn::Conn;
use crate::server::shutdown::Done;
use crate::server::spin::Quick;

/// One thread a client, which waits for its client alone.
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
    fmt::println(&[&addr, &"connect successful!!!"]).ok();

    let mut buf = vec![0; 4096];
    // Go: a character that two reads share comes out as two broken halves. Its first half waits
    // here for the second.
    let mut held = 0;
    let mut quick = Quick::default();
    loop {
        let n = match quick.read(&conn, &mut buf[held..]) {
            Ok(0) => {
                if held > 0 {
                    let _ = (&**conn).write_all(&to_upper(&buf[..held]));
                }
                fmt::println(&[&"client close!!!"]).ok();
                return;
            }
            Ok(n) => n,
            Err(err) => {
                warn!("conn.Read {addr}: {err}");
                return;
            }
        };
        let (whole, rest) = split_cut_off(&buf[..held + n]);
        let rest = rest.len();
        if !whole.is_empty() {
            // Show what came.
            fmt::println(&[&"服务器读取到: ", &whole]).ok();

            // Answer.
            if let Err(err) = (&**conn).write_all(&to_upper(whole)) {
                // Go: reads on after a failed write, and fails again.
                warn!("conn.Write {addr}: {err}");
                return;
            }
        }
        let end = held + n;
        buf.copy_within(end - rest..end, 0);
        held = rest;
    }
}

/// Serves `listener` until `shutdown` ends, one thread a client, and joins them all.
///
/// The calling thread stays batch work, see [`take_turns`].
///
/// # Errors
/// The server cannot start. What goes wrong with a client costs that client only.
pub fn run(listener: TcpListener, limits: &Limits, shutdown: Done) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, limits, PROFILE, shutdown)?;
    take_turns();
    fmt::println(&[&"服务器等待客户端建立连接..."]).ok();
    thread::scope(|s| {
        // Go: the server ends when one accept fails. `acceptor` waits and goes on.
        for conn in acceptor {
            let name = conn.thread_name("handler");
            if let Err(err) = go(s, name, move || handler(conn)) {
                warn!("a client is lost, no thread can be started: {err}");
            }
        }
    });
    Ok(())
}
