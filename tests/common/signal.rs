//! Signals, and what stands in for them on Windows.

use std::process::Command;

/// Sends a signal to a process, such as `TERM` or `KILL`, and returns whether that worked.
#[cfg(unix)]
pub(crate) fn send(id: u32, name: &str) -> bool {
    let sent = Command::new("kill")
        .args([format!("-{name}"), id.to_string()])
        .status();
    #[cfg(target_os = "linux")]
    if name == "STOP" {
        wait_until_stopped(id);
    }
    sent.expect("kill can be run").success()
}

/// Waits until no thread of a process runs: on a busy machine, one may go on until another gets the signal.
#[cfg(target_os = "linux")]
fn wait_until_stopped(id: u32) {
    let stopped = || {
        let tasks = std::fs::read_dir(format!("/proc/{id}/task"));
        let mut tasks = tasks.expect("it is not gone").map_while(Result::ok);
        tasks.all(|task| {
            let stat = std::fs::read_to_string(task.path().join("stat"));
            stat.is_ok_and(|stat| stat.contains(") T "))
        })
    };
    super::wait::wait_until("all threads have stopped", stopped, String::new);
}

/// Presses Ctrl-C in the console of a process, whatever the signal, and returns whether that worked.
#[cfg(windows)]
pub(crate) fn send(id: u32, _name: &str) -> bool {
    let press = std::env::var_os("CONSOLE_EVENT").expect(
        "CONSOLE_EVENT names a program that presses Ctrl-C; its source is .ci/wine/console_event.c",
    );
    let pressed = Command::new(press).arg(id.to_string()).status();
    pressed.expect("CONSOLE_EVENT can be run").success()
}

/// Nothing is needed for a program that gets signals.
#[cfg(unix)]
pub(super) fn prepare(command: &mut Command) -> &mut Command {
    command
}

/// Gives a program a console of its own, which nobody sees.
#[cfg(windows)]
pub(super) fn prepare(command: &mut Command) -> &mut Command {
    use std::os::windows::process::CommandExt;

    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW)
}
