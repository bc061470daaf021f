//! From `message` to the engine: a batch at a time, each of them once.
//!
//! Every batch has a number. Whatever goes wrong, the same batch is sent again with the same number, and the
//! engine refuses what it has had.

use std::collections::HashSet;
use std::iter;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::link::Link;
use super::outbox::Outbox;
use super::record::Parcel;
use super::room::{KEPT, invoke};
use super::shared::{Shared, client_text};
use crate::chat::message::{Kind, Message, Recipient};
use crate::chat::online_map::Client;
use crate::server::shutdown::is_closed;

/// A batch with this many bytes of messages takes no more.
const FULL: usize = 16 * 1024;

/// Maximum number of messages in a batch.
const MOST_MESSAGES: usize = 128;

/// Batches that may wait to come back.
pub const UNDER_WAY: usize = 64;

/// The engine removes a server that sends no heartbeat for this long.
pub const LEASE: Duration = Duration::from_secs(5);

/// Interval of the heartbeat.
const BEAT: Duration = Duration::from_secs(1);

/// Maximum number of users of a dead server that one heartbeat removes: each call blocks the engine for a few
/// milliseconds.
const TAKEN_OFF: usize = 500;

/// How long to sleep while too many batches wait to come back.
const PAUSE: Duration = Duration::from_millis(1);

/// The messages of one record, with their number.
pub struct Batch {
    pub n: u64,
    /// How many lines they have for the others.
    pub count: u64,
    pub messages: Vec<Message>,
}

/// What `publisher` knows.
pub struct Publisher<'a> {
    pub shared: &'a Shared,
    pub link: Link<'a>,
    pub outbox: Outbox,
    /// Those who are here after the last batch.
    here: HashSet<u64>,
    next_beat: Instant,
    /// Number of the last join, and the engine that it was to.
    pub join: u64,
    pub joined: String,
}

/// Sends everything in `message` to the engine, and the same messages to `sent`. Returns when `message` is
/// closed, or when the server is to stop and the engine does not answer.
pub fn publisher(
    shared: &Shared,
    link: Link<'_>,
    message: &Receiver<Message>,
    sent: &Sender<Batch>,
) {
    let mut publisher = Publisher {
        shared,
        link,
        outbox: Outbox::default(),
        here: HashSet::new(),
        next_beat: Instant::now(),
        join: 0,
        joined: String::new(),
    };
    publisher.run(message, sent);
}

