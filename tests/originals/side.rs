//! The two sides: Go's programs and ours.

use std::env;
use std::process::Command;

use crate::golang;

/// Whose program it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Side {
    Go,
    Ours,
}

impl Side {
    /// The program of this name; the first argument is the address, where it has one.
    pub(crate) fn command(self, name: &str) -> Command {
        match self {
            Side::Go => Command::new(golang::original(name)),
            Side::Ours => match windows_programs() {
                Some(folder) => windows(&folder, name),
                None => Command::new(ours(name)),
            },
        }
    }

    /// Whether its servers end cleanly at SIGTERM. Go's do not catch it, and Windows has no such signal.
    pub(crate) fn ends_at_sigterm(self) -> bool {
        self == Side::Ours && windows_programs().is_none()
    }
}

/// The folder of our programs for Windows, if those are to be run.
fn windows_programs() -> Option<String> {
    env::var("WINDOWS_PROGRAMS").ok()
}

/// Our program as it was built for Windows, in the folder that `WINDOWS_PROGRAMS` names, under Wine.
fn windows(folder: &str, name: &str) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/wine/run"));
    command.arg(format!("{folder}/{name}.exe"));
    command
}

fn ours(name: &str) -> &'static str {
    match name {
        "tcp_server" => env!("CARGO_BIN_EXE_tcp_server"),
        "tcp_client" => env!("CARGO_BIN_EXE_tcp_client"),
        "tcp_concurrent_server" => env!("CARGO_BIN_EXE_tcp_concurrent_server"),
        "tcp_concurrent_client" => env!("CARGO_BIN_EXE_tcp_concurrent_client"),
        "udp_server" => env!("CARGO_BIN_EXE_udp_server"),
        "udp_client" => env!("CARGO_BIN_EXE_udp_client"),
        "udp_concurrent_server" => env!("CARGO_BIN_EXE_udp_concurrent_server"),
        "udp_concurrent_client" => env!("CARGO_BIN_EXE_udp_concurrent_client"),
        "file_stat" => env!("CARGO_BIN_EXE_file_stat"),
        "file_client" => env!("CARGO_BIN_EXE_file_client"),
        "file_server" => env!("CARGO_BIN_EXE_file_server"),
        "chat_server" => env!("CARGO_BIN_EXE_chat_server"),
        _ => panic!("no program of ours is called {name}"),
    }
}
