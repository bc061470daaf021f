//! Section two, UDP: the concurrent server, and how long a datagram can be.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded, select};
use log::{info, warn};
use parking_lot::{Condvar, Mutex};

use crate::error::context;
use crate::go::{fmt, go, net};
use crate::server::shutdown::{Done, is_closed};

/// Bytes of buffer that hold any datagram.
// Go: 1024 bytes, and a longer datagram is cut without a word. Ours takes any whole.
pub const BUFFER: usize = 65_535;

/// What the server answers.
const ANSWER: &[u8] = b"I-AM-SERVER";

/// Most bytes that one IPv4 datagram carries.
pub const LONGEST: usize = 65_507;

/// How long a client waits for an answer.
pub const SILENCE: Duration = Duration::from_secs(1);

/// What it means that no answer could be received.
pub fn no_answer(addr: &str) -> impl FnOnce(io::Error) -> io::Error {
    let what = format!("no answer from {addr}, is the server running?");
    |err| match err.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            io::Error::new(ErrorKind::TimedOut, format!("{what} (it had a second)"))
        }
        _ => context(what)(err),
    }
}

/// Counts the datagrams that were sent, and the answers to them.
#[derive(Debug, Default)]
pub struct Unanswered {
    counts: Mutex<Counts>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Counts {
    sent: u32,
    answered: u32,
}

impl Unanswered {
    /// A datagram was sent.
    pub fn sent(&self) {
        self.counts.lock().sent += 1;
    }

    /// An answer has come.
    pub fn answered(&self) {
        self.counts.lock().answered += 1;
        self.changed.notify_all();
    }

    /// Waits until there are as many answers as datagrams.
    ///
    /// # Errors
    /// No answer came for a second.
    pub fn wait(&self) -> io::Result<()> {
        let mut counts = self.counts.lock();
        while counts.answered < counts.sent {
            let before = counts.answered;
            if self.changed.wait_for(&mut counts, SILENCE).timed_out() && counts.answered == before
            {
                let Counts { sent, answered } = *counts;
                let why = format!(
                    "{answered} of {sent} datagrams were answered, then nothing came for a second"
                );
                return Err(io::Error::new(ErrorKind::TimedOut, why));
            }
        }
        Ok(())
    }
}

/// Prints every datagram that comes and answers `I-AM-SERVER`, until `shutdown` ends.
///
/// # Errors
/// The socket fails. That a client has gone is no failure.
pub fn run(conn: UdpSocket, shutdown: Done) -> io::Result<()> {
    info!("listening on {}", net::Addr::from(conn.local_addr()?));
    let (serving, served) = bounded(0);
    thread::scope(|s| {
        // Dropped when the loop ends, whichever way, so that the other thread ends with it.
        let _serving = serving;
        go(s, "shutdown".to_owned(), || wake(&conn, &shutdown, &served))?;
        serve(&conn, &shutdown)
    })
}

fn serve(conn: &UdpSocket, shutdown: &Done) -> io::Result<()> {
    // Go: makes a new buffer for each datagram.
    let mut buf = vec![0; BUFFER];
    loop {
        let received = conn.recv_from(&mut buf);
        if is_closed(shutdown) {
            return Ok(());
        }
        let (n, raddr) = match received {
            Ok(received) => received,
            // Go: any error here ends the server, even that a client has gone before its answer
            // came, where the system reports that. Ours goes on.
            Err(err) if a_client_has_gone(&err) => {
                warn!("a client has gone before its answer came: {err}");
                continue;
            }
            Err(err) if err.kind() == ErrorKind::Interrupted => continue,
            Err(err) => return Err(context("cannot receive")(err)),
        };
        let client = net::Addr::from(raddr).to_string();
        fmt::printf!("接收到客户端[%s]：%s", client, &buf[..n]).ok();

        // Go: answers its own answer too. One forged datagram that seems to come from a server, and the
        // two, or the one, talk for ever. Ours does not answer an answer.
        if buf[..n] == *ANSWER {
            continue;
        }
        // Answer simply.
        if let Err(err) = send_to(conn, ANSWER, raddr) {
            warn!("cannot answer {client}: {err}");
        }
    }
}

/// Sends a datagram. An error of an earlier one, reported here, has kept this one back: it is sent again.
fn send_to(conn: &UdpSocket, datagram: &[u8], addr: SocketAddr) -> io::Result<usize> {
    match conn.send_to(datagram, addr) {
        Err(err) if a_client_has_gone(&err) => conn.send_to(datagram, addr),
        sent => sent,
    }
}

fn a_client_has_gone(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}

/// Waits for the shutdown, or for the end of the loop, and ends a blocked `recv_from` by an empty
/// datagram from the socket to itself.
fn wake(conn: &UdpSocket, shutdown: &Done, served: &Receiver<Infallible>) {
    select! {
        recv(shutdown) -> _ => info!("stopping"),
        recv(served) -> _ => return,
    }
    let woken = conn.local_addr().map(net::loopback).and_then(|addr| {
        // Connected to itself, it hears itself even if it was connected to somebody before. A socket for
        // both families is reached over IPv4 where there is no IPv6.
        let mapped = SocketAddr::new(Ipv4Addr::LOCALHOST.to_ipv6_mapped().into(), addr.port());
        conn.connect(addr).or_else(|_| conn.connect(mapped))?;
        conn.send(&[])
    });
    if let Err(err) = woken {
        warn!("the server ends with the next datagram, it cannot be woken: {err}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> (UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let limit = Some(Duration::from_secs(20));
        socket.set_read_timeout(limit).unwrap();
        let addr = socket.local_addr().unwrap();
        (socket, addr)
    }

    #[test]
    fn who_has_vanished_does_not_cost_another_the_answer() {
        let (other, other_addr) = socket();
        let gone = socket().1;
        // The error that one has gone comes soon, and hardly ever so late that no send meets it.
        for i in 0..20 {
            // Connected, because no other socket is told of it.
            let (conn, _) = socket();
            conn.connect(gone).unwrap();
            conn.send(b"for one who has gone").unwrap();
            let sent = send_to(&conn, ANSWER, other_addr);
            assert_eq!(sent.map_err(|err| err.to_string()), Ok(ANSWER.len()), "{i}");
            let mut buf = [0; 100];
            let n = other.recv(&mut buf).unwrap();
            assert_eq!(buf[..n], *ANSWER, "{i}");
        }
    }
}
