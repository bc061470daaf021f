//! Printing as in Go's package `fmt`: raw bytes on standard output, written at once. On a terminal, control
//! sequences are removed.
//!
//! It is used as in Go: `use threadline::go::fmt;`, then `fmt::println!("read: ", &buf[..n])`. Operands are
//! text or bytes, like Go's strings, so input from the network need not be UTF-8.
//!
//! All functions return an error if the write to standard output fails, for example because its reader has
//! exited. Servers ignore it with `.ok()` and keep running.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;

use crate::error::context;
use crate::go::os;
use crate::text;

/// Prints the operands with one space between them and a newline, as `fmt.Println` does.
#[doc(hidden)]
#[macro_export]
macro_rules! go_println {
    ($($operand:expr),+) => {
        $crate::go::fmt::print($crate::go::fmt::line(&[$(AsRef::<[u8]>::as_ref(&$operand)),+]))
    };
}
pub use crate::go_println as println;

/// Prints the format with each `%s` replaced by an operand, as `fmt.Printf` does. A wrong number of operands
/// does not compile.
#[doc(hidden)]
#[macro_export]
macro_rules! go_printf {
    ($format:literal $(, $operand:expr)*) => {{
        const { assert!($crate::go::fmt::verbs($format) == [$(stringify!($operand)),*].len()) }
        $crate::go::fmt::print($crate::go::fmt::sprintf(
            $format,
            &[$(AsRef::<[u8]>::as_ref(&$operand)),*],
        ))
    }};
}
pub use crate::go_printf as printf;

/// Prints bytes at once, as `fmt.Print` does, without waiting for a newline.
///
/// # Errors
/// The write to standard output failed.
pub fn print(bytes: impl AsRef<[u8]>) -> io::Result<()> {
    static TERMINAL: LazyLock<bool> = LazyLock::new(|| io::stdout().is_terminal());
    let bytes = bytes.as_ref();
    // Go: prints input from the network unchanged, so senders can repaint the terminal. Ours removes control
    // characters if standard output is a terminal; a pipe or file gets the exact bytes.
    let bytes = if *TERMINAL {
        for_terminal(bytes)
    } else {
        Cow::Borrowed(bytes)
    };
    os::Stdout
        .write_all(&bytes)
        .map_err(context("cannot write to standard output"))
}

/// Removes control characters, except newlines and a carriage return before a newline.
pub fn for_terminal(bytes: &[u8]) -> Cow<'_, [u8]> {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let cleaned = lines.map(|line| {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let end = if line.ends_with(b"\n") {
            &line[text.len()..]
        } else {
            b""
        };
        [&text::clean(text), end].concat()
    });
    cleaned.collect::<Vec<_>>().concat().into()
}

/// What `println!` prints.
#[doc(hidden)]
pub fn line(operands: &[&[u8]]) -> Vec<u8> {
    let mut line = operands.join(&b' ');
    line.push(b'\n');
    line
}

/// What `printf!` prints.
#[doc(hidden)]
pub fn sprintf(format: &str, operands: &[&[u8]]) -> Vec<u8> {
    let texts = format.split("%s").map(str::as_bytes);
    // The last text has no operand behind it.
    let operands = operands.iter().copied().chain([&b""[..]]);
    let pairs = texts
        .zip(operands)
        .flat_map(|(text, operand)| [text, operand]);
    pairs.collect::<Vec<_>>().concat()
}

/// The number of `%s` in a format.
#[doc(hidden)]
pub const fn verbs(format: &str) -> usize {
    let (format, mut n, mut i) = (format.as_bytes(), 0, 1);
    while i < format.len() {
        n += (format[i - 1] == b'%' && format[i] == b's') as usize;
        i += 1;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_are_separated_by_a_space() {
        assert_eq!(line(&[b"read: ", b"\xFF", b""]), b"read:  \xFF \n");
    }

    #[test]
    fn terminal_gets_no_control_characters_but_newlines() {
        for (bytes, shown) in [
            (
                &b"\x1b[2Jone\ttwo\rthree\r\n\nfour\r"[..],
                &b"[2Jone\ttwothree\r\n\nfour"[..],
            ),
            (
                "a\u{9b}b\u{202e}c\u{2028}世界\n".as_bytes(),
                "abc世界\n".as_bytes(),
            ),
            (b"\xc4\xe3\xba\xc3\n", b"\xc4\xe3\xba\xc3\n"),
            (b"", b""),
        ] {
            assert_eq!(for_terminal(bytes), shown, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn each_operand_replaces_one_verb() {
        let check = |format: &str, operands: &[&[u8]], text: &[u8]| {
            assert_eq!(verbs(format), operands.len(), "{format}");
            assert_eq!(sprintf(format, operands), text, "{format}");
        };
        check("no verb\n", &[], b"no verb\n");
        check("%s", &[b"\xFF"], b"\xFF");
        check("[%s]%s!", &[b"%s", b""], b"[%s]!");
    }
}
