//! The process between `loadtest` and a server that it starts: no server outlives `loadtest`, however
//! that ends.
//!
//! The supervisor's standard input is a pipe that only `loadtest` can write to. The kernel closes it when
//! `loadtest` exits or is killed, and then the supervisor kills the server's whole process group. A
//! parent-death signal would reach only the first process of it, and not what that has started.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getpid, kill_process, kill_process_group, setrlimit,
};

/// The exit status of a supervisor whose server cannot be started, as in a shell.
const NOT_STARTED: u8 = 127;

/// The hidden subcommand of `loadtest`.
pub const SUBCOMMAND: &str = "supervise";

/// What starts the server with these words, and first prints its process id.
///
/// # Errors
/// This program cannot find itself.
pub fn command(words: &[String]) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg(SUBCOMMAND)
        .arg("--")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Out of the reach of Ctrl-C: it outlives the server.
        .process_group(0);
    Ok(command)
}

/// The supervisor itself: ends as the server does.
pub fn run(words: &[OsString]) -> ExitCode {
    let spawned = Command::new(&words[0])
        .args(&words[1..])
        // Never written to, and open as long as this process is: a server may read it.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // A group of its own, so that what a wrapper such as `go run` starts is stopped with it.
        .process_group(0)
        .spawn();
    let mut server = match spawned {
        Ok(server) => server,
        Err(err) => {
            writeln!(io::stderr(), "cannot run {:?}: {err}", words[0]).ok();
            return ExitCode::from(NOT_STARTED);
        }
    };
    let _open = server.stdin.take();
    let group = Pid::from_child(&server);
    // Before anything that can fail: if `loadtest` is gone, so is the server.
    let watch = thread::Builder::new().spawn(move || {
        io::copy(&mut io::stdin(), &mut io::sink()).ok();
        kill_process_group(group, Signal::KILL).ok();
    });
    if watch.is_err() {
        kill_process_group(group, Signal::KILL).ok();
    }
    writeln!(io::stdout(), "{}", server.id()).ok();
    let status = server.wait();
    let Ok(status) = status else {
        return ExitCode::FAILURE;
    };
    if let Some(signal) = status.signal().and_then(Signal::from_named_raw) {
        // One core dump is enough.
        let (current, maximum) = (Some(0), Some(0));
        setrlimit(Resource::Core, Rlimit { current, maximum }).ok();
        kill_process(getpid(), signal).ok();
    }
    ExitCode::from(status.code().map_or(u8::MAX, |code| code as u8))
}
