//! What waits for one client to read it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender, TrySendError, bounded};
use log::warn;

use crate::server::conn::Conn;
use crate::server::shutdown::Done;

/// How long to wait at a time for a writer that is only waiting for the CPU.
const WRITER_WAIT: Duration = Duration::from_millis(1);

/// Messages joined, which many clients share.
pub struct Batch {
    /// The messages, each with its line end.
    pub bytes: Box<[u8]>,
    _unwritten: Sender<Infallible>,
}

impl Batch {
    /// A batch, and a channel that closes when every client has it behind it.
    pub fn new(bytes: &[u8]) -> (Arc<Batch>, Done) {
        let (unwritten, written) = bounded(0);
        let batch = Batch {
            bytes: bytes.into(),
            _unwritten: unwritten,
        };
        (Arc::new(batch), written)
    }
}

/// The way to one client: `c` leads to its writer.
pub struct Queue {
    /// What the client is to read.
    pub c: Sender<Arc<Batch>>,
    /// The client's connection.
    pub conn: Arc<Conn>,
}

impl Queue {
    /// Sends a batch to the client's writer. Returns false if the client was kicked.
    pub fn send(&self, batch: &Arc<Batch>) -> bool {
        let mut batch = Arc::clone(batch);
        // `--queue 0`, as in Go: wait for the client, however long.
        if self.c.capacity() == Some(0) {
            self.c.send(batch).ok();
            return true;
        }
        while let Err(TrySendError::Full(unsent)) = self.c.try_send(batch) {
            if self.conn.is_stalled() {
                let (addr, batches) = (self.conn.addr(), self.c.len());
                warn!("{addr} kicked: it does not read, and {batches} batches wait for it");
                self.conn.close();
                return false;
            }
            match self.c.send_timeout(unsent, WRITER_WAIT) {
                Err(SendTimeoutError::Timeout(unsent)) => batch = unsent,
                _ => break,
            }
        }
        true
    }
}
