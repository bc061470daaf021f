//! Adaptive polling: reading from a client that answers quickly, without sleeping in between.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::server::conn::Conn;
use crate::system::{CAN_READ_NOW, read_now};

/// How long a thread polls before it sleeps. Sleeping and being woken takes about half as long.
const SPIN_LIMIT: Duration = Duration::from_micros(100);

/// Set while a thread is polling. A second one would only take CPU time from the first.
static SPINNING: AtomicBool = AtomicBool::new(false);

/// Reads from a connection as [`Conn::read`] does. If the last read took less than 100 µs, the next one first
/// polls for up to 100 µs, yielding to other threads, before it sleeps. Go's runtime never polls a
/// socket like this: its thread parks and is woken.
#[derive(Debug)]
pub struct Spin<'a> {
    conn: &'a Conn,
    answers_fast: bool,
}

impl Spin<'_> {
    /// A new client counts as slow.
    pub fn new(conn: &Conn) -> Spin<'_> {
        Spin {
            conn,
            answers_fast: false,
        }
    }

    /// Polls until [`SPIN_LIMIT`] after `start`. None if nothing arrived.
    fn poll(&self, buf: &mut [u8], start: Instant) -> Option<io::Result<usize>> {
        while start.elapsed() < SPIN_LIMIT {
            match read_now(self.conn.stream(), buf) {
                None => thread::yield_now(),
                read => return read,
            }
        }
        None
    }
}

impl Read for Spin<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let start = Instant::now();
        if CAN_READ_NOW && self.answers_fast && !SPINNING.swap(true, Relaxed) {
            let found = self.poll(buf, start);
            SPINNING.store(false, Relaxed);
            if let Some(read) = found {
                return read;
            }
        }
        let n = self.conn.read(buf)?;
        self.answers_fast = start.elapsed() < SPIN_LIMIT;
        Ok(n)
    }
}
