//! Ctrl-C and SIGTERM.

use std::convert::Infallible;
use std::io;
use std::process;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError, bounded};
use parking_lot::Mutex;

use crate::cli::because;

/// The end of a program, as a channel on which nothing is ever sent: it is disconnected when the
/// time has come, so that everyone who holds it sees that, as with Go's `close(done)`.
pub type Shutdown = Receiver<Infallible>;

/// Catches SIGINT, SIGTERM and SIGHUP: the first ends the returned channel, the second ends the
/// process at once, with status 130.
///
/// # Errors
/// The handler could not be set, or was set before.
pub fn on_signal() -> io::Result<Shutdown> {
    let (running, shutdown) = bounded(0);
    let running = Mutex::new(Some(running));
    set_handler(move || {
        if running.lock().take().is_none() {
            process::exit(130);
        }
    })?;
    Ok(shutdown)
}

/// For a program with nothing to tidy up: SIGINT, SIGTERM and SIGHUP end it at once, with status 0.
///
/// # Errors
/// As for [`on_signal`].
pub fn exit_on_signal() -> io::Result<()> {
    set_handler(|| process::exit(0))
}

/// Whether the channel has ended, without waiting.
pub fn ended(channel: &Shutdown) -> bool {
    channel.try_recv() == Err(TryRecvError::Disconnected)
}

/// Waits until the channel ends, for `limit` at most, and says whether it has.
pub fn ends_within(channel: &Shutdown, limit: Duration) -> bool {
    channel.recv_timeout(limit) == Err(RecvTimeoutError::Disconnected)
}

fn set_handler(handler: impl FnMut() + Send + 'static) -> io::Result<()> {
    ctrlc::set_handler(handler)
        .map_err(io::Error::other)
        .map_err(because("cannot catch Ctrl-C"))
}
