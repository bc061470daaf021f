//! Sending from `manager` to every client, with as few wake-ups as possible.
//!
//! A message to a client costs a channel send, a wake-up and a write. So all waiting messages are sent as one
//! [`Batch`], and the next batch is sent when the previous one has been written. `benches/README.md` has the
//! measured effect of each step.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::thread;
use std::time::Duration;

use crate::chat::history::History;
use crate::chat::message::{Message, Recipient};
use crate::chat::queue::{Batch, Queue};
use crate::server::shutdown::{Done, closes_within};

/// A batch of at least this many bytes takes no further message.
const FULL: usize = 16 * 1024;

/// How long the next batch waits for the previous one.
const WRITE_GRACE: Duration = Duration::from_millis(1);

/// After this many wake-ups manager yields to the writers. With more, the data of the first writers has left the
/// CPU's cache.
const YIELD_EVERY: usize = 8;

/// From this many clients on, whoever spoke gets the batch first: 1.3 times the deliveries at 5,000. In smaller
/// rooms it makes the 99th percentile of the latency worse.
const LARGE_ROOM: usize = 2_000;

/// One client.
struct Client {
    queue: Queue,
    /// Where its part of the batch begins: it does not get the lines before its login.
    from: usize,
}

/// All clients, and the batch that is sent to them next.
pub struct FanOut {
    clients: BTreeMap<u64, Client>,
    bytes: Vec<u8>,
    /// In a large room, the clients that said what the batch holds.
    speakers: BTreeSet<u64>,
    written: Done,
    history: History,
}

impl FanOut {
    /// No clients yet. Those who come get the last `history` lines first.
    pub fn new(history: usize) -> FanOut {
        FanOut {
            clients: BTreeMap::new(),
            bytes: Vec::new(),
            speakers: BTreeSet::new(),
            written: Batch::new(&[]).1,
            history: History::new(history),
        }
    }

    /// Waits until the previous batch has been written, or for [`WRITE_GRACE`] if a client does not read.
    pub fn wait(&self) {
        closes_within(&self.written, WRITE_GRACE);
    }

    /// Adds a message to the batch.
    pub fn push(&mut self, msg: Message) {
        match msg {
            Message::Login(id, queue, line) => {
                if let Some(earlier) = self.history.earlier() {
                    queue.send(&earlier);
                }
                let from = self.bytes.len();
                self.clients.insert(id, Client { queue, from });
                if let Some(line) = line {
                    self.line(&line);
                }
            }
            Message::Said(id, line) if self.clients.contains_key(&id) => {
                if self.clients.len() >= LARGE_ROOM {
                    self.speakers.insert(id);
                }
                self.line(&line);
            }
            Message::Said(..) => {}
            Message::Leave(id, line) => {
                if let Some(clnt) = self.clients.remove(&id) {
                    clnt.queue.send(&Batch::new(&self.bytes[clnt.from..]).0);
                }
                if let Some(line) = line {
                    self.line(&line);
                }
            }
            Message::Told(_, line) => self.line(&line),
            Message::To(Recipient::Here(id), line) => self.to(id, &line),
            Message::To(Recipient::There(_), _) => {}
        }
    }

    /// Sends a line to one client, after what everyone gets first.
    fn to(&mut self, id: u64, line: &[u8]) {
        self.send();
        if let Some(clnt) = self.clients.get(&id) {
            let batch = Batch::new(&[line, b"\r\n"].concat()).0;
            if !clnt.queue.send(&batch) {
                self.clients.remove(&id);
            }
        }
    }

    /// Adds a line to the batch, with the `\r\n` that the writer adds in Go.
    fn line(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.bytes.extend_from_slice(b"\r\n");
        self.history.record(line);
    }

    /// Whether the batch takes no further message.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= FULL
    }

    /// Sends the batch to every client.
    pub fn send(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let batch;
        (batch, self.written) = Batch::new(&self.bytes);
        self.bytes.clear();
        let mut sent = 0;
        let mut send = |clnt: &mut Client| {
            let stays = match mem::take(&mut clnt.from) {
                0 => clnt.queue.send(&batch),
                from => clnt.queue.send(&Batch::new(&batch.bytes[from..]).0),
            };
            sent += 1;
            if sent % YIELD_EVERY == 0 {
                thread::yield_now();
            }
            stays
        };
        // The speakers first: what they say next is here when the last client has the batch.
        let speakers = mem::take(&mut self.speakers);
        for id in &speakers {
            if self.clients.get_mut(id).is_some_and(|clnt| !send(clnt)) {
                self.clients.remove(id);
            }
        }
        self.clients
            .retain(|id, clnt| speakers.contains(id) || send(clnt));
    }
}
