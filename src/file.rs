//! Section three, file transfer: what both ends of the connection share.
//!
//! The sender sends the name, the receiver answers `ok`, the sender sends the bytes and ends its
//! half of the connection; so far it is the course's protocol. Ours then answers with a receipt
//! (see [`crate::file::receipt`]), which a Go sender never reads and a Go receiver never sends. Where the
//! receiver refuses or fails, it sends one line that starts `error: `.

pub mod bar;
pub mod download;
pub mod interrupt;
pub mod name;
pub mod options;
pub mod partial;
pub mod receipt;
pub mod serve;
pub mod size;
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

/// Bytes read or written at once. More per call is what makes a transfer fast.
// Go: 4096 bytes, with which a transfer takes two to four times as long.
pub const BUFFER: usize = 1 << 20;

/// How long an end that has failed and the other wait for each other.
const GRACE: Duration = Duration::from_millis(800);

/// From now on, the death of this process by any means resets the connection instead of ending it,
/// until [`end_sending`].
///
/// # Errors
/// The system refuses.
pub fn reset_on_death(conn: &TcpStream) -> io::Result<()> {
    // Go: a sender that dies half-way closes its connection as one that is done does, and its file
    // looks complete. The death of ours is a reset, which Go's server notices too.
    SockRef::from(conn).set_linger(Some(Duration::ZERO))
}

/// Ends this half of the connection: everything was said.
///
/// # Errors
/// The connection has broken.
pub fn end_sending(conn: &TcpStream) -> io::Result<()> {
    conn.shutdown(Shutdown::Write)?;
    SockRef::from(conn).set_linger(None)
}

/// Tells a sender why its file is not taken, if it still listens. The connection is of no use any
/// more; [`reset_on_death`] must be in force, so that it ends even for a sender that goes on sending.
pub fn reject(mut conn: &TcpStream, why: &io::Error) {
    let told = conn
        .write_all(format!("error: {why}\n").as_bytes())
        .and_then(|()| conn.shutdown(Shutdown::Write));
    if let Err(err) = told {
        debug!("cannot tell the sender: {err}");
        return;
    }
    // A reset over what the sender still sends would on some systems throw away our line before
    // the sender has read it, so it gets some time to end by itself.
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

/// Reads the line that the receiver sends at the end, fit for a terminal. Empty if it sends none.
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

/// What has gone wrong when `err` kept the sender from sending on: what the receiver has said about
/// it, or else `err`.
pub fn why_broken(conn: &TcpStream, err: io::Error) -> io::Error {
    let said = conn
        .set_read_timeout(Some(GRACE))
        .and_then(|()| read_answer(conn));
    match said.as_deref().map(rejection) {
        Ok(Some(rejection)) => rejection,
        _ => err,
    }
}

/// The error that the receiver's line stands for, if it is one that [`reject`] has written.
pub fn rejection(answer: &str) -> Option<io::Error> {
    answer
        .strip_prefix("error: ")
        .map(|why| io::Error::other(format!("the server says: {why}")))
}
