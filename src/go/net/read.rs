//! Reading.

use std::io::{self, ErrorKind, Read};

use crate::error::context;

/// Reads as [`Read::read`] does, but is not ended by a signal, like Go's `Read`.
///
/// # Errors
/// The reading fails.
pub fn read(from: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buf) {
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Reads until `buf` is full or the input ends, and returns how many bytes that are.
///
/// # Errors
/// The reading fails.
pub fn read_full(from: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buf.len() {
        match read(from, &mut buf[n..])? {
            0 => break,
            more => n += more,
        }
    }
    Ok(n)
}

/// The error for a peer that closed its end where more was to come, which Go calls `EOF`.
pub fn closed(what: &str) -> io::Error {
    context(what)(io::Error::new(
        ErrorKind::UnexpectedEof,
        "the other end closed the connection",
    ))
}
