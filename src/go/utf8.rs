//! Characters that are split across two reads.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::str;
use std::time::Duration;

use crate::go::net;

/// How long the first bytes of a character are held back for the rest.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads from a connection without splitting characters. If a read ends inside a character, the first bytes are
/// held back for the next read, for up to one second. They are held back only after valid UTF-8, so text in
/// another encoding, such as GBK, passes at once.
pub struct WholeChars<'a, R> {
    conn: &'a TcpStream,
    from: R,
    held: Vec<u8>,
}

impl<'a, R: Read> WholeChars<'a, R> {
    /// Reads through `from`, which reads from `conn`.
    pub fn new(conn: &'a TcpStream, from: R) -> Self {
        WholeChars {
            conn,
            from,
            held: Vec::new(),
        }
    }

    /// Reads once. If bytes are held back, waits at most [`PATIENCE`].
    fn fill(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.held.is_empty() {
            return net::read(&mut self.from, buf);
        }
        self.conn.set_read_timeout(Some(PATIENCE))?;
        let read = net::read(&mut self.from, buf);
        self.conn.set_read_timeout(None)?;
        match read {
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(0),
            read => read,
        }
    }
}

impl<R: Read> Read for WholeChars<'_, R> {
    /// Reads as usual. `buf` must have room for a character, 4 bytes.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let before = self.held.len();
            let n = self.fill(&mut buf[before..])?;
            buf[..before].copy_from_slice(&self.held);
            self.held.clear();
            let read = &buf[..before + n];
            if n == 0 {
                // The end of input, or a timeout.
                return Ok(before);
            }
            let whole = read.len() - cut_off(read);
            self.held.extend_from_slice(&read[whole..]);
            if whole > 0 {
                return Ok(whole);
            }
        }
    }
}

/// The length of the incomplete character at the end of otherwise valid UTF-8, or 0.
pub fn cut_off(text: &[u8]) -> usize {
    match str::from_utf8(text) {
        Err(err) if err.error_len().is_none() => text.len() - err.valid_up_to(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use proptest::prelude::*;

    use super::*;
    use crate::go::strings::to_upper;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (near, listener.accept().unwrap().0)
    }

    /// Reads these pieces, one per read, until the end.
    fn read(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let (near, _far) = pair();
        struct Pieces<'a>(std::slice::Iter<'a, &'a [u8]>);
        impl Read for Pieces<'_> {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.0.next().map_or(Ok(0), |piece| (&**piece).read(buf))
            }
        }
        let mut chars = WholeChars::new(&near, Pieces(pieces.iter()));
        let mut buf = [0; 64];
        let reads = std::iter::from_fn(|| match chars.read(&mut buf).unwrap() {
            0 => None,
            n => Some(buf[..n].to_vec()),
        });
        reads.collect()
    }

    #[test]
    fn split_character_is_returned_whole() {
        assert_eq!(
            read(&[b"a\xe4", b"\xb8", b"\x96b"]),
            [&b"a"[..], "世b".as_bytes()]
        );
    }

    #[test]
    fn held_bytes_are_returned_at_the_end_of_input() {
        assert_eq!(read(&[b"a\xe4\xb8"]), [&b"a"[..], b"\xe4\xb8"]);
    }

    #[test]
    fn bytes_of_other_encodings_are_not_held_back() {
        // GBK for two characters; the last byte could start a character in UTF-8.
        assert_eq!(
            read(&[b"\xc4\xe3\xba\xc3", b"x"]),
            [&b"\xc4\xe3\xba\xc3"[..], b"x"]
        );
    }

    #[test]
    fn half_a_character_is_held_back_for_at_most_a_second() {
        let (near, mut far) = pair();
        let mut chars = WholeChars::new(&near, &near);
        far.write_all(b"\xe4").unwrap();
        let mut buf = [0; 64];
        assert_eq!(chars.read(&mut buf).unwrap(), 1);
        far.write_all("世".as_bytes()).unwrap();
        assert_eq!(chars.read(&mut buf).unwrap(), 3);
    }

    #[test]
    fn only_an_incomplete_character_is_cut_off() {
        assert_eq!(cut_off("a世".as_bytes()), 0);
        assert_eq!(cut_off(b"a\xe4\xb8"), 2);
        assert_eq!(cut_off(b"\xf0\x9f\x98"), 3);
        assert_eq!(cut_off(b"a\xff"), 0);
        assert_eq!(cut_off(b"\xb8\xb8\xb8"), 0);
    }

    proptest! {
        #[test]
        fn result_does_not_depend_on_how_valid_text_is_split(text: String, cuts: Vec<proptest::sample::Index>) {
            let bytes = text.into_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let (mut held, mut got) = (Vec::new(), Vec::new());
            for pair in cuts.windows(2) {
                held.extend_from_slice(&bytes[pair[0]..pair[1]]);
                let (whole, rest) = held.split_at(held.len() - cut_off(&held));
                prop_assert!(rest.len() <= 3);
                got.extend(to_upper(whole));
                held = rest.to_vec();
            }
            got.extend(to_upper(&held));
            prop_assert_eq!(got, to_upper(&bytes));
        }
    }
}
