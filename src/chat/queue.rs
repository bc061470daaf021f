//! The send queue of one client.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender, TrySendError, bounded};
use log::warn;

use crate::server::conn::Conn;
use crate::server::shutdown::Done;

/// How long to wait for a writer that is only waiting for CPU time, before checking again.
const WRITER_WAIT: Duration = Duration::from_millis(1);

/// Several messages, joined. All clients share one copy.
pub struct Batch {
    /// The messages, each with its `\r\n`.
    pub bytes: Box<[u8]>,
    _unwritten: Sender<Infallible>,
}

impl Batch {
    /// Makes a batch, and a channel that is closed when all clients have written or dropped the batch.
    pub fn new(bytes: &[u8]) -> (Arc<Batch>, Done) {
        let (unwritten, written) = bounded(0);
        let batch = Batch {
            bytes: bytes.into(),
            _unwritten: unwritten,
        };
        (Arc::new(batch), written)
    }
}

/// The send queue of one client, which its writer empties.
pub struct Queue {
    /// The channel to the writer.
    pub c: Sender<Arc<Batch>>,
    /// The client's connection.
    pub conn: Arc<Conn>,
}

impl Queue {
    /// Sends a batch to the client's writer. Returns false if the client was kicked.
    pub fn send(&self, batch: &Arc<Batch>) -> bool {
        let mut batch = Arc::clone(batch);
        // Go: blocks until the client reads. Ours blocks only with `--queue 0`; otherwise a client is kicked if its
        // buffer is full and a write to it has been blocked for 20 ms.
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
