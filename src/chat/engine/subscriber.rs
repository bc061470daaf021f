//! From the engine to everyone on this server: what all servers say, in the one order of the stream.
//!
//! What this server itself has said comes back too. Then `sent` has the messages themselves, in which there
//! is more than lines: a newcomer's queue is among them.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use log::warn;

use super::connection::PATIENCE;
use super::contact::tell;
use super::history::{History, counts, last_trimmed};
use super::link::Link;
use super::publisher::Batch;
use super::record::{Line, Record};
use super::shared::Shared;
use crate::chat::message::{Kind, Message, Recipient};
use crate::server::shutdown::is_closed;

/// How long one read of the stream waits for records.
const LOOK: Duration = Duration::from_millis(500);

/// The same during shutdown.
const LAST_LOOKS: Duration = Duration::from_millis(20);

/// Brings what comes from the engine to everyone. Returns when `publisher` has returned and all that it had
/// sent has come back, or when the server is to stop and the engine does not answer.
pub fn subscriber(
    shared: &Shared,
    link: Link<'_>,
    history: History,
    earlier: usize,
    sent: &Receiver<Batch>,
) {
    let said = link.said;
    let mut subscriber = Subscriber {
        shared,
        link,
        history,
        said,
        sent,
        held: None,
    };
    subscriber.recall(earlier).and_then(|()| subscriber.run());
    // Publisher may still have something to put there.
    for _ in sent {}
}

struct Subscriber<'a> {
    shared: &'a Shared,
    link: Link<'a>,
    history: History,
    said: &'a Sender<Message>,
    sent: &'a Receiver<Batch>,
    /// The next batch, once it was taken from `sent` too early.
    held: Option<Batch>,
}

impl Subscriber<'_> {
    /// Hands on the last lines that were said before this server began to read.
    fn recall(&mut self, count: usize) -> Option<()> {
        let (room, history) = (&self.shared.room, &self.history);
        let records = self.link.persist(|con| history.earlier(room, con, count))?;
        let all = records.iter().flat_map(Record::lines);
        let lines = all.filter_map(|line| match line {
            Line::All(_, text) => Some(text),
            Line::One(..) => None,
        });
        let lines: Vec<_> = lines.collect();
        for line in lines.into_iter().rev().take(count).rev() {
            self.said.send(Message::Told(Kind::Said, line)).ok();
        }
        Some(())
    }

    fn run(&mut self) -> Option<()> {
        // Whether the engine may have another past by now: this connection is new, or nothing came.
        let mut unsure = true;
        // When a batch has come back last, or the server was not to stop yet.
        let (mut back, mut since) = (0, Instant::now());
        loop {
            let (room, history) = (&self.shared.room, &mut self.history);
            let wait = match is_closed(self.link.stopping) {
                true => LAST_LOOKS,
                false => LOOK,
            };
            let records = self.link.persist(|con| {
                if unsure {
                    history.resume(room, con)?;
                }
                unsure = true;
                history.read(room, con, wait.as_millis())
            })?;
            unsure = records.is_empty();
            for record in records {
                let missing = self.history.missing(&record);
                if missing > 0 {
                    self.find_trimmed(missing, &record)?;
                }
                if self.history.is_new(&record, room) {
                    self.hand_on(&record);
                }
                self.history.take(record);
            }
            if unsure {
                self.find_trimmed_at_the_end()?;
            }
            let now_back = self.shared.back.load(Relaxed);
            if back != now_back || !is_closed(self.link.stopping) {
                (back, since) = (now_back, Instant::now());
            }
            // What the engine has lost does not come back, if publisher cannot send it again.
            if self.has_ended() || since.elapsed() > PATIENCE {
                return None;
            }
        }
    }

    /// Hands a record's messages to everyone.
    fn hand_on(&mut self, record: &Record) {
        let own = &self.shared.room.server;
        if record.server == own.as_bytes() {
            self.hand_on_own(record.n);
            return;
        }
        for line in record.lines() {
            let msg = match line {
                Line::All(kind, text) => Message::Told(kind, text),
                Line::One(server, id, text) if server == own.as_bytes() => {
                    Message::To(Recipient::Here(id), text)
                }
                Line::One(..) => continue,
            };
            self.said.send(msg).ok();
        }
    }

    /// Hands on what this server has said itself, up to this batch. Returns how many messages that were.
    fn hand_on_own(&mut self, n: u64) -> u64 {
        let mut count = 0;
        while let Some(batch) = self.held.take().or_else(|| self.sent.try_recv().ok()) {
            if batch.n > n {
                self.held = Some(batch);
                break;
            }
            count += batch.count;
            for msg in batch.messages {
                self.said.send(msg).ok();
            }
            self.shared.back.store(batch.n, Relaxed);
        }
        count
    }

    /// When the stream has lost messages in front of a record before this server has read them. Its own are
    /// known, and publisher waits for them to come back.
    fn find_trimmed(&mut self, missing: u64, record: &Record) -> Option<()> {
        let (room, back) = (&self.shared.room, self.shared.back.load(Relaxed));
        let own = self
            .link
            .persist(|con| last_trimmed(room, con, record, back))?;
        self.miss(missing, own);
        Some(())
    }

    /// When nothing comes, because what came was trimmed.
    fn find_trimmed_at_the_end(&mut self) -> Option<()> {
        let (room, history) = (&self.shared.room, &self.history);
        let (next, own, is_end) = self.link.persist(|con| {
            // In this order: what is counted is in the stream by then, or not any more.
            let (next, own) = counts(room, con)?;
            Ok((next, own, history.read(room, con, 0)?.is_empty()))
        })?;
        if is_end {
            let missing = next.saturating_sub(self.history.next.unwrap_or(next));
            if missing > 0 {
                self.miss(missing, own);
            }
            self.history.next = Some(next);
        }
        Some(())
    }

    /// Hands on its own messages, up to this batch, and tells users how many others there were.
    fn miss(&mut self, missing: u64, own: u64) {
        let missed = missing.saturating_sub(self.hand_on_own(own));
        if missed > 0 {
            warn!("{missed} messages of other servers were not in the engine any more");
            let line = format!("[room]: {missed} messages of the other servers were missed");
            tell(self.said, line.as_bytes());
        }
    }

    /// Whether publisher has returned, and everything has come back.
    fn has_ended(&mut self) -> bool {
        if self.held.is_none() {
            match self.sent.try_recv() {
                Ok(batch) => self.held = Some(batch),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return true,
            }
        }
        false
    }
}
