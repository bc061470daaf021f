//! The sixth stage: private messages, `help`, `exit`, history.

mod common;

use std::io::{Read, Write};
use std::process::Command;
use std::time::Instant;

use common::program::Program;
use common::random::Random;
use common::user::User;
use common::wait::DEADLINE;

const CHAT: &str = env!("CARGO_BIN_EXE_chat_server");

fn room(args: &[&str]) -> Program {
    Program::serve(Command::new(CHAT).args(["--stage", "beyond"]).args(args))
}

/// Joins the room and takes a name.
fn join(room: &Program, name: &str) -> User {
    let mut user = User::join(room.addr());
    user.say(format!("rename|{name}\n"));
    user.read_until("rename successful!!");
    user
}

#[test]
fn private_message_reaches_one_user_and_its_sender() {
    let room = room(&[]);
    let mut ann = join(&room, "Ann");
    let mut bob = join(&room, "Bob");
    let mut cyd = join(&room, "Cyd");
    let a = ann.addr.clone();
    for user in [&mut ann, &mut bob] {
        user.read_until(&format!("[{0}]{0}: login!!!\r\n", cyd.addr));
    }
    ann.say("to|bob|only you, a|b\nthat was for Bob\n");
    for user in [&mut ann, &mut bob] {
        user.expect(&format!(
            "[{a}]Ann -> Bob: only you, a|b\r\n[{a}]Ann: that was for Bob\r\n"
        ));
    }
    cyd.expect(&format!("[{a}]Ann: that was for Bob\r\n"));
    ann.say("to| \u{3000}bob\u{200b} |spaces\n");
    bob.expect(&format!("[{a}]Ann -> Bob: spaces\r\n"));
    cyd.say("to|cyd|note to myself\nto|Dan|hello\nto|Bob|  \nto|Bob\n");
    let c = cyd.addr.clone();
    cyd.read_until("to failed: there is no user of that name\r\n");
    cyd.read_until("to failed: the text is empty\r\n");
    cyd.say("to|cyd|last\n");
    let seen = cyd.read_until(&format!("[{c}]Cyd -> Cyd: last\r\n"));
    assert!(!seen.contains("Dan"), "{seen}");
    room.stop();
}

#[test]
fn help_is_sent_only_to_the_user_who_asked() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let mut bob = User::join(room.addr());
    ann.read_until(": login!!!\r\n");
    ann.say("help\n");
    for command in [
        "who -",
        "rename|NAME -",
        "to|NAME|TEXT -",
        "help -",
        "exit ",
    ] {
        ann.read_until(command);
    }
    ann.say("done\n");
    bob.expect(&format!("[{0}]{0}: done\r\n", ann.addr));
    room.stop();
}

#[test]
fn exit_logs_out_and_later_input_is_not_broadcast() {
    for command in ["exit", "quit"] {
        let room = room(&[]);
        let mut ann = User::join(room.addr());
        let mut bob = User::join(room.addr());
        let b = bob.addr.clone();
        ann.read_until(": login!!!\r\n");
        bob.say(format!("bye\n{command}\nnot said\n"));
        ann.expect(&format!("[{b}]{b}: bye\r\n[{b}]{b}: logout\r\n"));
        bob.expect(&format!("[{b}]{b}: bye\r\n"));
        assert_eq!(bob.read_to_end(), "");
        room.stop();
        assert!(!ann.read_to_end().contains("not said"));
    }
}

#[test]
fn new_client_gets_the_last_lines_but_no_private_ones() {
    let room = room(&["--history", "3"]);
    let mut ann = join(&room, "Ann");
    let a = ann.addr.clone();
    ann.say("one\ntwo\nto|Ann|secret\nthree\n");
    ann.read_until("three\r\n");
    let mut bob = User::connect(room.addr());
    let b = bob.addr.clone();
    bob.expect(&format!(
        "(earlier) [{a}]Ann: one\r\n(earlier) [{a}]Ann: two\r\n(earlier) [{a}]Ann: three\r\n[{b}]{b}: login!!!\r\n"
    ));
    room.stop();
}

#[test]
fn idle_client_gets_the_reason_for_its_disconnect() {
    let room = room(&["--timeout", "1s"]);
    let mut ann = User::join(room.addr());
    assert_eq!(
        ann.read_to_end(),
        "disconnected: you sent nothing for 1s\r\n"
    );
    room.stop();
}

