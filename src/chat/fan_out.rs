//! From `manager` to everyone, with as few wakes as possible.
//!
//! Every message to every client is a channel send, a wake and a write. Messages that wait together
//! travel as one [`Batch`]; the next leaves when the last is written. `benches/README.md` has what each
//! of these measures brought.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, SendTimeoutError, Sender, TrySendError, bounded};
use log::warn;

use crate::server::conn::Conn;
use crate::server::shutdown::{Done, closes_within};

/// Bytes of messages in one batch at most, the last message aside.
const FULL: usize = 16 * 1024;

/// How long to wait for a writer that is only late.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Writers that are woken before they have their turn: more, and the first are no longer in the
/// processor's cache when it comes.
const TURN: usize = 8;

/// Messages for everyone, joined.
pub struct Batch {
    /// The messages, each with its line end.
    pub bytes: Box<[u8]>,
    _unwritten: Sender<Infallible>,
}

/// The way out to one client.
pub struct Outlet {
    /// What is for the client to read.
    pub c: Sender<Arc<Batch>>,
    /// The client's connection.
    pub conn: Arc<Conn>,
}

/// Everyone in the room.
pub struct FanOut {
    outlets: BTreeMap<u64, Outlet>,
    bytes: Vec<u8>,
    written: Done,
}

impl Default for FanOut {
    fn default() -> FanOut {
        FanOut {
            outlets: BTreeMap::new(),
            bytes: Vec::new(),
            written: bounded(0).1,
        }
    }
}

impl FanOut {
    /// A client comes.
    pub fn enter(&mut self, id: u64, outlet: Outlet) {
        self.outlets.insert(id, outlet);
    }

    /// A client leaves. It gets what was said before.
    pub fn leave(&mut self, id: u64) {
        if let Some(outlet) = self.outlets.remove(&id) {
            outlet.send(&batch(&self.bytes).0);
        }
    }

    /// Whether a client is in the room.
    pub fn has(&self, id: u64) -> bool {
        self.outlets.contains_key(&id)
    }

    /// Adds a message to the batch, with the line end that the writer adds in Go, and says whether more fit.
    pub fn push(&mut self, msg: &[u8]) {
        self.bytes.extend_from_slice(msg);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Whether the batch is full.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= FULL
    }

    /// Waits until the last batch is written, or for a millisecond if somebody does not read.
    pub fn wait(&self) {
        closes_within(&self.written, AT_ONCE);
    }

    /// Hands the batch to everyone.
    pub fn send(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let batch;
        (batch, self.written) = self::batch(&self.bytes);
        self.bytes.clear();
        let mut sent = 0;
        self.outlets.retain(|_, outlet| {
            let stays = outlet.send(&batch);
            sent += 1;
            if sent % TURN == 0 {
                thread::yield_now();
            }
            stays
        });
    }
}

/// A batch to share, and a channel that ends when nobody has it to write any more.
fn batch(bytes: &[u8]) -> (Arc<Batch>, Receiver<Infallible>) {
    let (unwritten, written) = bounded(0);
    let batch = Batch {
        bytes: bytes.into(),
        _unwritten: unwritten,
    };
    (Arc::new(batch), written)
}

impl Outlet {
    /// Hands a batch to the client's writer; false if the client is kicked.
    fn send(&self, batch: &Arc<Batch>) -> bool {
        let mut batch = Arc::clone(batch);
        // `--queue 0`, Go's way: waits for the client.
        if self.c.capacity() == Some(0) {
            self.c.send(batch).ok();
            return true;
        }
        while let Err(TrySendError::Full(unsent)) = self.c.try_send(batch) {
            if self.conn.is_stalled() {
                let (addr, batches) = (self.conn.addr(), self.c.len());
                warn!("{addr} kicked: it does not read, {batches} batches wait for it");
                self.conn.close();
                return false;
            }
            match self.c.send_timeout(unsent, AT_ONCE) {
                Err(SendTimeoutError::Timeout(unsent)) => batch = unsent,
                _ => break,
            }
        }
        true
    }
}
