//! The way out to one user: `manager` hands a burst to it through `c`, and the user's writer writes it.

use std::convert::Infallible;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown as Half, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use crossbeam_channel::{Receiver, SendTimeoutError, Sender, TrySendError, bounded};
use log::warn;

use crate::conn::Conn;

/// How long a write to a client that reads may take, and so how long anybody waits for a writer. The
/// kernel rounds it up to its clock's tick.
pub const AT_ONCE: Duration = Duration::from_millis(1);

/// Messages for everyone, joined.
pub struct Burst {
    /// The messages, each with its line end.
    pub bytes: Box<[u8]>,
    /// Ends [`Burst::new`]'s channel together with the burst.
    _unwritten: Sender<Infallible>,
}

impl Burst {
    /// A burst to share, and a channel that ends when nobody has it to write any more.
    pub fn new(bytes: &[u8]) -> (Arc<Burst>, Receiver<Infallible>) {
        let (unwritten, written) = bounded(0);
        let burst = Burst {
            bytes: bytes.into(),
            _unwritten: unwritten,
        };
        (Arc::new(burst), written)
    }
}

/// What `manager` needs to reach a user.
pub struct Outlet {
    /// What is for the user to read.
    pub c: Sender<Arc<Burst>>,
    /// The user's connection.
    pub conn: Arc<Conn>,
    /// Whether the connection is full, for want of reading, and the writer has not caught up since.
    pub behind: Arc<AtomicBool>,
}

impl Outlet {
    /// Hands a burst to the user's writer, and says whether the user may stay.
    pub fn hand(&self, burst: &Arc<Burst>) -> bool {
        let mut burst = Arc::clone(burst);
        // `--queue 0`, Go's way: waits for the user.
        if self.c.capacity() == Some(0) {
            self.c.send(burst).ok();
            return true;
        }
        while let Err(TrySendError::Full(unsent)) = self.c.try_send(burst) {
            // The client is to blame, because it does not read: nobody waits for it.
            if self.behind.load(Relaxed) {
                let (addr, bursts) = (self.conn.addr(), self.c.len());
                warn!("{addr} kicked: it does not read, {bursts} bursts wait for it");
                let _ = self.conn.shutdown(Half::Both);
                return false;
            }
            // Its writer is only late, on a busy machine: its time will come.
            match self.c.send_timeout(unsent, AT_ONCE) {
                Err(SendTimeoutError::Timeout(unsent)) => burst = unsent,
                _ => break,
            }
        }
        true
    }
}

/// Writes all of it, and notes it in `behind` when the client does not take it [`AT_ONCE`].
///
/// # Errors
/// The connection has failed.
pub fn write_all(mut conn: &TcpStream, mut bytes: &[u8], behind: &AtomicBool) -> io::Result<()> {
    loop {
        match conn.write(bytes) {
            Ok(n) if n == bytes.len() => return Ok(()),
            Ok(n) => bytes = &bytes[n..],
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(err) => return Err(err),
        }
        behind.store(true, Relaxed);
        conn.set_write_timeout(None)?;
    }
}
