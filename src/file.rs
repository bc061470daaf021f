//! Section three, file transfer: what both sides of the connection share.
//!
//! 1. The sender sends the name.
//! 2. The receiver answers `ok`.
//! 3. The sender sends the bytes and shuts down its writing side. Here the course's protocol ends.
//! 4. Our receiver answers with a receipt (see [`crate::file::receipt`]). A Go sender does not read it, and a Go
//!    receiver does not send it.
//!
//! If the receiver rejects the file or fails, it sends one line that starts with `error: `.

pub mod bar;
pub mod download;
pub mod interrupt;
pub mod name;
pub mod options;
pub mod partial;
pub mod receipt;
pub mod serve;
pub mod source;
pub mod temporary;
pub mod typed;
pub mod upload;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use log::debug;
use socket2::SockRef;

use crate::go::net::read;
use crate::text::printable;

/// Bytes per read and write.
// Go: uses 4096 bytes. Ours uses 1 MiB, and is two to four times as fast.
pub const BUFFER: usize = 1 << 20;

/// How long one side waits for the other after a failure. Shorter than the grace of a shutdown (1 s), which would
/// otherwise cut the error line off.
const GRACE: Duration = Duration::from_millis(800);

/// From now on until [`end_sending`], the connection is reset instead of closed if this process dies, for
/// whatever reason.
///
/// # Errors
/// The system refuses.
pub fn reset_on_death(conn: &TcpStream) -> io::Result<()> {
    // Go: if a sender dies half-way, its connection is closed normally, and the partial file looks complete.
    // In ours the connection is reset, which Go's server notices too.
    SockRef::from(conn).set_linger(Some(Duration::ZERO))
}

/// Shuts down the writing side of the connection: everything was sent.
///
/// # Errors
/// The connection has broken.
pub fn end_sending(conn: &TcpStream) -> io::Result<()> {
    conn.shutdown(Shutdown::Write)?;
    SockRef::from(conn).set_linger(None)
}

/// Sends the sender the reason why its file is rejected. The connection cannot be used afterwards.
/// [`reset_on_death`] must be in effect, so that the connection ends even if the sender keeps sending.
pub fn reject(mut conn: &TcpStream, why: &io::Error) {
    let told = conn
        .write_all(format!("error: {why}\n").as_bytes())
        .and_then(|()| conn.shutdown(Shutdown::Write));
    if let Err(err) = told {
        debug!("cannot send the error to the sender: {err}");
        return;
    }
    // If unread data is left, closing sends a reset, which on some systems discards our line before the sender
    // has read it. So the sender gets some time to close first.
    let deadline = Instant::now() + GRACE;
    let mut buf = vec![0; BUFFER];
    while let Some(left) = deadline.checked_duration_since(Instant::now()) {
        let ended = conn
            .set_read_timeout(Some(left.max(Duration::from_millis(1))))
            .is_err()
            || !matches!(read(&mut conn, &mut buf), Ok(1..));
        if ended {
            break;
        }
    }
}

/// Reads the last line from the receiver, at most 1,024 bytes, made safe for a terminal. It is empty if the receiver
/// sends none.
///
/// # Errors
/// The connection has broken.
pub fn read_answer(conn: impl Read) -> io::Result<String> {
    let mut answer = Vec::new();
    match BufReader::new(conn.take(1024)).read_until(b'\n', &mut answer) {
        Err(err) if answer.is_empty() => Err(err),
        _ => Ok(printable(answer.strip_suffix(b"\n").unwrap_or(&answer))),
    }
}

/// The cause of a failed send: the receiver's error line if it sent one, or else `err`.
pub fn why_broken(conn: &TcpStream, err: io::Error) -> io::Error {
    let said = conn
        .set_read_timeout(Some(GRACE))
        .and_then(|()| read_answer(conn));
    match said.as_deref().map(rejection) {
        Ok(Some(rejection)) => rejection,
        _ => err,
    }
}

/// Parses a line that [`reject`] wrote into an error. None for any other line.
pub fn rejection(answer: &str) -> Option<io::Error> {
    answer
        .strip_prefix("error: ")
        .map(|why| io::Error::other(format!("the server reported: {why}")))
}
