//! Clients that send too much, or random bytes.

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::random::Random;
use crate::common::user::User;
use crate::common::wait::{DEADLINE, wait_until};
use crate::{CHAT, UPPER, serve};

#[test]
fn flood_is_slowed_down_and_other_clients_are_not() {
    let room = serve(CHAT, &["--rate", "20/s"]);
    let mut ann = User::join(room.addr());
    let mut flooder = User::join(room.addr());
    let f = flooder.addr.clone();
    let start = Instant::now();
    for i in 0..60 {
        flooder.say(format!("flood {i}\n"));
    }
    // Another client sends and receives its own messages while the flood is held back.
    for i in 0..10 {
        ann.say(format!("talk {i}"));
        let heard = ann.read_until(&format!(": talk {i}\r\n"));
        assert!(!heard.contains("flood 59"), "the flood was not held back");
    }
    // All messages of the flood arrive in the end, in order, and not too early.
    let mut other = 0;
    while other < 60 {
        let line = flooder.line();
        if line.contains(": flood") {
            assert_eq!(line, format!("[{f}]{f}: flood {other}"));
            other += 1;
        }
    }
    let took = start.elapsed();
    assert!(
        took >= Duration::from_millis(1900),
        "60 messages at 20/s, 20 at once, took {took:?}"
    );
}

#[test]
fn flood_stops_when_its_client_disconnects() {
    let room = serve(CHAT, &["--rate", "1/s", "--timeout", "2s"]);
    room.wait_for_threads(4);
    let descriptors = room.descriptors();
    for reset in [false, true] {
        let mut flooder = User::join(room.addr());
        flooder.say("x\n".repeat(2000));
        if reset {
            flooder.reset();
        } else {
            drop(flooder);
        }
    }
    // The room notices that a connection is gone only when it writes to it, so a message is needed.
    let mut speaker = User::join(room.addr());
    wait_until(
        "the flooding clients are gone",
        || {
            speaker.say("anybody here?");
            speaker.read_until("here?\r\n");
            room.threads() == 4 + 3
        },
        || room.threads().to_string(),
    );
    drop(speaker);
    room.wait_for_counts(4, descriptors);
}

#[test]
fn client_kicked_during_a_flood_is_not_reset() {
    let room = serve(CHAT, &["--rate", "1/s", "--timeout", "300ms"]);
    let mut flooder = User::join(room.addr());
    // More than one read: the rest is unread when the room closes.
    flooder.say("x\n".repeat(20_000));
    flooder.read_until(": x\r\n");
    room.signal("INT");
    flooder.read_to_end();
    assert!(room.wait_end().success(), "{}", room.seen());
    // A reset would discard the data that is still on its way to the client.
    let err = flooder.conn.take_error().unwrap();
    assert!(err.is_none(), "{err:?}; {}", room.seen());
}

#[test]
fn flood_is_not_broadcast_after_the_logout_of_its_client() {
    let room = serve(CHAT, &["--rate", "1/s"]);
    let mut ann = User::join(room.addr());
    let mut flooder = User::join(room.addr());
    let f = flooder.addr.clone();
    // All in one read: the room has all of it, and has broadcast one message, when the client disconnects.
    let flood: String = (0..300).map(|i| format!("flood {i}\n")).collect();
    flooder.say(flood);
    ann.read_until(": flood 0\r\n");
    flooder.reset();
    // The room notices the disconnect when it writes the next message.
    ann.say("anybody here?");
    let heard = ann.read_until(&format!("[{f}]{f}: logout\r\n"));
    assert!(!heard.contains(": flood 299\r\n"), "{heard:?}");
}

#[test]
fn incomplete_character_at_the_end_of_input_is_answered() {
    let server = serve(UPPER, &[]);
    let mut client = User::connect(server.addr());
    client.say(b"a\xe4\xb8");
    client.close_write();
    assert_eq!(client.read_to_end(), "A\u{fffd}\u{fffd}");
}

#[test]
fn random_bytes_do_not_stop_the_servers() {
    const STRINGS: usize = 100_000;
    const PER_CONNECTION: usize = 100;
    for program in [CHAT, UPPER] {
        let server = serve(program, &["--max-clients", "5000"]);
        // The main thread, the two that wait for the shutdown, and the chat's manager.
        let threads = if program == CHAT { 4 } else { 3 };
        server.wait_for_threads(threads);
        let descriptors = server.descriptors();
        let addr = server.addr();
        thread::scope(|s| {
            for seed in 0..4 {
                s.spawn(move || {
                    let mut random = Random(seed);
                    for _ in 0..STRINGS / PER_CONNECTION / 4 {
                        throw(addr, &mut random, PER_CONNECTION);
                    }
                });
            }
        });
        server.wait_for_counts(threads, descriptors);
        let mut client = User::connect(server.addr());
        client.say("still there?");
        let answer = if program == CHAT {
            ": still there?\r\n"
        } else {
            "STILL THERE?"
        };
        client.read_until(answer);
        assert!(!server.stderr().contains("panicked"), "{}", server.seen());
    }
}

/// Sends random byte strings on one connection, reads little or nothing, and disconnects in a random way.
fn throw(addr: SocketAddr, random: &mut Random, strings: usize) {
    let mut conn = TcpStream::connect(addr).unwrap();
    conn.set_write_timeout(Some(DEADLINE)).unwrap();
    conn.set_nonblocking(random.below(2) == 0).unwrap();
    for _ in 0..strings {
        let mut bytes = match random.below(8) {
            0 => b"rename|".to_vec(),
            1 => b"who\n".to_vec(),
            _ => Vec::new(),
        };
        let n = random.below(64);
        bytes.extend(random.bytes(n));
        match conn.write(&bytes) {
            Ok(_) => {}
            Err(err) if err.kind() == ErrorKind::WouldBlock => break,
            // Kicked because it does not read.
            Err(_) => break,
        }
    }
    match random.below(3) {
        0 => socket2::SockRef::from(&conn)
            .set_linger(Some(Duration::ZERO))
            .unwrap(),
        1 => drop(conn.shutdown(Shutdown::Write)),
        _ => {}
    }
}
