//! Standard output as its reader has it: a terminal with a pager, a terminal, or a pipe.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

use crate::cli::print;
use crate::error::{context, ignore_broken_pipe};

/// Prints a text: through `$PAGER` where standard output is a terminal and one is set, or at once.
/// A reader that has seen enough and goes away is no error.
///
/// # Errors
/// The pager cannot be started or fails, or standard output cannot be written.
pub fn page(text: &str) -> io::Result<()> {
    let pager = env::var_os("PAGER").filter(|pager| !pager.is_empty());
    let Some(pager) = pager.filter(|_| io::stdout().is_terminal()) else {
        return print(text);
    };
    let failed = |what: String| {
        let pager = pager.display();
        format!("the pager {pager} {what}; unset PAGER to do without")
    };
    let mut command = Command::new("sh");
    command.arg("-c").arg(&pager).stdin(Stdio::piped());
    // What git sets too: colours, no screen of its own for less than a screenful.
    if env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    let mut child = command
        .spawn()
        .map_err(context(failed("cannot be started".to_owned())))?;
    let mut input = child.stdin.take().expect("its input is a pipe");
    let written = ignore_broken_pipe(input.write_all(text.as_bytes()));
    drop(input);
    let status = child.wait()?;
    written?;
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(failed(format!("ended with {status}")))),
    }
}
