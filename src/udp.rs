//! Section two, UDP: the concurrent server, and the maximum length of a datagram.

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
use crate::system::reports_lost_datagram;

/// Size of a buffer that holds any datagram, in bytes.
// Go: uses 1024 bytes, and silently truncates longer datagrams. Ours receives any datagram whole.
pub const BUFFER: usize = 65_535;

/// The server's answer to every datagram.
const ANSWER: &[u8] = b"I-AM-SERVER";

/// Maximum payload of an IPv4 datagram, in bytes.
pub const LONGEST: usize = 65_507;

/// How long a client waits for an answer before it times out.
pub const SILENCE: Duration = Duration::from_secs(1);

/// How many short waits of [`Unanswered::wait`] make up that time.
const TURNS: u32 = 10;

/// Explains an error of a receive: no answer.
pub fn no_answer(addr: &str) -> impl FnOnce(io::Error) -> io::Error {
    let what = format!("no answer from {addr}");
    move |err| match err.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => io::Error::new(
            ErrorKind::TimedOut,
            format!("{what} within 1 second (is the server running?)"),
        ),
        _ => context(format!("{what} (is the server running?)"))(err),
    }
}

/// Counts the datagrams that were sent and the answers that were received.
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
    /// Counts a datagram that was sent.
    pub fn sent(&self) {
        self.counts.lock().sent += 1;
    }

    /// Counts an answer that was received.
    pub fn answered(&self) {
        self.counts.lock().answered += 1;
        self.changed.notify_all();
    }

    /// Waits until every datagram has been answered.
    ///
    /// # Errors
    /// No answer was received for one second.
    pub fn wait(&self) -> io::Result<()> {
        let mut counts = self.counts.lock();
        'next: while counts.answered < counts.sent {
            let before = counts.answered;
            // Short waits: if the process is paused, the pause uses up one of them, and an answer that arrived
            // meanwhile is still counted.
            for _ in 0..TURNS {
                self.changed.wait_for(&mut counts, SILENCE / TURNS);
                if counts.answered > before {
                    continue 'next;
                }
            }
            let Counts { sent, answered } = *counts;
            let why = format!(
                "{answered} of {sent} datagrams were answered, then no answer for 1 second"
            );
            return Err(io::Error::new(ErrorKind::TimedOut, why));
        }
        Ok(())
    }
}

/// Prints every datagram that it receives and answers `I-AM-SERVER`, until `shutdown` is closed.
///
/// # Errors
/// The socket fails. A client that has closed its socket is not an error.
pub fn run(conn: UdpSocket, shutdown: Done) -> io::Result<()> {
    info!("listening on {}", net::Addr::from(conn.local_addr()?));
    let (serving, served) = bounded(0);
    thread::scope(|s| {
        // Dropped however the loop ends, so that the other thread exits too.
        let _serving = serving;
        go(s, "shutdown".to_owned(), || wake(&conn, &shutdown, &served))?;
        serve(&conn, &shutdown)
    })
}

fn serve(conn: &UdpSocket, shutdown: &Done) -> io::Result<()> {
    // Go: allocates a new buffer for each datagram. Ours reuses one.
    let mut buf = vec![0; BUFFER];
    loop {
        let received = conn.recv_from(&mut buf);
        if is_closed(shutdown) {
            return Ok(());
        }
        let (n, raddr) = match received {
            Ok(received) => received,
            // Go: any error here ends the server, except that Windows' report that a client closed its socket is
            // turned off. Ours continues after such a report.
            Err(err) if reports_lost_datagram(&err) => {
                warn!("a client closed its socket before the answer arrived: {err}");
                continue;
            }
            Err(err) if err.kind() == ErrorKind::Interrupted => continue,
            Err(err) => return Err(context("cannot receive")(err)),
        };
        let client = net::Addr::from(raddr).to_string();
        fmt::printf!("接收到客户端[%s]：%s", client, &buf[..n]).ok();

        // Go: also answers `I-AM-SERVER`, so one datagram with the forged address of a server makes two
        // servers, or one and itself, answer each other for ever. Ours does not answer an answer.
        if buf[..n] == *ANSWER {
            continue;
        }
        // Send a simple answer.
        if let Err(err) = send_to(conn, ANSWER, raddr) {
            warn!("cannot answer {client}: {err}");
        }
    }
}

/// Sends a datagram. If the call reports the error of an earlier datagram, it did not send this one, so it is
/// sent again.
fn send_to(conn: &UdpSocket, datagram: &[u8], addr: SocketAddr) -> io::Result<usize> {
    match conn.send_to(datagram, addr) {
        Err(err) if reports_lost_datagram(&err) => conn.send_to(datagram, addr),
        sent => sent,
    }
}

/// Waits for the shutdown or the end of the loop. At shutdown, wakes a blocked `recv_from` with an empty
/// datagram that the socket sends to itself.
fn wake(conn: &UdpSocket, shutdown: &Done, served: &Receiver<Infallible>) {
    select! {
        recv(shutdown) -> _ => info!("stopping"),
        recv(served) -> _ => return,
    }
    let woken = conn.local_addr().map(net::loopback).and_then(|addr| {
        // The socket is connected to itself, because a connected socket receives from its peer only. Without
        // IPv6, a dual-stack socket is reached over IPv4.
        let mapped = SocketAddr::new(Ipv4Addr::LOCALHOST.to_ipv6_mapped().into(), addr.port());
        conn.connect(addr).or_else(|_| conn.connect(mapped))?;
        conn.send(&[])
    });
    if let Err(err) = woken {
        warn!("cannot wake the server, it exits at the next datagram: {err}");
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
    fn reply_is_sent_despite_pending_icmp_error() {
        let (other, other_addr) = socket();
        let gone = socket().1;
        // The ICMP error usually arrives before the next send; 20 attempts make sure that some send meets it.
        for i in 0..20 {
            // Connected, because only a connected socket gets the ICMP error.
            let (conn, _) = socket();
            conn.connect(gone).unwrap();
            conn.send(b"to a closed port").unwrap();
            let sent = send_to(&conn, ANSWER, other_addr);
            assert_eq!(sent.map_err(|err| err.to_string()), Ok(ANSWER.len()), "{i}");
            let mut buf = [0; 100];
            let n = other.recv(&mut buf).unwrap();
            assert_eq!(buf[..n], *ANSWER, "{i}");
        }
    }
}
