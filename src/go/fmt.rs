//! Printing as Go's package `fmt` does: bytes as they are, at once, on standard output.

use std::io::{self, Write};

/// Prints the operands with one space between them and a line end, as `fmt.Println` does.
///
/// Operands are bytes, like Go's strings, so what came from the network need not be UTF-8.
///
/// # Errors
/// The write to standard output failed, for example because its reader has gone. A server carries
/// on without its listener: it calls `.ok()`.
pub fn println(operands: &[&dyn AsRef<[u8]>]) -> io::Result<()> {
    let mut line = Vec::with_capacity(
        operands
            .iter()
            .map(|operand| operand.as_ref().len() + 1)
            .sum(),
    );
    for (i, operand) in operands.iter().enumerate() {
        if i > 0 {
            line.push(b' ');
        }
        line.extend_from_slice(operand.as_ref());
    }
    line.push(b'\n');
    print(&line)
}

/// Prints the bytes as they are, as `fmt.Print` does, and does not wait for a line end to show them.
///
/// # Errors
/// As for [`println()`].
pub fn print(bytes: impl AsRef<[u8]>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes.as_ref())?;
    out.flush()
}
