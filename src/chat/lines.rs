//! From the bytes that a client sends to the messages that it means.
//!
//! A line ends at a newline, at a carriage return (alone, or with the newline or the NUL that telnet puts
//! after it), and at the end of the input. It is at most [`LONGEST`] bytes long: the rest of a longer one is
//! a message of its own.
//!
//! What comes without a line end depends on the client:
//! - One that has sent a newline before sends lines. The rest of a read waits for its newline.
//! - One that has sent none sends messages as the course's client may: each read is one. Only a UTF-8
//!   character that is cut off at its end waits for the next read, for `PATIENCE`, and only behind valid
//!   UTF-8, so that GBK passes as it is.
//! - One that has ended lines with carriage returns alone may be a terminal that sends each key by itself.
//!   The rest of a read waits for its end, for `PATIENCE`.

use std::io::ErrorKind;
use std::ops::{Deref, Range};
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::chat::rate_limit::{Rate, RateLimiter};
use crate::chat::telnet::{Telnet, WONT_TIMING_MARK};
use crate::server::conn::Conn;
pub use crate::text::clean;
use crate::text::clean_in_place;

/// Longest message in bytes, which is the size of the buffer that one read fills, as in Go.
pub const LONGEST: usize = 4096;

/// How long the rest of a read waits for its other half if the client need not send one.
const PATIENCE: Duration = Duration::from_secs(1);

/// Some editors put it at the start of a file, and PowerShell at the start of what it pipes.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One message.
#[derive(Debug, PartialEq)]
pub struct Line<'a> {
    text: &'a [u8],
    starts_a_line: bool,
}

impl Line<'_> {
    /// The message as a command to the room. The rest of a line that was too long is none: only text.
    pub fn command(&self) -> &[u8] {
        match self.starts_a_line {
            true => self.text,
            false => b"",
        }
    }
}

impl Deref for Line<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.text
    }
}

/// What one client says, one message after the other.
pub struct Messages<'a> {
    conn: &'a Conn,
    limiter: RateLimiter,
    lines: Lines,
}

impl Messages<'_> {
    /// Limits the client to `rate`.
    pub fn new(conn: &Conn, rate: Option<Rate>) -> Messages<'_> {
        // Go: does not receive a byte that is sent as urgent, as telnet sends half of a command. Ours receives
        // it in its place.
        let _ = SockRef::from(conn.stream()).set_out_of_band_inline(true);
        Messages {
            conn,
            limiter: RateLimiter::new(rate, Instant::now()),
            lines: Lines::default(),
        }
    }

    /// The next message, or none when the client has gone.
    pub fn read(&mut self) -> Option<Line<'_>> {
        let found = loop {
            if self.conn.has_stopped_reading() {
                return None;
            }
            if let Some(found) = self.lines.find() {
                break found;
            }
            if !self.fill() {
                return None;
            }
        };
        self.conn.set_part_came(false);
        self.limiter
            .wait(self.conn.closed())
            .then(|| self.lines.get(found))
    }

    /// Reads more; false if that and what was held back is over.
    fn fill(&mut self) -> bool {
        let for_a_while = self.lines.held() == Held::ForAWhile;
        if for_a_while {
            let _ = self.conn.stream().set_read_timeout(Some(PATIENCE));
        }
        self.conn.set_in_hand(false);
        let read = self.conn.read(self.lines.space());
        if for_a_while {
            let _ = self.conn.stream().set_read_timeout(None);
        }
        match read {
            Ok(n @ 1..) => {
                let came = self.lines.take(n);
                if came.text {
                    self.conn.set_in_hand(true);
                    self.conn.set_part_came(came.in_part);
                }
                if came.timing_marks > 0 {
                    let _ = self.conn.write(&WONT_TIMING_MARK.repeat(came.timing_marks));
                }
                true
            }
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.lines.release();
                true
            }
            Ok(0) | Err(_) => self.lines.release(),
        }
    }
}

/// Cuts what one client sends into messages.
#[derive(Debug)]
pub struct Lines {
    /// Up to `whole` it can be cut now, and up to `end` it is held back.
    buf: Vec<u8>,
    start: usize,
    whole: usize,
    end: usize,
    telnet: Telnet,
    line_end: LineEnd,
    at_first: bool,
    starts_a_line: bool,
    /// Whether the line goes on after `whole`.
    goes_on: bool,
}

/// What the client has ended lines with so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LineEnd {
    Nothing,
    CarriageReturn,
    Newline,
}

/// What has come with one read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Came {
    /// Something to say: telnet commands, line ends and control characters are nothing.
    pub text: bool,
    /// Nothing that can be cut yet.
    pub in_part: bool,
    /// How many timing marks the client asks for.
    pub timing_marks: usize,
}

/// How long the rest of the last read waits for the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Held {
    /// There is no rest.
    Nothing,
    /// For [`PATIENCE`].
    ForAWhile,
    /// Until it comes.
    UntilItsEnd,
}

/// Where a message is in the buffer.
#[derive(Debug)]
pub struct Found {
    text: Range<usize>,
    starts_a_line: bool,
}

