//! How the room turns input into messages.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use crate::common::user::User;
use crate::{room, say_in_pieces};

#[test]
fn character_split_across_two_reads_is_sent_whole() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let a = ann.addr.clone();
    let text = "你好\n".as_bytes();
    say_in_pieces(&mut ann, &[&text[..4], &text[4..]]);
    let heard = ann.read_until("好\r\n");
    assert!(!heard.contains('\u{fffd}'), "{heard:?}");
    // From now on the client sends lines.
    say_in_pieces(&mut ann, &[&text[..4], &text[4..]]);
    ann.expect(&format!("[{a}]{a}: 你好\r\n"));
}

#[test]
fn half_a_character_is_held_back_for_at_most_a_second() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let a = ann.addr.clone();
    // "café" in Latin-1, followed by another message.
    ann.say(b"caf\xe9");
    ann.expect(&format!("[{a}]{a}: caf\r\n"));
    assert_eq!(ann.line(), format!("[{a}]{a}: \u{fffd}"));
    ann.say("who");
    ann.expect(&format!("online user list: \n{a}:{a}\n"));
}

#[test]
fn line_is_one_message_however_it_is_split() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let a = ann.addr.clone();
    let long = "很".repeat(1300);
    say_in_pieces(&mut ann, &[b"hi\r", b"\nhel", b"lo\r\n"]);
    say_in_pieces(
        &mut ann,
        &[&long.as_bytes()[..2000], &long.as_bytes()[2000..], b"\n"],
    );
    say_in_pieces(&mut ann, &[b"one\rtw", b"o\r\0"]);
    for text in ["hi", "hello", &long, "one", "two"] {
        ann.expect(&format!("[{a}]{a}: {text}\r\n"));
    }
    say_in_pieces(&mut ann, &[b"wh", b"o\r\n"]);
    ann.expect(&format!("online user list: \n{a}:{a}\n"));
}

#[test]
fn single_key_presses_become_lines() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let a = ann.addr.clone();
    ann.say("\r");
    for (line, answer) in [
        ("hello\r", format!("[{a}]{a}: hello\r\n")),
        ("who\r", format!("online user list: \n{a}:{a}\n")),
    ] {
        for key in line.bytes() {
            ann.say([key]);
            thread::sleep(Duration::from_millis(2));
        }
        ann.expect(&answer);
    }
    // A last line without a newline is held back for a second only.
    ann.say("one\rtwo");
    ann.expect(&format!("[{a}]{a}: one\r\n[{a}]{a}: two\r\n"));
}

#[test]
fn rest_of_a_too_long_line_is_not_a_command() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let mut bob = User::join(room.addr());
    let (a, b) = (ann.addr.clone(), bob.addr.clone());
    let long = "x".repeat(4096);
    for newline in ["", "\n"] {
        ann.say(format!("{newline}{long}rename|Mallory\n{long}who\nend\n"));
        for text in [&long, "rename|Mallory", &long, "who", "end"] {
            bob.expect(&format!("[{a}]{a}: {text}\r\n"));
        }
    }
    bob.say("who");
    bob.expect(&format!("online user list: \n{a}:{a}\n{b}:{b}\n"));
}

#[test]
fn characters_that_repaint_or_reorder_a_terminal_are_removed() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let a = ann.addr.clone();
    ann.say("hi\u{85}[1.2.3.4:5]root: forged\u{2028}\u{2029}\u{202e}.\u{9b}2J\u{1b}\u{2066}\n");
    ann.expect(&format!("[{a}]{a}: hi[1.2.3.4:5]root: forged.2J\r\n"));
    ann.say("rename|A\u{85}n\u{202e}n\u{2028}\n");
    ann.expect("rename successful!!");
    ann.say("me\n");
    ann.expect(&format!("[{a}]Ann: me\r\n"));
}

#[test]
fn names_must_differ_visibly() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let mut bob = User::join(room.addr());
    let b = bob.addr.clone();
    ann.say("rename|Ann\n");
    ann.read_until("rename successful!!");
    for (name, refusal) in [
        ("\u{3000}", "the name is empty"),
        ("\u{200b}", "the name has no visible character"),
        ("\u{3000}\u{3164}", "the name has no visible character"),
        ("Ann", "the name is taken"),
        ("Ann\u{3000}", "the name is taken"),
        ("A\u{200b}nn", "the name is taken"),
        ("1.2.3.4\u{200b}:5", "an address is not a name"),
    ] {
        bob.say(format!("rename|{name}\n"));
        bob.expect(&format!("rename failed: {refusal}\r\n"));
    }
    bob.say("rename|\u{3000}❤\u{fe0f} \r\nit is me\n");
    bob.expect(&format!("rename successful!![{b}]❤\u{fe0f}: it is me\r\n"));
}

#[test]
fn byte_order_mark_is_not_part_of_the_first_command() {
    let room = room(&[]);
    for pieces in [
        &[&b"\xef\xbb\xbfwho\r\n"[..]][..],
        &[b"\xef\xbb", b"\xbfwho\n"],
    ] {
        let mut ann = User::join(room.addr());
        say_in_pieces(&mut ann, &pieces[..1]);
        say_in_pieces(&mut ann, &pieces[1..]);
        ann.read_until(&format!("{0}:{0}\n", ann.addr));
    }
}

#[test]
fn telnet_command_is_not_broadcast_and_timing_mark_is_answered() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let mut bob = User::join(room.addr());
    let a = ann.addr.clone();
    ann.say(b"hi \xff\xfdx\n");
    bob.expect(&format!("[{a}]{a}: hi \r\n"));
    // Ctrl-C, with the timing mark split across two reads.
    say_in_pieces(&mut ann, &[b"\xff\xf4\xff\xfd", b"\x06"]);
    let mut heard = Vec::new();
    while !heard.ends_with(b"\xff\xfc\x06") {
        let mut byte = [0];
        ann.conn.read_exact(&mut byte).unwrap();
        heard.extend(byte);
    }
    assert_eq!(
        heard.iter().filter(|byte| **byte == 0xff).count(),
        1,
        "{heard:?}"
    );
    ann.say("after\n");
    bob.expect(&format!("[{a}]{a}: after\r\n"));
}

#[test]
fn urgent_half_of_a_telnet_command_is_received_in_order() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let a = ann.addr.clone();
    // Telnet's "synch", of which one byte is urgent: the first (Debian's telnet), or the second.
    let urgent = |byte| {
        let sent = socket2::SockRef::from(&ann.conn).send_out_of_band(byte);
        assert_eq!(sent.unwrap(), 1);
    };
    (&ann.conn).write_all(b"hi\n").unwrap();
    urgent(b"\xff");
    (&ann.conn).write_all(b"\xf2one\n\xff").unwrap();
    urgent(b"\xf2");
    (&ann.conn).write_all(b"\xff\xfb\x06two\n").unwrap();
    ann.expect(&format!(
        "[{a}]{a}: hi\r\n[{a}]{a}: one\r\n[{a}]{a}: two\r\n"
    ));
}
