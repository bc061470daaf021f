//! Signals, and what stands in for them on Windows.

use std::process::Command;

/// Sends a signal to a process, such as `TERM` or `KILL`, and returns whether that worked.
#[cfg(unix)]
pub(super) fn send(id: u32, name: &str) -> bool {
    let sent = Command::new("kill")
        .args([format!("-{name}"), id.to_string()])
        .status();
    sent.expect("kill can be run").success()
}

/// Presses Ctrl-C in the console of a process, whatever the signal, and returns whether that worked.
#[cfg(windows)]
pub(super) fn send(id: u32, _name: &str) -> bool {
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
