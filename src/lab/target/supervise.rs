//! The process between `loadtest` and a server that it starts: no server outlives `loadtest`, however
//! that ends.
//!
//! The supervisor's standard input is a pipe that only `loadtest` can write to. The kernel closes it when
//! `loadtest` exits or is killed, and then the supervisor kills the server's whole process group, and what
//! has left the group, as a daemon does. A parent-death signal would reach only the first process of it.
//!
//! It prints a line when the server has started and one when it has ended, and never reaps it: until the
//! supervisor exits, the number of the group is given to no other, and a signal cannot reach a stranger.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid,
};
use rustix::stdio::dup2_stderr;

use crate::lab::target::proc;

/// The hidden subcommand of `loadtest`.
pub const SUBCOMMAND: &str = "supervise";

/// This program, for another process of it. On Linux that is the file that runs, whatever its name, even if
/// a new build has taken its place.
///
/// # Errors
/// This program cannot find itself.
pub fn this_program() -> io::Result<PathBuf> {
    match cfg!(target_os = "linux") {
        true => Ok(PathBuf::from("/proc/self/exe")),
        false => std::env::current_exe(),
    }
}

/// Gives this process a name for `top`: one that was started as [`this_program`] is called `exe`. It must not
/// be that of loadtest: `killall -KILL loadtest` would end the supervisor too, and the server would live on.
pub fn take_name(name: &str) {
    if cfg!(target_os = "linux") {
        std::fs::write("/proc/self/comm", name).ok();
    }
}

/// What starts the server with these words.
///
/// # Errors
/// This program cannot find itself.
pub fn command(words: &[String]) -> io::Result<Command> {
    let mut command = Command::new(this_program()?);
    command
        .arg(SUBCOMMAND)
        .arg("--")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Out of the reach of Ctrl-C: it outlives the server.
        .process_group(0);
    Ok(command)
}

/// The supervisor itself. Returns its exit status.
///
/// # Errors
/// It cannot watch the server.
pub fn run(words: &[OsString]) -> io::Result<u8> {
    take_name(SUBCOMMAND);
    proc::adopt_orphans();
    let spawned = Command::new(&words[0])
        .args(&words[1..])
        // Never written to, and open as long as this process is: a server may read it.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // A group of its own, so that what a wrapper such as `go run` starts is stopped with it.
        .process_group(0)
        .spawn();
    let server = match spawned {
        Ok(server) => server,
        Err(err) => {
            writeln!(io::stdout(), "cannot run {:?}: {err}", words[0]).ok();
            return Ok(1);
        }
    };
    let group = Pid::from_child(&server);
    let watched = watch(group);
    if watched.is_ok() {
        // Nothing comes but the end.
        io::copy(&mut io::stdin(), &mut io::sink()).ok();
    }
    kill_process_group(group, Signal::KILL).ok();
    proc::kill_children();
    watched.map(|()| 0)
}

/// Prints that the server has started, and on a thread of its own how it ends.
fn watch(server: Pid) -> io::Result<()> {
    // So that the end of the server's standard error is that of its last process.
    dup2_stderr(File::options().write(true).open("/dev/null")?)?;
    // If loadtest has been killed, the end of standard input shows it.
    writeln!(io::stdout(), "{}", server.as_raw_pid()).ok();
    thread::Builder::new().spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        if let Ok(Some(status)) = waitid(WaitId::Pid(server), options) {
            writeln!(io::stdout(), "{}", describe(&status)).ok();
        }
    })?;
    Ok(())
}

fn describe(status: &WaitIdStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("died (exit status {code})"),
        (None, signal) => format!("died (killed by signal {})", signal.unwrap_or_default()),
    }
}
