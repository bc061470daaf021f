//! What clients of the room send, as they send it: terminals, netcat, telnet, PuTTY, programs.

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

/// So long a client is silent between two reads of the room. Were it too short on a busy machine, they would
/// be one read, which none of these tests takes amiss.
const BETWEEN_READS: Duration = Duration::from_millis(50);

fn room(args: &[&str]) -> Program {
    Program::serve(Command::new(CHAT).args(args))
}

/// Sends each of these in a read of its own.
fn say_in_pieces(user: &mut User, pieces: &[&[u8]]) {
    for piece in pieces {
        user.say(piece);
        thread::sleep(BETWEEN_READS);
    }
}
