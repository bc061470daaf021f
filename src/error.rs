//! What an error says, and which is none.

use std::fmt::Display;
use std::io::{self, ErrorKind};

/// Puts what was being done before an error: `.map_err(context("cannot open x"))`.
pub fn context(what: impl Display) -> impl FnOnce(io::Error) -> io::Error {
    move |err| io::Error::new(err.kind(), format!("{what}: {err}"))
}

/// Takes it for a success that the reader of a pipe has gone.
///
/// # Errors
/// Writing failed for any other reason.
pub fn ignore_broken_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(err) if err.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
