//! How far this server has read, and how it recovers if the engine has lost records.
//!
//! Every record is handed on once, in one order. An engine that was killed, or a replica that took over, may have
//! lost the last records, though some servers have read them. Those servers restore them first, each to its place,
//! so that the other servers get them too and the order stays. A server that has read a restored record ignores it
//! the second time. Records that were trimmed before this server has read them are gone.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use log::warn;
use redis::{Connection, RedisResult, Value};

use super::record::Record;
use super::room::{KEPT, Room, invoke};
use crate::chat::history::HISTORY_BYTES;

/// Records in one answer at most. One has some 20 KiB.
const COUNT: usize = 64;

/// Records that are remembered by their marks: more than there are in the stream, which is trimmed a little late.
const REMEMBERED: usize = KEPT + 2_000;

/// Maximum size of the records that are kept to restore them to an engine that has lost them, in bytes.
const RING: usize = 2 * 1024 * 1024;

/// How long they are kept.
const RING_FOR: Duration = Duration::from_secs(10);

/// Approximate size of a record without its text, in bytes.
const OVERHEAD: usize = 128;

/// What this server has read.
pub struct History {
    /// The ID of the last record that was handed on.
    pub last: String,
    /// The number of the message that comes next, unless nothing was read yet.
    pub next: Option<u64>,
    /// The marks of the last records.
    marks: VecDeque<u64>,
    /// The last records themselves, and when they came.
    ring: VecDeque<(Instant, Record)>,
    ring_bytes: usize,
    /// The last batch of each server, and when it came, in records.
    batches: HashMap<Vec<u8>, (u64, usize)>,
    /// Records so far.
    count: usize,
}

impl History {
    /// Begins at the end of the stream.
    pub fn new(room: &Room, con: &mut Connection) -> RedisResult<History> {
        let mut end = redis::cmd("XREVRANGE");
        end.arg(room.log()).arg("+").arg("-").arg("COUNT").arg(1);
        let mut history = History {
            last: "0-0".to_owned(),
            next: None,
            marks: VecDeque::new(),
            ring: VecDeque::new(),
            ring_bytes: 0,
            batches: HashMap::new(),
            count: 0,
        };
        for record in Record::all(end.query(con)?) {
            history.take(record);
        }
        Ok(history)
    }

    /// The records after the last. Waits for one for so many milliseconds; for none, if that is 0.
    pub fn read(&self, room: &Room, con: &mut Connection, wait: u128) -> RedisResult<Vec<Record>> {
        let mut read = redis::cmd("XREAD");
        read.arg("COUNT").arg(COUNT);
        if wait > 0 {
            read.arg("BLOCK").arg(wait.to_string());
        }
        read.arg("STREAMS").arg(room.log()).arg(&self.last);
        Ok(Record::all(read.query::<Value>(con)?))
    }

    /// The records with the last `lines` lines before this server began to read, or a little more.
    pub fn earlier(
        &self,
        room: &Room,
        con: &mut Connection,
        lines: usize,
    ) -> RedisResult<Vec<Record>> {
        let mut records: Vec<Record> = Vec::new();
        let (mut from, mut found, mut bytes) = (self.last.clone(), 0, 0);
        while found < lines && bytes < HISTORY_BYTES {
            let mut back = redis::cmd("XREVRANGE");
            back.arg(room.log()).arg(&from).arg("-");
            back.arg("COUNT").arg(COUNT);
            let more = Record::all(back.query(con)?);
            let Some(oldest) = more.last() else { break };
            from = format!("({}", oldest.id);
            found += more
                .iter()
                .map(|record| record.count() as usize)
                .sum::<usize>();
            bytes += more.iter().map(Record::size).sum::<usize>();
            records.extend(more);
        }
        records.reverse();
        Ok(records)
    }

    /// Whether a record is to be handed on: it may be in the stream a second time.
    pub fn is_new(&mut self, record: &Record, room: &Room) -> bool {
        // What this server has said is in `sent` once. What no server has said has no number.
        if record.server == room.server.as_bytes() {
            return true;
        }
        if record.n == 0 {
            return !self.marks.contains(&record.mark());
        }
        let server = self.batches.entry(record.server.clone());
        let (n, at) = server.or_default();
        *at = self.count;
        let is_new = record.n > *n;
        *n = record.n.max(*n);
        is_new
    }

