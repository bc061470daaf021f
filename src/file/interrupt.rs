//! What Ctrl-C says of a file that is being sent.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;

use parking_lot::Mutex;

use crate::file::bar;
use crate::server::shutdown;

/// What a Ctrl-C interrupts.
enum Stage {
    NotSending,
    Sending(PathBuf),
    Confirming(PathBuf),
}

static STAGE: Mutex<Stage> = Mutex::new(Stage::NotSending);

/// Ends the process at Ctrl-C or SIGTERM, with an error if a file is being sent; the system then resets the
/// connection.
///
/// # Errors
/// The signals cannot be caught.
pub fn end_on_signal() -> io::Result<()> {
    let shutdown = shutdown::on_signal()?;
    thread::Builder::new()
        .name("shutdown".to_owned())
        .spawn(move || {
            let _ = shutdown.recv();
            // Locked until the end, so that the main thread cannot claim success meanwhile.
            let stage = STAGE.lock();
            let what = match &*stage {
                Stage::NotSending => process::exit(0),
                Stage::Sending(path) => format!("{} was not sent whole", path.display()),
                Stage::Confirming(path) => {
                    format!("{} was sent whole, but is not confirmed", path.display())
                }
            };
            bar::suspend(|| writeln!(io::stderr(), "error: interrupted: {what}").ok());
            process::exit(1)
        })?;
    Ok(())
}

/// From now on, the file `path` is being sent.
pub fn sending(path: &Path) {
    *STAGE.lock() = Stage::Sending(path.to_owned());
}

/// From now on, all of `path` is sent, and it waits for the confirmation.
pub fn confirming(path: &Path) {
    *STAGE.lock() = Stage::Confirming(path.to_owned());
}

/// From now on, there is nothing to interrupt.
pub fn done() {
    *STAGE.lock() = Stage::NotSending;
}
