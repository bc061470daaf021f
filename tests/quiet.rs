//! `--quiet-above N`: logins and logouts as one line a second.

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::program::Program;
use common::user::User;

const CHAT: &str = env!("CARGO_BIN_EXE_chat_server");

fn room(args: &[&str]) -> Program {
    Program::serve(Command::new(CHAT).args(args))
}

/// Reads lines about comings and goings until so many users have come and gone; how many lines there were.
fn told(user: &mut User, joined: u64, left: u64) -> usize {
    let (mut so_far, mut lines) = ((0, 0), 0);
    while so_far != (joined, left) {
        let line = user.line();
        let told = line
            .strip_prefix("[room]: ")
            .unwrap_or_else(|| panic!("{line:?}"));
        for part in told.split(", ") {
            match part.split_once(' ') {
                Some((n, "joined")) => so_far.0 += n.parse::<u64>().unwrap(),
                Some((n, "left")) => so_far.1 += n.parse::<u64>().unwrap(),
                _ => panic!("{line:?}"),
            }
        }
        assert!(so_far.0 <= joined && so_far.1 <= left, "{so_far:?}");
        lines += 1;
    }
    lines
}

#[test]
fn in_a_large_room_logins_and_logouts_are_one_line_a_second() {
    let room = room(&["--quiet-above", "2"]);
    let mut ann = User::join(room.addr());
    let bob = User::join(room.addr());
    let b = bob.addr.clone();
    ann.expect(&format!("[{b}]{b}: login!!!\r\n"));
    let start = Instant::now();
    // Everyone still gets the own login line, at once.
    let mut users: Vec<_> = (0..10).map(|_| User::join(room.addr())).collect();
    let lines = told(&mut ann, 10, 0);
    let most = start.elapsed().as_secs() as usize + 1;
    assert!(lines <= most, "{lines} lines in {:?}", start.elapsed());
    // Those who stay are told too, and what is said comes as ever.
    ann.say("hello\n");
    let hello = format!("[{0}]{0}: hello\r\n", ann.addr);
    ann.expect(&hello);
    users[9].read_until(&hello);
    let start = Instant::now();
    users.truncate(5);
    assert!(told(&mut ann, 0, 5) <= start.elapsed().as_secs() as usize + 1);
    room.stop();
}

#[test]
fn a_room_that_has_become_small_shows_every_name_again() {
    let room = room(&["--quiet-above", "2"]);
    let mut ann = User::join(room.addr());
    let mut others: Vec<_> = (0..4).map(|_| User::join(room.addr())).collect();
    ann.read_until("login!!!\r\n");
    told(&mut ann, 3, 0);
    let start = Instant::now();
    others.clear();
    // Those who left while there were more than 2 are counted, the others are named.
    let logouts = 4 - {
        let mut named = 0;
        let mut counted = 0;
        while named + counted < 4 {
            let line = ann.line();
            match line.strip_prefix("[room]: ") {
                Some(told) => counted += told.split(' ').next().unwrap().parse::<usize>().unwrap(),
                None => named += usize::from(line.ends_with(": logout")),
            }
        }
        counted
    };
    assert!(logouts >= 2, "the last two leave a small room");
    assert!(start.elapsed() < Duration::from_secs(30));
    let bob = User::join(room.addr());
    ann.expect(&format!("[{0}]{0}: login!!!\r\n", bob.addr));
}

#[test]
fn without_the_option_everyone_is_named() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    for _ in 0..20 {
        let bob = User::join(room.addr());
        ann.expect(&format!("[{0}]{0}: login!!!\r\n", bob.addr));
        let b = bob.addr.clone();
        drop(bob);
        ann.expect(&format!("[{b}]{b}: logout\r\n"));
    }
}

#[test]
fn newcomer_gets_earlier_lines_before_its_own_login() {
    let room = room(&["--quiet-above", "1", "--stage", "beyond", "--history", "2"]);
    let mut ann = User::join(room.addr());
    let a = ann.addr.clone();
    ann.say("one\ntwo\n");
    ann.read_until("two\r\n");
    let mut bob = User::connect(room.addr());
    let b = bob.addr.clone();
    bob.expect(&format!(
        "(earlier) [{a}]{a}: one\r\n(earlier) [{a}]{a}: two\r\n[{b}]{b}: login!!!\r\n"
    ));
    room.stop();
}
