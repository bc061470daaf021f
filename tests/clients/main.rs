//! Input to the room as real clients send it: terminals, netcat, telnet, PuTTY, programs.

#[path = "../common/mod.rs"]
mod common;

mod programs;
mod silence;
mod text;

use std::process::Command;
use std::thread;
use std::time::Duration;

use common::program::Program;
use common::user::User;

const CHAT: &str = env!("CARGO_BIN_EXE_chat_server");
const UPPER: &str = env!("CARGO_BIN_EXE_tcp_concurrent_server");

/// Pause of a client between two reads of the room. If it is too short on a busy machine, the two become one read,
/// and the tests still pass.
const BETWEEN_READS: Duration = Duration::from_millis(50);

fn room(args: &[&str]) -> Program {
    Program::serve(Command::new(CHAT).args(args))
}

/// Sends each of these so that it becomes a separate read.
fn say_in_pieces(user: &mut User, pieces: &[&[u8]]) {
    for piece in pieces {
        user.say(piece);
        thread::sleep(BETWEEN_READS);
    }
}