    /// Remembers a record as read.
    pub fn take(&mut self, record: Record) {
        self.count += 1;
        if self.count.is_multiple_of(KEPT) {
            let old = self.count.saturating_sub(2 * KEPT);
            self.batches.retain(|_, (_, at)| *at > old);
        }
        self.last.clone_from(&record.id);
        if self.marks.len() == REMEMBERED {
            self.marks.pop_front();
        }
        self.marks.push_back(record.mark());
        let Some(next) = record.next() else { return };
        self.next = Some(next);
        let now = Instant::now();
        self.ring_bytes += record.size() + OVERHEAD;
        self.ring.push_back((now, record));
        while let Some((came, oldest)) = self.ring.front()
            && (self.ring_bytes > RING || now.saturating_duration_since(*came) > RING_FOR)
        {
            self.ring_bytes -= oldest.size() + OVERHEAD;
            self.ring.pop_front();
        }
    }

    /// How many messages are missing in front of a record.
    pub fn missing(&self, record: &Record) -> u64 {
        let Some(first) = record.first else { return 0 };
        let next = self.next.unwrap_or(first);
        if first < next {
            warn!("the engine has lost messages: it counts {first} after {next}");
        }
        first.saturating_sub(next)
    }

    /// On a new connection: goes on after the last record, unless the engine does not have it; then after
    /// the newest record that it has and this server has read. Those behind it that were read here are
    /// brought back.
    pub fn resume(&mut self, room: &Room, con: &mut Connection) -> RedisResult<()> {
        let lost = self.find_lost(room, con)?;
        let mut calls = lost.chunks(COUNT);
        loop {
            let chunk = calls.next().unwrap_or_default();
            let mut call = room.call(&room.restore);
            call.arg(KEPT);
            for record in chunk {
                call.arg(&record.server).arg(record.n).arg(record.first);
                call.arg(record.count()).arg(record.text());
            }
            let _: i64 = invoke(&room.restore, &call, con)?;
            if chunk.len() < COUNT {
                return Ok(());
            }
        }
    }

    fn find_lost(&mut self, room: &Room, con: &mut Connection) -> RedisResult<Vec<Record>> {
        let Some(mark) = self.marks.back() else {
            return Ok(Vec::new());
        };
        let mut same = redis::cmd("XRANGE");
        same.arg(room.log()).arg(&self.last).arg(&self.last);
        let same = Record::all(same.query(con)?);
        if same.iter().any(|record| record.mark() == *mark) {
            return Ok(Vec::new());
        }
        let marks: HashSet<u64> = self.marks.iter().copied().collect();
        let mut from = "+".to_owned();
        loop {
            let mut back = redis::cmd("XREVRANGE");
            back.arg(room.log()).arg(&from).arg("-");
            back.arg("COUNT").arg(COUNT);
            let records = Record::all(back.query(con)?);
            if let Some(record) = records.iter().find(|record| marks.contains(&record.mark())) {
                let (last, id) = (&self.last, &record.id);
                warn!("the engine has lost the record {last}, going on after {id}");
                self.last.clone_from(id);
                self.next = record.next();
                return Ok(self.after(record.mark()));
            }
            match records.last() {
                Some(record) => from = format!("({}", record.id),
                None => {
                    // All that it has is new: it has lost everything, or what was read is trimmed.
                    self.last = "0-0".to_owned();
                    return Ok(self.after(0));
                }
            }
        }
    }

    /// The last records after the one with this mark, or all of them.
    fn after(&self, mark: u64) -> Vec<Record> {
        let records = self.ring.iter().map(|(_, record)| record);
        let known = records.clone().rposition(|record| record.mark() == mark);
        let from = known.map_or(0, |known| known + 1);
        records.skip(from).cloned().collect()
    }
}

/// The last of this server's batches that come before the record `from` and are not in the stream any more.
/// `back` is the last that was read.
pub fn last_trimmed(
    room: &Room,
    con: &mut Connection,
    from: &Record,
    back: u64,
) -> RedisResult<u64> {
    let (_, taken) = counts(room, con)?;
    let mut from = from.id.clone();
    loop {
        let mut range = redis::cmd("XRANGE");
        range.arg(room.log()).arg(&from).arg("+");
        range.arg("COUNT").arg(COUNT);
        let records = Record::all(range.query(con)?);
        let own = |record: &&Record| record.server == room.server.as_bytes() && record.n > back;
        if let Some(record) = records.iter().find(own) {
            return Ok(record.n - 1);
        }
        match records.last() {
            Some(record) => from = format!("({}", record.id),
            None => return Ok(taken),
        }
    }
}

/// The number of the next message in the room, and of the last batch of this server that the engine has had.
pub fn counts(room: &Room, con: &mut Connection) -> RedisResult<(u64, u64)> {
    let mut get = redis::cmd("HMGET");
    get.arg(room.state()).arg("#").arg(&room.server);
    let (next, taken): (Option<u64>, Option<u64>) = get.query(con)?;
    Ok((next.unwrap_or(0), taken.unwrap_or(0)))
}
