//! One room over several servers, with a real engine: Valkey or Redis, whichever is installed.

#[path = "../common/mod.rs"]
mod common;

mod away;
mod cut_off;
mod engine;
mod failover;
#[cfg(feature = "lab")]
mod load;
mod names;
mod options;
mod refusals;
mod room;
mod servers;
mod talk;

use std::process::Command;

use common::program::Program;
use common::user::User;
use engine::Engine;

const CHAT: &str = env!("CARGO_BIN_EXE_chat_server");

/// A server that shares its room through the engine.
fn server(engine: &Engine, args: &[&str]) -> Program {
    Program::serve(
        Command::new(CHAT)
            .args(args)
            .env("THREADLINE_ENGINE", engine.url()),
    )
}

/// Asks for a name, and whether the user has got it.
fn rename(user: &mut User, name: &str) -> bool {
    user.say(format!("rename|{name}\n"));
    // "rename successful!!" or "rename failed: ...\r\n".
    user.read_until("rename ");
    let is_ok = user.read_until("f") == "successf";
    user.read_until(if is_ok { "!!" } else { "\r\n" });
    is_ok
}
