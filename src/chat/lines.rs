//! Splits the bytes that a client sends into messages.
//!
//! A line ends at a newline, at a carriage return (alone, or followed by the newline or NUL that telnet adds), and at
//! the end of the input. It has at most [`LONGEST`] bytes: the rest of a longer line is a separate message.
//!
//! A read that does not end with a line end is treated according to what the client has sent before:
//! - A newline: it sends lines. The rest of the read waits for its newline.
//! - No line end: it may send messages without newlines, as a client of the course can. Each read is one message.
//!   Only an incomplete UTF-8 character at its end is held back for the next read, for one second, and only after
//!   valid UTF-8, so that GBK passes unchanged.
//! - Only carriage returns: it may be a terminal that sends each key separately. The rest of the read waits for its
//!   line end, for one second.

use std::ops::{Deref, Range};

use crate::go::utf8::cut_off;
use crate::server::telnet::Telnet;
use crate::text::clean_in_place;

/// Maximum length of a message in bytes, and the size of the read buffer, as in Go.
pub const LONGEST: usize = 4096;

/// Some editors write it at the start of a file, and PowerShell at the start of piped output.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One message.
#[derive(Debug, PartialEq)]
pub struct Line<'a> {
    text: &'a [u8],
    starts_a_line: bool,
}

impl Line<'_> {
    /// The message as a command. Empty for the rest of a line that was too long, which is only text.
    pub fn command(&self) -> &[u8] {
        if self.starts_a_line { self.text } else { b"" }
    }
}

impl Deref for Line<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.text
    }
}

/// Splits the input of one client into messages.
#[derive(Debug)]
pub struct Lines {
    /// `start..whole` can be split now, and `whole..end` is held back.
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

/// The line end that the client has used so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LineEnd {
    Nothing,
    CarriageReturn,
    Newline,
}

/// What one read contained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Received {
    /// Text or an empty line, which means more than telnet commands and control characters.
    pub is_activity: bool,
    /// How many timing marks the client asked for.
    pub timing_marks: usize,
}

/// How long the rest of the last read is held back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Held {
    /// There is no rest.
    Nothing,
    /// For one second.
    ForASecond,
    /// Until the newline arrives.
    UntilNewline,
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
    /// The buffer for the next read, at least one byte.
    pub fn space(&mut self) -> &mut [u8] {
        self.buf.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        (self.start, self.whole) = (0, 0);
        &mut self.buf[self.end..]
    }

    /// Adds the `n` bytes that were read into [`Lines::space`].
    pub fn take(&mut self, n: usize) -> Received {
        // Go: passes telnet commands on as part of a message, and other users' telnet programs execute them. Ours
        // removes them.
        let (n, timing_marks) = self.telnet.remove(&mut self.buf[self.end..self.end + n]);
        let received = self.end..self.end + n;
        if n > 0 {
            self.end = received.end;
            self.cut(received.clone());
        }
        // Go: signals `hasData` after every read, so telnet commands alone prevent the timeout. Ours does not count
        // them.
        let is_activity = |byte: &u8| !byte.is_ascii_control() || is_line_end(byte);
        Received {
            is_activity: self.buf[received].iter().any(is_activity),
            timing_marks,
        }
    }

    /// Decides how much of the buffer can be split now.
    fn cut(&mut self, received: Range<usize>) {
        let new = &self.buf[received.clone()];
        // The bytes that were held back contain no line end.
        let last = new.iter().rposition(is_line_end);
        let rest = last.map_or(0, |last| received.start + last + 1)..self.end;
        self.line_end = self.line_end.max(match last {
            _ if new.contains(&b'\n') => LineEnd::Newline,
            Some(_) => LineEnd::CarriageReturn,
            None => LineEnd::Nothing,
        });
        let full = self.end == LONGEST && rest.start == 0;
        let rest = &self.buf[rest];
        let held = match self.line_end {
            // Go: splits a message where its buffer of 4096 bytes ends, even inside a character. Ours splits
            // between characters.
            LineEnd::Newline | LineEnd::CarriageReturn if full => cut_off(last_bytes(rest)),
            LineEnd::Newline | LineEnd::CarriageReturn => rest.len(),
            // Go: sends half a character if a read ends inside it. Ours waits up to one second for the other half.
            LineEnd::Nothing => cut_off(rest),
        };
        self.whole = self.end - held;
        self.goes_on = held > 0 || full;
    }

    /// How long the bytes in the buffer are held back.
    pub fn held(&self) -> Held {
        match self.line_end {
            _ if self.start == self.end => Held::Nothing,
            LineEnd::Newline => Held::UntilNewline,
            LineEnd::Nothing | LineEnd::CarriageReturn => Held::ForASecond,
        }
    }

    /// Releases the bytes that are held back, as a message. Returns false if there are none.
    pub fn release(&mut self) -> bool {
        self.whole = self.end;
        self.goes_on = false;
        self.start < self.end
    }

    /// The next message, if there is a complete one.
    // Go: sends an empty line to everyone. Ours skips it, and only counts it as activity.
    pub fn find(&mut self) -> Option<Found> {
        if self.at_first && self.whole > 0 {
            self.at_first = false;
            // Go: a byte-order mark is part of the first message, so `who` is not recognised. Ours removes it.
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
            // Go: passes control characters on. Ours removes those that can forge a line, repaint another user's
            // terminal, or reorder text.
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

    /// The message that [`Lines::find`] found last.
    pub fn get(&self, found: Found) -> Line<'_> {
        Line {
            text: &self.buf[found.text],
            starts_a_line: found.starts_a_line,
        }
    }
}

// Go: passes a carriage return on, so the text after it can overwrite the sender's name on a terminal. In ours it
// ends a line.
fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The last bytes of a text, from the start of a character: enough to see whether the last one is incomplete.
fn last_bytes(text: &[u8]) -> &[u8] {
    let start = text.len().saturating_sub(8);
    let is_start = |byte: &u8| *byte & 0xc0 != 0x80;
    let first = text[start..].iter().position(is_start);
    &text[start + first.unwrap_or(0)..]
}

#[cfg(test)]
mod tests;
