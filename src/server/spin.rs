//! Reading from a client that answers at once, without falling asleep in between.

use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use crate::server::conn::Conn;

/// How soon a client has to send again to count as quick. To fall asleep and be woken takes about half
/// of it.
const SOON: Duration = Duration::from_micros(100);

/// Whether a thread looks for what a quick client sends next; more would be in each other's way.
static LOOKING: AtomicBool = AtomicBool::new(false);

/// Whether a client has been quick.
#[derive(Debug, Default)]
pub struct Quick(bool);

impl Quick {
    /// Reads as [`Conn::read`] does. If the client was quick the last time, the thread first lets others
    /// have their turn for a while instead of falling asleep. (So do Go's threads, inside the runtime.)
    ///
    /// # Errors
    /// The connection is broken.
    pub fn read(&mut self, conn: &Conn, buf: &mut [u8]) -> io::Result<usize> {
        let start = Instant::now();
        if self.0 && !LOOKING.swap(true, Relaxed) {
            let found = look(conn, buf, start);
            LOOKING.store(false, Relaxed);
            if let Some(read) = found {
                return read;
            }
        }
        let n = conn.read(buf)?;
        self.0 = start.elapsed() < SOON;
        Ok(n)
    }
}

/// Reads what is there until it is no longer soon after `start`.
fn look(conn: &TcpStream, buf: &mut [u8], start: Instant) -> Option<io::Result<usize>> {
    while start.elapsed() < SOON {
        match recv(conn, &mut *buf, RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN | Errno::INTR) => thread::yield_now(),
            read => return Some(read.map(|(n, _)| n).map_err(io::Error::from)),
        }
    }
    None
}