impl Default for Lines {
    fn default() -> Lines {
        Lines {
            buf: vec![0; LONGEST],
            start: 0,
            whole: 0,
            end: 0,
            telnet: Telnet::default(),
            line_end: LineEnd::Nothing,
            at_first: true,
            starts_a_line: true,
            goes_on: false,
        }
    }
}

impl Lines {
    /// Where the next read goes: at least one byte.
    pub fn space(&mut self) -> &mut [u8] {
        self.buf.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        (self.start, self.whole) = (0, 0);
        &mut self.buf[self.end..]
    }

    /// Takes in what was read into the first `n` bytes of [`Lines::space`].
    pub fn take(&mut self, n: usize) -> Came {
        // Go: telnet commands are part of a message, and each telnet in the room obeys them. Ours drops them.
        let (n, timing_marks) = self.telnet.remove(&mut self.buf[self.end..self.end + n]);
        let came = self.end..self.end + n;
        if n > 0 {
            self.end = came.end;
            self.cut(came.clone());
        }
        let text = self.buf[came].iter().any(|byte| !byte.is_ascii_control());
        Came {
            text,
            in_part: self.whole == 0,
            timing_marks,
        }
    }

    /// Decides what of the buffer can be cut now.
    fn cut(&mut self, came: Range<usize>) {
        let new = &self.buf[came.clone()];
        // What was held back has no line end.
        let last = new.iter().rposition(is_line_end);
        let rest = last.map_or(0, |last| came.start + last + 1)..self.end;
        self.line_end = self.line_end.max(match last {
            _ if new.contains(&b'\n') => LineEnd::Newline,
            Some(_) => LineEnd::CarriageReturn,
            None => LineEnd::Nothing,
        });
        let full = self.end == LONGEST && rest.start == 0;
        let rest = &self.buf[rest];
        let held = match self.line_end {
            // Go: cuts a message where its buffer of 4096 bytes ends. Ours cuts before a character.
            LineEnd::Newline | LineEnd::CarriageReturn if full => cut_off(last_bytes(rest)),
            LineEnd::Newline | LineEnd::CarriageReturn => rest.len(),
            // Go: sends half a character if a read ends there. Ours waits a second for the other half.
            LineEnd::Nothing => cut_off(rest),
        };
        self.whole = self.end - held;
        self.goes_on = held > 0 || full;
    }

    /// How long what is in the buffer waits for more.
    pub fn held(&self) -> Held {
        match self.line_end {
            _ if self.start == self.end => Held::Nothing,
            LineEnd::Newline => Held::UntilItsEnd,
            LineEnd::Nothing | LineEnd::CarriageReturn => Held::ForAWhile,
        }
    }

    /// Makes a message of what is held back; false if nothing is.
    pub fn release(&mut self) -> bool {
        self.whole = self.end;
        self.goes_on = false;
        self.start < self.end
    }

    /// The next message, if one can be cut. Empty lines are none.
    pub fn find(&mut self) -> Option<Found> {
        if self.at_first && self.whole > 0 {
            self.at_first = false;
            // Go: a byte-order mark is part of the first message, so that `who` is none. Ours drops it.
            if self.buf[..self.whole].starts_with(BYTE_ORDER_MARK) {
                self.start = BYTE_ORDER_MARK.len();
            }
        }
        while self.start < self.whole {
            let rest = &self.buf[self.start..self.whole];
            let length = rest.iter().position(is_line_end);
            let end = length.map_or(self.whole, |length| self.start + length);
            let line = self.start..end;
            self.start = self.whole.min(end + 1);
            let starts_a_line = self.starts_a_line;
            self.starts_a_line = length.is_some() || !self.goes_on;
            // Go: passes control characters on. Ours drops those that could forge a line, repaint another
            // user's terminal, or show text in another order.
            let length = clean_in_place(&mut self.buf[line.clone()]);
            if length > 0 {
                return Some(Found {
                    text: line.start..line.start + length,
                    starts_a_line,
                });
            }
        }
        None
    }

    /// The message at a place that [`Lines::find`] has returned last.
    pub fn get(&self, found: Found) -> Line<'_> {
        Line {
            text: &self.buf[found.text],
            starts_a_line: found.starts_a_line,
        }
    }
}

// Go: passes a carriage return on, and what follows it can overwrite the sender's name on a terminal. In ours
// it ends a line.
fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The length of a UTF-8 character that is cut off at the end of otherwise valid UTF-8, or 0.
fn cut_off(text: &[u8]) -> usize {
    match str::from_utf8(text) {
        Err(err) if err.error_len().is_none() => text.len() - err.valid_up_to(),
        _ => 0,
    }
}

/// The end of a text from the start of a character on: enough to see whether its last one is cut off.
fn last_bytes(text: &[u8]) -> &[u8] {
    let start = text.len().saturating_sub(8);
    let is_start = |byte: &u8| *byte & 0xc0 != 0x80;
    let first = text[start..].iter().position(is_start);
    &text[start + first.unwrap_or(0)..]
}

#[cfg(test)]
mod tests;
