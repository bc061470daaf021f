//! Context for errors, and the one error that is ignored.

use std::fmt::Display;
use std::io::{self, ErrorKind};

/// Prefixes an error with what failed: `.map_err(context("cannot open x"))`. Keeps its kind and its text, but not its
/// `raw_os_error` or source.
pub fn context(what: impl Display) -> impl FnOnce(io::Error) -> io::Error {
    move |err| io::Error::new(err.kind(), format!("{what}: {err}"))
}

/// Turns a broken pipe into success: the reader has exited and wants no more.
///
/// # Errors
/// Writing failed for any other reason.
pub fn ignore_broken_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(err) if err.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
