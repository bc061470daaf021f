//! The load tester where it cannot run.

use std::io;
use std::process::ExitCode;

use crate::cli;

/// The program `loadtest`.
pub fn main() -> ExitCode {
    cli::run(|| Err(io::Error::other("loadtest needs Linux or macOS")))
}