#[test]
fn user_who_timed_out_sends_no_more_private_messages() {
    let room = room(&["--timeout", "1s"]);
    let mut ann = join(&room, "Ann");
    let mut bob = join(&room, "Bob");
    let (gone, start) = (
        format!("[{}]Ann: time out leaved\r\n", ann.addr),
        Instant::now(),
    );
    let mut seen = String::new();
    while !seen.contains(&gone) {
        assert!(start.elapsed() < DEADLINE, "{seen}");
        bob.say("still here\n");
        seen += &bob.read_until(": still here\r\n");
    }
    // The connection stays open for a moment, so that Ann can read why she was disconnected.
    ann.conn.write_all(b"to|Bob|hi\nrename|Bea\n").ok();
    let mut answers = Vec::new();
    ann.conn.read_to_end(&mut answers).ok();
    let answers = String::from_utf8_lossy(&answers);
    assert!(!answers.contains("successful"), "{answers}");
    bob.say("end\n");
    let seen = bob.read_until(": end\r\n");
    assert!(!seen.contains("-> Bob"), "{seen}");
    room.stop();
}

#[test]
fn commands_of_the_stage_are_plain_text_in_earlier_stages() {
    let room = Program::serve(&mut Command::new(CHAT));
    let mut ann = User::join(room.addr());
    let a = ann.addr.clone();
    ann.say("help\nto|x|y\nexit\n");
    ann.expect(&format!(
        "[{a}]{a}: help\r\n[{a}]{a}: to|x|y\r\n[{a}]{a}: exit\r\n"
    ));
    room.stop();
}

#[test]
fn private_messages_to_a_slow_client_do_not_block_the_room() {
    let room = room(&["--queue", "4"]);
    let _deaf = join(&room, "Deaf");
    let mut ann = join(&room, "Ann");
    let mut bob = User::join(room.addr());
    ann.read_until(": login!!!\r\n");
    let long = "x".repeat(4000);
    let start = Instant::now();
    for i in 0.. {
        ann.say(format!("to|Deaf|{long}\n"));
        let answer = ann.read_until("\r\n");
        if answer.contains("to failed") || answer.contains("Deaf: logout") {
            break;
        }
        assert!(answer.contains("-> Deaf: x"), "{answer}");
        assert!(
            start.elapsed().as_secs() < 60,
            "not kicked after {i} messages"
        );
    }
    bob.say("still here\n");
    bob.read_until(": still here\r\n");
    room.wait_for_stderr("kicked: it does not read");
    room.stop();
}

#[test]
fn history_without_stage_beyond_is_wrong_usage() {
    let stderr = Program::run(CHAT, &[&"--history", &"3"], b"").expect(2, "");
    assert!(
        stderr.contains("--history needs --stage beyond"),
        "{stderr}"
    );
    let stderr =
        Program::run(CHAT, &[&"--stage", &"beyond", &"--history", &"1001"], b"").expect(2, "");
    assert!(stderr.contains("from 0 to 1000"), "{stderr}");
}

#[test]
fn random_commands_do_not_stop_the_room_or_reach_others_unsafe() {
    let room = room(&["--history", "100"]);
    let mut ann = join(&room, "Ann");
    let pieces: [&[u8]; 18] = [
        b"to|",
        b"rename|",
        b"who",
        b"help",
        b"exit",
        b"quit",
        b"|",
        b"\n",
        b"\r\n",
        b"\0",
        b"Ann",
        b"ANN",
        b" ",
        b"(earlier) ",
        b"\x1b[2J",
        b"\xe2\x80\xae",
        b"\xff\xf4",
        b"\xe4\xbd",
    ];
    for seed in 0..40 {
        let mut random = Random(seed);
        let mut user = User::connect(room.addr());
        for _ in 0..50 {
            let mut bytes = Vec::new();
            for _ in 0..random.below(8) {
                bytes.extend(pieces[random.below(pieces.len())]);
            }
            bytes.extend(random.bytes(3));
            bytes.push(b'\n');
            // It may have left with `exit`.
            if user.conn.write_all(&bytes).is_err() {
                user = User::connect(room.addr());
            }
        }
    }
    let mut bob = User::join(room.addr());
    bob.say("to|ann|the end\n");
    let seen = ann.read_until("-> Ann: the end\r\n");
    let is_unsafe = |c: char| c.is_control() && !"\r\n\t".contains(c) || c == '\u{202e}';
    assert!(!seen.contains(is_unsafe), "{seen:?}");
    // All that Ann was sent are messages.
    for line in seen
        .split_terminator("\r\n")
        .filter(|line| !line.is_empty())
    {
        assert!(line.starts_with('['), "{line:?}");
    }
    room.stop();
}
