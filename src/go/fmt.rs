//! Printing as Go's package `fmt` does: bytes as they are, at once, on standard output.
//!
//! It is used as in Go: `use threadline::go::fmt;`, then `fmt::println!("read: ", &buf[..n])`. Operands are
//! text or bytes, like Go's strings, so what came from the network need not be UTF-8.
//!
//! Everything here returns an error if the write to standard output failed, for example because its
//! reader has exited. A server goes on without a reader: it calls `.ok()`.

use std::io::{self, Write};

/// Prints the operands with one space between them and a newline, as `fmt.Println` does.
#[doc(hidden)]
#[macro_export]
macro_rules! go_println {
    ($($operand:expr),+) => {
        $crate::go::fmt::print($crate::go::fmt::line(&[$(AsRef::<[u8]>::as_ref(&$operand)),+]))
    };
}
pub use crate::go_println as println;

/// Prints the format with an operand in the place of each `%s`, as `fmt.Printf` does. A wrong number of
/// operands does not compile.
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

/// Prints the bytes as they are, as `fmt.Print` does, and does not wait for a newline to show them.
///
/// # Errors
/// The write to standard output failed.
pub fn print(bytes: impl AsRef<[u8]>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes.as_ref())?;
    out.flush()
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

/// How many `%s` a format has.
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
