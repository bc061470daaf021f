//! How far this server has read, and what it does when the engine's past is not the one that it has read.
//!
//! Every record is handed on once. Three things stand against that: an engine that was switched to a replica
//! may have lost the last records, or have other ones instead; a batch may be in the stream a second time
//! then; and records are gone that were trimmed before this server has read them.

use std::collections::{HashMap, HashSet, VecDeque};

use log::warn;
use redis::{RedisResult, Value};

use super::connection::Connection;
use super::record::Record;
use super::room::{KEPT, Room};
use crate::chat::beyond::HISTORY_BYTES;

/// Records in one answer at most. One has some 20 KiB.
const COUNT: usize = 64;

/// Records that are remembered: more than there are in the stream, which is trimmed a little late.
const REMEMBERED: usize = KEPT + 2_000;

/// What this server has read.
pub struct History {
    /// The ID of the last record that was handed on.
    pub last: String,
    /// The number of the message that comes next, unless nothing was read yet.
    pub next: Option<u64>,
    /// The marks of the last records.
    marks: VecDeque<u64>,
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
            batches: HashMap::new(),
            count: 0,
        };
        for record in Record::all(end.query(con)?) {
            history.remember(&record);
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

    /// Takes a record as read. Returns whether it is to be handed on.
    pub fn take(&mut self, record: &Record, own: &str) -> bool {
        self.remember(record);
        if self.count.is_multiple_of(KEPT) {
            let old = self.count.saturating_sub(2 * KEPT);
            self.batches.retain(|_, (_, at)| *at > old);
        }
        // What no server has said has no number. What this server has said is in `sent` once.
        if record.n == 0 || record.server == own.as_bytes() {
            return true;
        }
        let server = self.batches.entry(record.server.clone());
        let (n, at) = server.or_default();
        *at = self.count;
        let is_new = record.n > *n;
        *n = record.n.max(*n);
        is_new
    }

    fn remember(&mut self, record: &Record) {
        self.count += 1;
        self.last.clone_from(&record.id);
        self.next = Some(record.first + record.count());
        if self.marks.len() == REMEMBERED {
            self.marks.pop_front();
        }
        self.marks.push_back(record.mark());
    }

    /// How many messages are missing in front of a record.
    pub fn missing(&self, record: &Record) -> u64 {
        let next = self.next.unwrap_or(record.first);
        if record.first < next {
            let again = record.first;
            warn!("the engine has lost messages: it counts {again} after {next}");
        }
        record.first.saturating_sub(next)
    }

    /// On a new connection: goes on after the last record, unless the engine does not have it; then after
    /// the newest record that it has and this server has read.
    pub fn resume(&mut self, room: &Room, con: &mut Connection) -> RedisResult<()> {
        let Some(mark) = self.marks.back() else {
            return Ok(());
        };
        let mut same = redis::cmd("XRANGE");
        same.arg(room.log()).arg(&self.last).arg(&self.last);
        let same = Record::all(same.query(con)?);
        if same.iter().any(|record| record.mark() == *mark) {
            return Ok(());
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
                self.next = Some(record.first + record.count());
                return Ok(());
            }
            match records.last() {
                Some(record) => from = format!("({}", record.id),
                None => {
                    // All that it has is new: it has lost everything, or what was read is trimmed.
                    self.last = "0-0".to_owned();
                    return Ok(());
                }
            }
        }
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
