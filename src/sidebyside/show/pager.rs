//! Standard output through the reader's pager.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::print;
use crate::error::{context, ignore_broken_pipe};

/// Prints a text: through `$PAGER` where standard output is a terminal and one is set, or at once.
/// A pipe that the reader closes early is not an error.
///
/// # Errors
/// The pager cannot be started or fails, or standard output cannot be written.
pub fn page(text: &str) -> io::Result<()> {
    let pager = env::var_os("PAGER").filter(|pager| !pager.is_empty());
    let Some(pager) = pager.filter(|_| io::stdout().is_terminal()) else {
        return print(text);
    };
    let failed = |what: &str| {
        let pager = pager.display();
        format!("the pager {pager} {what}; unset PAGER to print without it")
    };
    let mut command = Command::new("sh");
    command.arg("-c").arg(&pager).stdin(Stdio::piped());
    // What git sets too: colours, no screen of its own for less than a screenful.
    if env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    // As in `git log`, the pager alone decides what Ctrl-C does, and this program waits for it: two
    // programs must not read one keyboard.
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).map_err(io::Error::other)?;
    let spawned = command.spawn();
    let mut child = spawned.map_err(context(failed("cannot be started")))?;
    let mut input = child.stdin.take().expect("its input is a pipe");
    let written = ignore_broken_pipe(input.write_all(text.as_bytes()));
    drop(input);
    let status = child.wait()?;
    written?;
    match status.success() || interrupted.load(Ordering::Relaxed) {
        true => Ok(()),
        false => Err(io::Error::other(failed(&format!("ended with {status}")))),
    }
}
