//! Cutting what was read from a socket into messages.

use std::borrow::Cow;

use crate::chat::rate_limit::{Pace, Rate};
use crate::server::conn::Conn;

/// Longest message in bytes, which is the size of the buffer that one read fills, as in Go.
pub const LONGEST: usize = 4096;

/// Cuts one read into messages, one a line: at `\n` or `\r\n`, cleaned, without the empty ones.
/// An unterminated rest is a message too, so that a client that sends no line ends is understood.
pub fn messages(read: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    read.split(|&byte| byte == b'\n')
        .map(clean)
        .filter(|message| !message.is_empty())
}

/// How many bytes of a read are whole lines, or may be cut where they end. Where a full buffer cuts a
/// line in two, its first half is not among them: it belongs in front of the next read.
pub fn whole(read: &[u8]) -> usize {
    match read.iter().rposition(|&byte| byte == b'\n') {
        Some(end) if read.len() == LONGEST => end + 1,
        _ => read.len(),
    }
}

/// What one client says, one message after the other.
pub struct Messages<'a> {
    conn: &'a Conn,
    pace: Pace,
    buf: Vec<u8>,
    /// What of `buf` is still to be cut: up to `whole` now, the rest with the next read.
    start: usize,
    whole: usize,
    end: usize,
}

impl Messages<'_> {
    /// Holds the client to `rate`.
    pub fn new(conn: &Conn, rate: Option<Rate>) -> Messages<'_> {
        Messages {
            conn,
            pace: Pace::new(rate, std::time::Instant::now()),
            buf: vec![0; LONGEST],
            start: 0,
            whole: 0,
            end: 0,
        }
    }

    /// The next message, or none when the client has gone.
    pub fn read(&mut self) -> Option<Cow<'_, [u8]>> {
        let line = loop {
            if self.start == self.whole && !self.fill() {
                return None;
            }
            let rest = &self.buf[self.start..self.whole];
            let length = rest
                .iter()
                .position(|&byte| byte == b'\n')
                .unwrap_or(rest.len());
            let line = self.start..self.start + length;
            self.start = self.whole.min(line.end + 1);
            if !self.buf[line.clone()].iter().all(is_control) {
                break line;
            }
        };
        self.pace
            .wait(self.conn.closed())
            .then(|| clean(&self.buf[line]))
    }

    fn fill(&mut self) -> bool {
        self.buf.copy_within(self.start..self.end, 0);
        let held = self.end - self.start;
        let n = self.conn.read(&mut self.buf[held..]).unwrap_or(0);
        (self.start, self.end) = (0, held + n);
        self.whole = whole(&self.buf[..self.end]);
        self.end > 0
    }
}

/// Drops control bytes (0x00 to 0x1F but tab, and 0x7F), with which one user could repaint
/// another's terminal or forge lines. Everything else passes as it is, UTF-8 or not.
pub fn clean(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.iter().any(is_control) {
        Cow::Owned(
            bytes
                .iter()
                .copied()
                .filter(|byte| !is_control(byte))
                .collect(),
        )
    } else {
        Cow::Borrowed(bytes)
    }
}

fn is_control(byte: &u8) -> bool {
    byte.is_ascii_control() && *byte != b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(read: &[u8]) -> Vec<String> {
        messages(read)
            .map(|message| String::from_utf8_lossy(&message).into_owned())
            .collect()
    }

    #[test]
    fn one_read_is_one_message_a_line() {
        assert_eq!(cut(b"hello"), ["hello"]);
        assert_eq!(cut(b"hello\n"), ["hello"]);
        assert_eq!(cut(b"one\r\ntwo\nthree"), ["one", "two", "three"]);
        assert_eq!(cut(b"\n\r\n\n"), [""; 0]);
        assert_eq!(cut(b"  spaces stay \t\n"), ["  spaces stay \t"]);
    }

    #[test]
    fn a_full_buffer_keeps_back_the_line_that_it_cuts() {
        let full = |text: &str| [b"\n".repeat(LONGEST - text.len()), text.into()].concat();
        assert_eq!(whole(b"one\ntwo"), 7);
        assert_eq!(whole(&full("two")), LONGEST - 3);
        assert_eq!(whole(&full("two\n")), LONGEST);
        // A client that sends no line ends, or a line longer than the longest.
        assert_eq!(whole(&[b'x'; LONGEST]), LONGEST);
    }

    #[test]
    fn control_bytes_cannot_pass() {
        assert_eq!(cut(b"\x1b[2Jgone\x07\x7f"), ["[2Jgone"]);
        assert_eq!(cut(b"hi\r[1.2.3.4:5]root: hi"), ["hi[1.2.3.4:5]root: hi"]);
        assert_eq!(cut(b"\x00\x01"), [""; 0]);
    }

    #[test]
    fn bytes_that_are_not_utf8_pass() {
        let got: Vec<_> = messages(b"\xff\xfe\n\xe4").collect();
        assert_eq!(got, [&b"\xff\xfe"[..], b"\xe4"]);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_split_come_out_whole_and_clean(
            reads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..16),
        ) {
            let mut out = Vec::new();
            for read in &reads {
                for message in messages(read) {
                    prop_assert!(!message.is_empty());
                    prop_assert!(!message.iter().any(is_control), "{message:?} holds a control byte");
                    out.extend_from_slice(&message);
                }
            }
            let whole: Vec<u8> = reads.concat();
            let want = clean(&whole).into_owned();
            prop_assert_eq!(out, want);
        }

        #[test]
        fn cleaning_twice_changes_nothing(bytes: Vec<u8>) {
            let once = clean(&bytes).into_owned();
            prop_assert_eq!(&clean(&once)[..], &once[..]);
        }
    }
}
