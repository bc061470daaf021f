//! The sixth stage, for which the course has no listing: private messages, `help`, `exit`, and history.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;

use crate::chat::message::{Message, Recipient};
use crate::chat::name::trim;
use crate::chat::online_map::Client;
use crate::chat::presence::Presence;
use crate::chat::queue::Batch;
use crate::server::conn::Conn;

/// Maximum size of the history in bytes, whatever `--history` says.
pub const HISTORY_BYTES: usize = 256 * 1024;

const HELP: &[u8] = b"who - list the users\r\n\
    rename|NAME - change your name\r\n\
    to|NAME|TEXT - send a private message\r\n\
    help - list the commands\r\n\
    exit - leave the room (quit does the same)\r\n\
    anything else is sent to everyone\r\n";

/// What the commands of this stage need, for one user.
pub struct Beyond<'a> {
    pub id: u64,
    pub conn: &'a Conn,
    pub presence: &'a Presence,
    pub message: &'a Sender<Message>,
}

impl Beyond<'_> {
    /// Runs a command of this stage. Returns false if it is not one.
    pub fn obeys(&self, clnt: &Client, command: &[u8]) -> bool {
        match command {
            b"help" => {
                self.conn.write(HELP).ok();
            }
            b"exit" | b"quit" => self.conn.stop_reading(),
            _ => match command.strip_prefix(b"to|") {
                Some(rest) => self.tell(clnt, rest),
                None => return false,
            },
        }
        true
    }

    /// `NAME|TEXT` goes to the user of that name, and back to the speaker.
    fn tell(&self, clnt: &Client, rest: &[u8]) {
        let (name, text) = match rest.iter().position(|&byte| byte == b'|') {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, &b""[..]),
        };
        let refusal = match self.presence.find(trim(name)) {
            Err(refusal) => refusal,
            Ok(_) if text.trim_ascii().is_empty() => "to failed: the text is empty\r\n",
            Ok((to, user)) => {
                let own = Recipient::Here(self.id);
                // One after the other: a user may write to themselves, and the name has a lock.
                let mut line = [b"[", clnt.addr.as_bytes(), b"]", &clnt.name()].concat();
                line.extend([b" -> ", &user.name()[..], b": ", text].concat());
                if to != own {
                    self.message.send(Message::To(to, line.clone())).ok();
                }
                self.message.send(Message::To(own, line)).ok();
                return;
            }
        };
        self.conn.write(refusal.as_bytes()).ok();
    }
}

/// The line for a client that is disconnected because it sent nothing.
pub fn farewell(id: u64, timeout: Duration) -> Message {
    let line = format!("disconnected: you sent nothing for {timeout:?}");
    Message::To(Recipient::Here(id), line.into_bytes())
}

/// The last lines that were sent to everyone, for clients that connect later.
pub struct History {
    most: usize,
    bytes: usize,
    lines: VecDeque<Vec<u8>>,
    /// The lines in the form in which they are sent, until a new line is recorded.
    batch: Option<Arc<Batch>>,
}

impl History {
    /// Keeps at most `most` lines and [`HISTORY_BYTES`].
    pub fn new(most: usize) -> History {
        History {
            most,
            bytes: 0,
            lines: VecDeque::new(),
            batch: None,
        }
    }

    /// Adds a line.
    pub fn record(&mut self, line: &[u8]) {
        if self.most == 0 {
            return;
        }
        self.batch = None;
        self.bytes += line.len();
        self.lines.push_back(line.to_vec());
        while self.lines.len() > self.most || self.bytes > HISTORY_BYTES {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.len();
        }
    }

    /// The lines for a newcomer, each marked; all who come before the next line share them.
    pub fn earlier(&mut self) -> Option<Arc<Batch>> {
        if self.batch.is_none() && !self.lines.is_empty() {
            let mark = |line: &Vec<u8>| [b"(earlier) ", &line[..], b"\r\n"].concat();
            let earlier: Vec<u8> = self.lines.iter().flat_map(mark).collect();
            self.batch = Some(Batch::new(&earlier).0);
        }
        self.batch.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_keeps_and_marks_the_last_lines() {
        let mut history = History::new(2);
        for line in [&b"one"[..], b"two", b"three"] {
            history.record(line);
        }
        let earlier = history.earlier().unwrap();
        assert_eq!(*earlier.bytes, *b"(earlier) two\r\n(earlier) three\r\n");
        history.record(b"four");
        let earlier = history.earlier().unwrap();
        assert_eq!(*earlier.bytes, *b"(earlier) three\r\n(earlier) four\r\n");
    }

    #[test]
    fn history_is_limited_in_bytes() {
        let mut history = History::new(1000);
        for _ in 0..1000 {
            history.record(&[b'x'; 4096]);
        }
        let kept = history.earlier().unwrap().bytes.len();
        assert!(kept <= HISTORY_BYTES + 1000 * 12, "{kept} bytes");
        assert!(kept > HISTORY_BYTES / 2, "{kept} bytes");
    }

    #[test]
    fn no_lines_are_kept_without_history() {
        let mut history = History::new(0);
        history.record(b"one");
        assert!(history.earlier().is_none());
    }
}
