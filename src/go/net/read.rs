//! Reading, as in Go's `Read` and `io.ReadFull`.

use std::io::{self, ErrorKind, Read};
use std::net::UdpSocket;

use crate::error::context;

/// Like [`Read::read`], but tries again after EINTR, as Go's `Read` does.
///
/// # Errors
/// The read failed.
pub fn read(from: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buf) {
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Like [`UdpSocket::recv`], but tries again after EINTR, as Go's `Read` does. On Linux, a receive with a timeout
/// fails with EINTR even after SIGCONT.
///
/// # Errors
/// The receive failed.
pub fn recv(from: &UdpSocket, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.recv(buf) {
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            received => return received,
        }
    }
}

/// Reads until `buf` is full or the input ends, and returns the number of bytes.
///
/// # Errors
/// A read failed.
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

/// The error for a peer that closed the connection too early. Go calls it `EOF`.
pub fn closed(what: &str) -> io::Error {
    context(what)(io::Error::new(
        ErrorKind::UnexpectedEof,
        "the other side closed the connection",
    ))
}