impl Publisher<'_> {
    fn run(&mut self, message: &Receiver<Message>, sent: &Sender<Batch>) -> Option<()> {
        self.join()?;
        loop {
            let back = self.shared.back.load(Relaxed);
            self.outbox.tidy(back, Instant::now());
            if self.outbox.last - back < UNDER_WAY as u64 {
                match message.recv_deadline(self.next_beat) {
                    Ok(first) => {
                        let batch = self.batch(first, message);
                        sent.send(batch).ok()?;
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            } else {
                // The messages that wait hold the clients back.
                thread::sleep(PAUSE);
            }
            if Instant::now() >= self.next_beat {
                self.beat()?;
            }
            self.publish()?;
        }
        while self.goodbye()? {}
        Some(())
    }

    /// Joins what waits into a batch.
    fn batch(&mut self, first: Message, message: &Receiver<Message>) -> Batch {
        let mut parcel = Parcel::new(self.outbox.last + 1);
        let (mut messages, mut bytes) = (Vec::new(), 0);
        for msg in iter::once(first).chain(message.try_iter()) {
            bytes += size(&msg);
            messages.extend(self.pack(msg, &mut parcel));
            if bytes >= FULL || messages.len() >= MOST_MESSAGES {
                break;
            }
        }
        let (n, count) = (parcel.n, parcel.count);
        self.outbox.push(parcel);
        Batch { n, count, messages }
    }

    /// Adds what the others are to know of a message, and returns what this server's users get.
    fn pack(&mut self, msg: Message, parcel: &mut Parcel) -> Option<Message> {
        match msg {
            Message::Login(id, queue, line) => {
                let clnt = self.shared.online_map.get(id);
                let clnt = clnt.unwrap_or_else(|| Client::new(queue.conn.addr().to_string()));
                self.here.insert(id);
                parcel.users.push((id, Some(clnt)));
                if let Some(line) = &line {
                    parcel.push(Kind::Joined, line);
                }
                Some(Message::Login(id, queue, line))
            }
            // FanOut drops what a client says that has left. Decided here, because every server is to show
            // the same.
            Message::Said(id, _) if !self.here.contains(&id) => None,
            Message::Said(_, line) => {
                parcel.push(Kind::Said, &line);
                Some(Message::Told(Kind::Said, line))
            }
            Message::Leave(id, Some(line)) => {
                self.here.remove(&id);
                parcel.users.push((id, None));
                parcel.push(Kind::Left, &line);
                Some(Message::Leave(id, Some(line)))
            }
            // The server stops: the goodbye takes all of its users off.
            Message::Leave(..) | Message::Told(..) | Message::To(Recipient::Here(_), _) => {
                Some(msg)
            }
            Message::To(Recipient::There(to), line) => {
                parcel.push_private(&to, &line);
                None
            }
        }
    }

    /// Sends all that the engine has not got, or has lost.
    fn publish(&mut self) -> Option<()> {
        let shared = self.shared;
        while let Some(parcel) = self.outbox.next() {
            let n = parcel.n;
            let mut call = shared.room.call(&shared.room.batch);
            call.arg(parcel.n).arg(KEPT).arg(parcel.count);
            call.arg(&parcel.lines);
            for (id, clnt) in &parcel.users {
                call.arg(id)
                    .arg(clnt.as_ref().map(client_text).unwrap_or_default());
            }
            let answer = |con: &mut _| invoke(&shared.room.batch, &call, con);
            let (what, _): (String, u64) = self.link.persist(answer)?;
            match &what[..] {
                "new" | "again" => self.outbox.taken = n,
                _ => self.join()?,
            }
            // What it has got from others, it may have got without the users who came and went.
            if self.joined != self.link.run {
                self.join()?;
            }
            if Instant::now() >= self.next_beat {
                self.beat()?;
            }
        }
        Some(())
    }

    /// Sends a heartbeat, which also removes users of servers that are dead.
    fn beat(&mut self) -> Option<()> {
        let (what, users, more) = self.call_beat(false)?;
        self.next_beat = Instant::now() + if more { PAUSE } else { BEAT };
        self.shared.users.store(users, Relaxed);
        let other = self.joined != self.link.run;
        if what != "ok" || other || self.shared.claims.is_in_doubt() {
            self.join()?;
        }
        Some(())
    }

    /// The others see the users of this server leave. Returns whether there are more of them.
    fn goodbye(&mut self) -> Option<bool> {
        if is_closed(self.link.stopping) && self.shared.contact.is_cut_off() {
            return None;
        }
        let (_, _, more) = self.call_beat(true)?;
        Some(more)
    }

    fn call_beat(&mut self, goodbye: bool) -> Option<(String, usize, bool)> {
        let shared = self.shared;
        let mut call = shared.room.call(&shared.room.beat);
        call.arg(LEASE.as_millis() as u64).arg(KEPT);
        call.arg(self.outbox.taken).arg(shared.claims.granted());
        call.arg(TAKEN_OFF).arg(u8::from(goodbye));
        self.link
            .persist(|con| invoke(&shared.room.beat, &call, con))
    }
}

/// How many bytes of text a message has.
fn size(msg: &Message) -> usize {
    match msg {
        Message::Login(_, _, line) | Message::Leave(_, line) => line.as_ref().map_or(0, Vec::len),
        Message::Said(_, line) | Message::Told(_, line) | Message::To(_, line) => line.len(),
    }
}
