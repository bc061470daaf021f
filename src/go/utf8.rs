//! Characters that are cut in two by the end of a read, as Go's package `unicode/utf8` finds them.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::str;
use std::time::Duration;

use crate::go::net;

/// How long the first bytes of a character wait for the rest.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads from a connection without cutting a character in two: its first bytes wait for the next read, one
/// second at most. They wait only behind valid UTF-8, so text in another encoding, such as GBK, passes at once.
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

    /// Reads once. With bytes held back, it waits for [`PATIENCE`] at most.
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
            match split_cut_off(read) {
                // The end, or patience is over.
                _ if n == 0 => return Ok(before),
                (whole, rest) if str::from_utf8(whole).is_ok() => self.held.extend_from_slice(rest),
                _ => {}
            }
            let whole = read.len() - self.held.len();
            if whole > 0 {
                return Ok(whole);
            }
        }
    }
}

/// Splits `bytes` before a character that is cut off at their end, so that it can wait for its rest.
/// Nothing but the start of a valid character (at most three bytes) is ever held back.
pub fn split_cut_off(bytes: &[u8]) -> (&[u8], &[u8]) {
    for held in 1..=bytes.len().min(3) {
        let (whole, rest) = bytes.split_at(bytes.len() - held);
        match str::from_utf8(rest) {
            Err(err) if err.valid_up_to() == 0 && err.error_len().is_none() => {
                return (whole, rest);
            }
            _ => {}
        }
    }
    (bytes, b"")
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

    /// Reads these pieces one by one, and then the end.
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
    fn a_cut_character_comes_with_its_rest() {
        assert_eq!(
            read(&[b"a\xe4", b"\xb8", b"\x96b"]),
            [&b"a"[..], "世b".as_bytes()]
        );
    }

    #[test]
    fn the_end_brings_what_was_held() {
        assert_eq!(read(&[b"a\xe4\xb8"]), [&b"a"[..], b"\xe4\xb8"]);
    }

    #[test]
    fn other_encodings_are_not_held() {
        // GBK for two characters; the last byte could start a character in UTF-8.
        assert_eq!(
            read(&[b"\xc4\xe3\xba\xc3", b"x"]),
            [&b"\xc4\xe3\xba\xc3"[..], b"x"]
        );
    }

    #[test]
    fn a_cut_character_waits_for_a_second_at_most() {
        let (near, mut far) = pair();
        let mut chars = WholeChars::new(&near, &near);
        far.write_all(b"\xe4").unwrap();
        let mut buf = [0; 64];
        assert_eq!(chars.read(&mut buf).unwrap(), 1);
        far.write_all("世".as_bytes()).unwrap();
        assert_eq!(chars.read(&mut buf).unwrap(), 3);
    }

    #[test]
    fn a_cut_off_character_waits() {
        assert_eq!(
            split_cut_off("a世".as_bytes()),
            ("a世".as_bytes(), &b""[..])
        );
        assert_eq!(split_cut_off(b"a\xe4\xb8"), (&b"a"[..], &b"\xe4\xb8"[..]));
        assert_eq!(
            split_cut_off(b"\xf0\x9f\x98"),
            (&b""[..], &b"\xf0\x9f\x98"[..])
        );
        assert_eq!(split_cut_off(b"a\xff"), (&b"a\xff"[..], &b""[..]));
        assert_eq!(
            split_cut_off(b"\xb8\xb8\xb8"),
            (&b"\xb8\xb8\xb8"[..], &b""[..])
        );
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(bytes: Vec<u8>, cuts: Vec<proptest::sample::Index>) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let (mut held, mut got) = (Vec::new(), Vec::new());
            for pair in cuts.windows(2) {
                held.extend_from_slice(&bytes[pair[0]..pair[1]]);
                let (whole, rest) = split_cut_off(&held);
                prop_assert!(rest.len() <= 3);
                got.extend(to_upper(whole));
                held = rest.to_vec();
            }
            got.extend(to_upper(&held));
            prop_assert_eq!(got, to_upper(&bytes));
        }
    }
}
