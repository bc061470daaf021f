//! The protocols as clients see them: in the chat, lines, and the line by which a client sees that it is in.

use std::io::BufRead;
use std::net::SocketAddr;

/// What the room says of a client that has come in.
pub const LOGIN: &[u8] = b"login!!!";

/// The protocol of a server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Protocol {
    /// The chat room.
    Chat,
    /// The upper-casing echo.
    Echo,
}

impl Protocol {
    /// Whether a client sees by this line that it is in: its own login in the chat, and the answer to
    /// `x` in the echo.
    pub fn is_welcome(self, line: &[u8], prefix: &[u8]) -> bool {
        match self {
            Protocol::Chat => line.strip_prefix(prefix) == Some(LOGIN),
            Protocol::Echo => line == b"X",
        }
    }
}

/// The longest line that is kept while its end has not come. What is longer is no line of the room.
const LONGEST_LINE: usize = 64 * 1024;

/// Cuts what is read into lines, in whatever pieces it comes.
#[derive(Debug, Default)]
pub struct Lines {
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
}

impl Lines {
    /// Gives each whole line to `each`, without its `\r\n` or `\n`, and keeps the rest.
    pub fn cut(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            let mut rest = bytes;
            // std's search for a byte is the C library's memchr here: many bytes a step.
            let n = rest.skip_until(b'\n').expect("a slice can be read");
            let piece = &bytes[..n];
            bytes = rest;
            match (self.begun.is_empty(), piece.ends_with(b"\n")) {
                (true, true) => each(trim(piece)),
                (_, false) => {
                    if self.begun.len() < LONGEST_LINE {
                        self.begun.extend_from_slice(piece);
                    }
                }
                (false, true) => {
                    self.begun.extend_from_slice(piece);
                    each(trim(&self.begun));
                    self.begun.clear();
                }
            }
        }
    }
}

fn trim(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What stands before the text of a client that has not renamed itself.
pub fn prefix(addr: SocketAddr) -> Vec<u8> {
    format!("[{addr}]{addr}: ").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_in_whatever_pieces_they_come() {
        let text = b"[1.2.3.4:5]a: one\r\n\r\ntwo\n[1.2.3.4:5]a: three\r\n";
        let expected = ["[1.2.3.4:5]a: one", "", "two", "[1.2.3.4:5]a: three"];
        for size in 1..=text.len() {
            let mut lines = Lines::default();
            let mut got = Vec::new();
            for piece in text.chunks(size) {
                lines.cut(piece, |line| {
                    got.push(String::from_utf8_lossy(line).into_owned())
                });
            }
            assert_eq!(got, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn endless_line_takes_bounded_memory() {
        let mut lines = Lines::default();
        for _ in 0..1000 {
            lines.cut(&[b'x'; 4096], |_| panic!("there was no line"));
        }
        assert!(
            lines.begun.len() <= LONGEST_LINE + 4096,
            "{} kept",
            lines.begun.len()
        );
    }

    #[test]
    fn the_login_line_is_as_the_room_writes_it() {
        let prefix = prefix("127.0.0.1:40000".parse().unwrap());
        let is_login = |line: &str| Protocol::Chat.is_welcome(line.as_bytes(), &prefix);
        assert!(is_login("[127.0.0.1:40000]127.0.0.1:40000: login!!!"));
        assert!(!is_login("[127.0.0.1:40001]127.0.0.1:40001: login!!!"));
        assert!(!is_login("[127.0.0.1:40000]127.0.0.1:40000: logout"));
    }
}
