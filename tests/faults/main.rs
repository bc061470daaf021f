//! What clients can do to a server, by intent or by accident, and that it keeps working.

#[path = "../common/mod.rs"]
mod common;

mod ceilings;
mod crowds;
mod ends;
mod floods;
mod slow;
#[cfg(target_os = "linux")]
mod turns;

use std::process::Command;

use common::program::Program;

const CHAT: &str = env!("CARGO_BIN_EXE_chat_server");
const UPPER: &str = env!("CARGO_BIN_EXE_tcp_concurrent_server");

fn serve(program: &str, args: &[&str]) -> Program {
    Program::serve(Command::new(program).args(args))
}
