//! What goes into the engine: the lines of a batch, and the records that come back.
//!
//! A record has the fields `s` (server), `n` (number of the batch on that server, 0 for what no server said),
//! `g` (number of its first message in the room) and `l` (lines). Every line begins with one byte that says
//! what it is, and ends with `\r\n`.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::Instant;

use redis::Value;

use crate::chat::lines::LONGEST;
use crate::chat::message::Kind;
use crate::chat::online_map::Client;
use crate::text::clean;

/// A header, `[address]name: `, has at most so many bytes.
const HEADER: usize = 256;

const SAID: u8 = b'=';
const JOINED: u8 = b'+';
const LEFT: u8 = b'-';
/// A line for one user: `>SERVER/ID|` is in front of its text.
const PRIVATE: u8 = b'>';

/// Messages of this server on their way to the engine.
pub struct Parcel {
    /// Number of the batch.
    pub n: u64,
    pub made: Instant,
    /// Every line, with its end.
    pub lines: Vec<u8>,
    /// How many lines there are.
    pub count: u64,
    /// Users who come, and who go, as nothing.
    pub users: Vec<(u64, Option<Client>)>,
}

impl Parcel {
    pub fn new(n: u64) -> Parcel {
        Parcel {
            n,
            made: Instant::now(),
            lines: Vec::new(),
            count: 0,
            users: Vec::new(),
        }
    }

    /// Adds a line.
    pub fn push(&mut self, kind: Kind, text: &[u8]) {
        let kind = match kind {
            Kind::Said => SAID,
            Kind::Joined => JOINED,
            Kind::Left => LEFT,
        };
        self.lines.push(kind);
        self.lines.extend_from_slice(text);
        self.lines.extend_from_slice(b"\r\n");
        self.count += 1;
    }

    /// Adds a line for one user of another server.
    pub fn push_private(&mut self, to: &str, text: &[u8]) {
        self.lines
            .extend([&[PRIVATE], to.as_bytes(), b"|", text, b"\r\n"].concat());
        self.count += 1;
    }

    /// Brings a list of users up to date.
    pub fn apply(&self, users: &mut BTreeMap<u64, Client>) {
        for (id, clnt) in &self.users {
            match clnt {
                Some(clnt) => users.insert(*id, clnt.clone()),
                None => users.remove(id),
            };
        }
    }
}

/// A record of the stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub id: String,
    pub server: Vec<u8>,
    pub n: u64,
    /// The number of its first message in the room. A record without one was written by another program.
    pub first: Option<u64>,
    lines: Vec<u8>,
}

/// A line of a record of another server.
#[derive(Debug, PartialEq)]
pub enum Line<'a> {
    /// For everyone.
    All(Kind, Vec<u8>),
    /// For the user `id` of the server that is named.
    One(&'a [u8], u64, Vec<u8>),
}

impl Record {
    /// The records in an answer to XREAD or XRANGE, whatever else is in it.
    pub fn all(answer: Value) -> Vec<Record> {
        let mut records = Vec::new();
        collect(answer, &mut records);
        records
    }

    fn new(id: Vec<u8>, fields: Vec<Value>) -> Option<Record> {
        let mut record = Record {
            id: String::from_utf8(id).ok()?,
            ..Record::default()
        };
        // A record that makes no sense is one too: reading goes on after it.
        let number = |text: &[u8]| str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        let mut fields = fields.into_iter();
        while let (Some(name), Some(Value::BulkString(value))) = (fields.next(), fields.next()) {
            match name {
                Value::BulkString(name) if name == b"s" => record.server = value,
                Value::BulkString(name) if name == b"n" => record.n = number(&value).unwrap_or(0),
                Value::BulkString(name) if name == b"g" => record.first = number(&value),
                Value::BulkString(name) if name == b"l" => record.lines = value,
                _ => {}
            }
        }
        Some(record)
    }

    /// How many messages it has.
    pub fn count(&self) -> u64 {
        self.lines.iter().filter(|&&byte| byte == b'\n').count() as u64
    }

    /// The number of the message after its last.
    pub fn next(&self) -> Option<u64> {
        Some(self.first?.saturating_add(self.count()))
    }

    /// Its messages, as they are in the engine.
    pub fn text(&self) -> &[u8] {
        &self.lines
    }

    /// How many bytes they are.
    pub fn size(&self) -> usize {
        self.lines.len()
    }

    /// Its messages, made harmless: another program may have written them. What is too long for a message,
    /// or of a kind that this version does not know, is not among them.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.lines.split(|&byte| byte == b'\n').filter_map(|line| {
            let (kind, line) = line.split_first()?;
            if line.len() > LONGEST + HEADER {
                return None;
            }
            let all = |kind| {
                let line = clean(line).into_owned();
                (!line.is_empty()).then_some(Line::All(kind, line))
            };
            match *kind {
                SAID => all(Kind::Said),
                JOINED => all(Kind::Joined),
                LEFT => all(Kind::Left),
                PRIVATE => private(line),
                _ => None,
            }
        })
    }

    /// What it says, as one number, almost certainly another one for every other record. A record that was
    /// brought back to the stream has a new ID, and the same mark.
    pub fn mark(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.server, self.n, self.first).hash(&mut hasher);
        if self.n == 0 {
            self.lines.hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn private(line: &[u8]) -> Option<Line<'_>> {
    let mut parts = line.splitn(2, |&byte| byte == b'|');
    let (to, text) = (parts.next()?, parts.next()?);
    let mut to = to.rsplitn(2, |&byte| byte == b'/');
    let id = str::from_utf8(to.next()?).ok()?.parse().ok()?;
    let text = clean(text).into_owned();
    (!text.is_empty()).then_some(Line::One(to.next()?, id, text))
}

/// A record is an array of an ID and an array of fields; anything else may hold some.
fn collect(value: Value, records: &mut Vec<Record>) {
    let Value::Array(mut values) = value else {
        return;
    };
    if let [Value::BulkString(id), Value::Array(fields)] = &mut values[..]
        && matches!(fields.first(), Some(Value::BulkString(_)))
    {
        records.extend(Record::new(std::mem::take(id), std::mem::take(fields)));
        return;
    }
    for value in values {
        collect(value, records);
    }
}
