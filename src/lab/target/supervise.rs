//! The process between `loadtest` and a server that it starts: no server outlives `loadtest`, however
//! that ends.
//!
//! The supervisor's standard input is a pipe that only `loadtest` can write to. A byte asks for the end of the
//! server, which has some time for it. The kernel closes the pipe when `loadtest` exits or is killed, and then
//! the supervisor kills the server's whole process group, and what has left the group, as a daemon does. A
//! parent-death signal would reach only the first process of it.
//!
//! It prints a line when the server has started and one when it has ended, and never reaps it: until the
//! supervisor exits, the number of the group is given to no other, and a signal cannot reach a stranger.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, getpgid, kill_process, kill_process_group,
    waitid,
};
use rustix::stdio::dup2_stderr;

use crate::error::context;
use crate::lab::target::proc;
use crate::server::shutdown::{Done, closes_within};

/// How long a server may take to exit when it is asked to, before it is killed; and to be dead then.
const GRACE: Duration = Duration::from_secs(2);

/// The hidden subcommand of `loadtest`.
pub const SUBCOMMAND: &str = "supervise";

/// This program, for another process of it. On Linux that is the file that runs, whatever its name, even if
/// a new build has taken its place.
pub fn this_program() -> String {
    match cfg!(target_os = "linux") {
        true => "/proc/self/exe".to_owned(),
        false => std::env::current_exe()
            .unwrap_or_default()
            .display()
            .to_string(),
    }
}

/// Gives this process a name for `top`: one that was started as [`this_program`] is called `exe`. It must not
/// be that of loadtest: `killall -KILL loadtest` would end the supervisor too, and the server would live on.
/// Only Linux has such a file.
pub fn take_name(name: &str) {
    std::fs::write("/proc/self/comm", name).ok();
}

/// What starts the server with these words.
pub fn command(words: &[String]) -> Command {
    let mut command = Command::new(this_program());
    command
        .args([SUBCOMMAND, "--"])
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Out of the reach of Ctrl-C: it outlives the server.
        .process_group(0);
    command
}

/// The supervisor itself. It prints why, if it cannot go on.
///
/// # Errors
/// Its standard output cannot be written.
pub fn run(words: &[OsString]) -> io::Result<()> {
    take_name(SUBCOMMAND);
    supervise(words).or_else(|why| writeln!(io::stdout(), "{why}"))
}

fn supervise(words: &[OsString]) -> io::Result<()> {
    proc::adopt_orphans();
    let server = Command::new(&words[0])
        .args(&words[1..])
        // Never written to, and open as long as this process is: a server may read it.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // A group of its own, so that what a wrapper such as `go run` starts is stopped with it.
        .process_group(0)
        .spawn()
        .map_err(context(format!("cannot run {:?}", words[0])))?;
    let group = Pid::from_child(&server);
    let ended = watch(group).inspect_err(|_| signal(group, Signal::KILL))?;
    if matches!(io::stdin().read(&mut [0]), Ok(1)) {
        signal(group, Signal::TERM);
        closes_within(&ended, GRACE);
    }
    signal(group, Signal::KILL);
    let killed = Instant::now();
    while killed.elapsed() < GRACE && !closes_within(&ended, Duration::from_millis(1)) {
        // What was killed may have left children, which are this process's now.
        signal(group, Signal::KILL);
    }
    Ok(())
}

/// Prints that the server has started, and on a thread of its own how it ends: when its first process has
/// failed, or when all have exited, since it may go to the background. The channel is closed when all have.
fn watch(server: Pid) -> io::Result<Done> {
    // So that the end of the server's standard error is that of its last process.
    dup2_stderr(File::options().write(true).open("/dev/null")?)?;
    // If loadtest has been killed, the end of standard input shows it.
    writeln!(io::stdout(), "{}", server.as_raw_pid()).ok();
    let (running, ended) = bounded::<Infallible>(0);
    let exit = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    thread::Builder::new().spawn(move || {
        let mut next = Some(server);
        while let Some(process) = next
            && let Ok(Some(status)) = waitid(WaitId::Pid(process), exit)
        {
            next = proc::children().first().copied();
            // Only the first line is read.
            if next.is_none() || status.exit_status() != Some(0) {
                writeln!(io::stdout(), "{}", describe(&status)).ok();
            }
        }
        drop(running);
    })?;
    Ok(ended)
}

/// Signals the server, and what has left its process group, as a daemon does: once each, since a second time
/// may mean something else.
fn signal(group: Pid, signal: Signal) {
    kill_process_group(group, signal).ok();
    for child in proc::children() {
        if getpgid(Some(child)) != Ok(group) {
            kill_process(child, signal).ok();
        }
    }
}

fn describe(status: &WaitIdStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("died (exit status {code})"),
        (None, signal) => format!("died (killed by signal {})", signal.unwrap_or_default()),
    }
}
