//! One script for each stage of the chat, in which every byte that every user receives is written
//! down. Go's program and ours must both keep to it; ours is held to it without Go as well.

use std::net::Shutdown;
use std::time::Instant;

use crate::room::{NO_TIMEOUT, Room, TIMEOUT};
use crate::side::Side;

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn gos_login() {
    login(Side::Go);
}

#[test]
fn our_login() {
    login(Side::Ours);
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn gos_broadcast() {
    broadcast(Side::Go);
}

#[test]
fn our_broadcast() {
    broadcast(Side::Ours);
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn gos_who() {
    who(Side::Go);
}

#[test]
fn our_who() {
    who(Side::Ours);
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn gos_rename() {
    rename(Side::Go);
}

#[test]
fn our_rename() {
    rename(Side::Ours);
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn gos_timeout() {
    timeout(Side::Go);
}

#[test]
fn our_timeout() {
    timeout(Side::Ours);
}

/// Nothing but logins is ever heard.
fn login(side: Side) {
    let mut room = Room::open(side, "login");
    (0..3).for_each(|_| room.enter());
    room.send(0, b"hello");
    room.send(1, b"who");
    room.enter();
    room.users.remove(2);
    room.enter();
    room.hear_nothing(0, 2 * NO_TIMEOUT);
    room.enter();
    room.close(&[]);
}

/// What all stages from the second on have in common: talk of every kind.
fn talk(room: &mut Room) {
    (0..3).for_each(|_| room.enter());
    room.say(0, b"hello");
    room.say(1, "不是 ASCII, Größe\tand a tab".as_bytes());
    room.say(2, b"\xfe\xfe caf\xe9 \xe4\xb8");
    room.say(2, b"login!!!");
    room.say(1, b" who");
    room.say(1, b"Who");
    room.say(0, b"rename Bob");
    room.say(0, b"a|b||");
    // As long as one read, and longer: the rest is a message of its own.
    let long = [b'x'; 4096];
    room.say(1, &long);
    let longer = [b'y'; 5000];
    room.send(1, &longer);
    let lines = [
        room.users[1].line(&longer[..4096]),
        room.users[1].line(&longer[4096..]),
    ];
    room.all_receive(&lines.concat());
}

/// A user leaves without a word to the others; nobody is kicked.
fn leave_unnoticed(room: &mut Room) -> String {
    let left = room.users.remove(2);
    drop(left.conn);
    room.server.wait_for_stdout("退出!!!\n", 1);
    room.say(0, b"one of us has left");
    room.hear_nothing(1, 2 * NO_TIMEOUT);
    room.say(1, b"nobody is kicked");
    left.name
}

fn broadcast(side: Side) {
    let mut room = Room::open(side, "broadcast");
    talk(&mut room);
    room.say(2, b"who");
    room.say(0, b"rename|Bob");
    room.say(0, b"not Bob");
    let left = leave_unnoticed(&mut room);
    room.close(&[&left]);
}

fn who(side: Side) {
    let mut room = Room::open(side, "who");
    talk(&mut room);
    let all = room.list(&[0, 1, 2]);
    room.ask_who(1, &all);
    room.say(1, b"whoever");
    room.say(0, b"rename|Bob");
    room.ask_who(0, &all);
    let left = leave_unnoticed(&mut room);
    // The map has the one who left for ever: nobody is taken out of it before the last stage.
    room.ask_who(0, &all);
    room.close(&[&left]);
}

fn rename(side: Side) {
    let mut room = Room::open(side, "rename");
    talk(&mut room);
    names(&mut room);
    let all = room.list(&[0, 1, 2]);
    let left = leave_unnoticed(&mut room);
    room.ask_who(0, &all);
    room.close(&[&left]);
}

/// Users take names, are listed with them and speak under them.
fn names(room: &mut Room) {
    let all = room.list(&[0, 1, 2]);
    room.ask_who(0, &all);
    room.rename(1, "Bob");
    room.say(1, b"I am Bob");
    room.rename(2, "鲍 勃");
    room.say(2, b"\xfeand I");
    let all = room.list(&[0, 1, 2]);
    room.ask_who(0, &all);
    room.rename(1, "Robert");
    room.say(0, b"and I have no name");
    room.say(1, b"Bob again");
}

fn timeout(side: Side) {
    let mut room = Room::open(side, "timeout");
    talk(&mut room);
    names(&mut room);

    // One leaves: the others are told, the one who leaves is not.
    room.users[2]
        .conn
        .shutdown(Shutdown::Write)
        .expect("cannot end a connection");
    room.end(2);
    let left = room.users.remove(2);
    let logout = left.line(b"logout");
    room.all_receive(&logout);
    let rest = room.list(&[0, 1]);
    room.ask_who(0, &rest);

    // One is silent and is kicked, the other is not: whatever it sends makes the clock start anew.
    room.say(0, b"my last words");
    room.say(1, b"and mine for now");
    room.hear_nothing(0, TIMEOUT / 2);
    room.ask_who(1, &rest);
    let kicked = room.users[0].line(b"time out leaved");
    room.receive(1, &kicked);
    room.end(0);
    let alone = room.list(&[1]);
    // In the end so is the other, but not before its time, and nobody is there to be told. Its clock
    // starts anew after it has asked, maybe before it has read the answer.
    let asked = Instant::now();
    room.ask_who(1, &alone);
    room.end(1);
    assert!(
        asked.elapsed() >= TIMEOUT,
        "kicked after {:?}",
        asked.elapsed()
    );
    room.close(&[&left.name]);
}
