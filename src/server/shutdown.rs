//! Shutdown by Ctrl-C, SIGTERM or SIGHUP; on Windows by Ctrl-C or Ctrl-Break. Closing the console ends a program on
//! Windows at once: the system terminates it as soon as a handler returns, and that of ctrlc does not wait.

use std::convert::Infallible;
use std::io;
use std::process;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError, bounded};

use crate::error::context;
use crate::system;

/// A done channel, on which nothing is ever sent. Dropping its sender closes it, and every holder of a receiver
/// observes that, as with Go's `close(done)`.
pub type Done = Receiver<Infallible>;

/// Catches SIGINT, SIGTERM and SIGHUP: the first closes the returned channel, the second ends the process
/// at once, with status 130. A signal that was ignored when the program started stays ignored; in Go only SIGINT and
/// SIGHUP do.
///
/// # Errors
/// The signals cannot be caught, or the thread that waits for them cannot be started.
pub fn on_signal() -> io::Result<Done> {
    let (running, shutdown) = bounded(0);
    let mut running = Some(running);
    set_handler(move || {
        if running.take().is_none() {
            process::exit(130);
        }
    })?;
    Ok(shutdown)
}

/// For a program that needs no cleanup: the same signals end it at once, with status 0.
///
/// # Errors
/// As for [`on_signal`].
pub fn exit_on_signal() -> io::Result<()> {
    set_handler(|| process::exit(0))
}

/// Whether the channel is closed, without waiting.
pub fn is_closed(channel: &Done) -> bool {
    channel.try_recv() == Err(TryRecvError::Disconnected)
}

/// Waits up to `limit` for the channel to be closed, and returns whether it is.
pub fn closes_within(channel: &Done, limit: Duration) -> bool {
    channel.recv_timeout(limit) == Err(RecvTimeoutError::Disconnected)
}

fn set_handler(handler: impl FnMut() + Send + 'static) -> io::Result<()> {
    // ctrlc catches a signal even if it was ignored at the start. A signal that is blocked here is blocked in
    // every later thread, so it never arrives.
    system::block_ignored_signals()?;
    // As in Go: if a file exceeds the size limit of the process, only the write fails.
    system::block_file_size_signal()?;
    ctrlc::set_handler(handler)
        .map_err(io::Error::other)
        .map_err(context("cannot catch Ctrl-C"))
}
