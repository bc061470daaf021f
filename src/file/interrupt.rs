//! Ctrl-C during a transfer: exits with an error that says how far the transfer got.

use std::io;
use std::path::{Path, PathBuf};
use std::process;

use parking_lot::Mutex;

use crate::cli;
use crate::file::bar;
use crate::go::spawn;
use crate::server::shutdown;

/// How far the transfer has got.
enum Stage {
    NotSending,
    Sending(PathBuf),
    Confirming(PathBuf),
}

static STAGE: Mutex<Stage> = Mutex::new(Stage::NotSending);

/// Exits at Ctrl-C or SIGTERM, with an error if a file is being sent. The system then resets the connection.
///
/// # Errors
/// The signals cannot be caught.
pub fn end_on_signal() -> io::Result<()> {
    let shutdown = shutdown::on_signal()?;
    spawn("shutdown", move || {
        let _ = shutdown.recv();
        // Locked until the process exits, so that the main thread cannot report success meanwhile.
        let stage = STAGE.lock();
        let what = match &*stage {
            Stage::NotSending => process::exit(0),
            Stage::Sending(path) => format!("{} was not sent completely", path.display()),
            Stage::Confirming(path) => {
                format!("{} was sent, but not confirmed", path.display())
            }
        };
        bar::suspend(|| cli::print_error(&format!("interrupted: {what}")));
        process::exit(1)
    })?;
    Ok(())
}

/// Records that the file `path` is being sent.
pub fn sending(path: &Path) {
    *STAGE.lock() = Stage::Sending(path.to_owned());
}

/// Records that all of `path` was sent, and the confirmation is missing.
pub fn confirming(path: &Path) {
    *STAGE.lock() = Stage::Confirming(path.to_owned());
}

/// Records that the transfer has succeeded.
pub fn done() {
    *STAGE.lock() = Stage::NotSending;
}
