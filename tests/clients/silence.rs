//! What prevents the timeout, and what does not.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::user::User;
use crate::common::wait::DEADLINE;
use crate::room;

#[test]
#[cfg(target_os = "linux")]
fn input_that_waits_counts_before_the_timeout_after_a_pause() {
    const TIMEOUT: Duration = Duration::from_secs(2);
    let room = room(&["--timeout", "2s"]);
    let mut users: Vec<_> = (0..40).map(|_| User::join(room.addr())).collect();
    room.signal("STOP");
    thread::sleep(TIMEOUT + crate::BETWEEN_READS);
    for (i, user) in users.iter_mut().enumerate() {
        user.say(format!("words {i}\n"));
    }
    room.signal("CONT");
    // From then on each sends nothing, and receives its own message before the timeout.
    let unheard: Vec<_> = users
        .iter_mut()
        .enumerate()
        .filter_map(|(i, user)| {
            (!user.read_all().contains(&format!(": words {i}\r\n"))).then_some(i)
        })
        .collect();
    assert!(
        unheard.is_empty(),
        "the messages of {unheard:?} are lost; {}",
        room.seen()
    );
}

#[test]
#[cfg(target_os = "linux")]
fn messages_held_back_by_the_rate_limit_prevent_the_timeout() {
    let room = room(&["--rate", "1/s", "--timeout", "300ms"]);
    room.wait_for_threads(4);
    let mut ann = User::join(room.addr());
    let a = ann.addr.clone();
    ann.say("one\ntwo\nthree\n");
    let heard = ann.read_to_end();
    assert_eq!(
        heard,
        format!("[{a}]{a}: one\r\n[{a}]{a}: two\r\n[{a}]{a}: three\r\n")
    );
    // Then it sends nothing, is disconnected, and leaves nothing behind.
    room.wait_for_threads(4);
}

#[test]
fn typing_prevents_the_timeout_until_it_stops() {
    let room = room(&["--timeout", "1s"]);
    let mut ann = User::join(room.addr());
    let a = ann.addr.clone();
    ann.say("hi\n");
    ann.read_until(": hi\r\n");
    for _ in 0..15 {
        ann.say("x");
        thread::sleep(Duration::from_millis(200));
    }
    ann.say("\nhalf");
    assert_eq!(
        ann.read_to_end(),
        format!("[{a}]{a}: {}\r\n", "x".repeat(15))
    );
}

#[test]
fn empty_lines_prevent_the_timeout_as_in_go() {
    for empty in ["\n", "\r\n", "\r\0"] {
        let room = room(&["--timeout", "1s"]);
        let mut ann = User::join(room.addr());
        let a = ann.addr.clone();
        for _ in 0..15 {
            ann.say(empty);
            thread::sleep(Duration::from_millis(200));
        }
        ann.say("still here\n");
        assert_eq!(ann.read_to_end(), format!("[{a}]{a}: still here\r\n"));
    }
}

#[test]
fn telnet_commands_and_control_characters_do_not_prevent_the_timeout() {
    for nothing in [
        &b"\xff\xf1"[..],
        b"\xff\xfb\x1f",
        b"\xff\xfa\x1f\0\x50\0\x18\xff\xf0",
        b"\0",
    ] {
        let room = room(&["--timeout", "1s"]);
        let mut ann = User::join(room.addr());
        let mut bob = User::join(room.addr());
        let (a, b) = (ann.addr.clone(), bob.addr.clone());
        // A client that sends lines may take its time to complete one.
        bob.say("hi\n");
        bob.read_until(": hi\r\n");
        let start = Instant::now();
        let kicked = format!("[{b}]{b}: time out leaved\r\n");
        loop {
            let _ = bob.conn.write_all(nothing);
            ann.say("still here?");
            if ann
                .read_until(&format!("[{a}]{a}: still here?\r\n"))
                .contains(&kicked)
            {
                break;
            }
            assert!(
                start.elapsed() < DEADLINE,
                "{nothing:?} keeps a client in the room"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn client_that_does_not_read_answers_is_kicked_despite_waiting_input() {
    let room = room(&["--timeout", "1s"]);
    room.wait_for_threads(4);
    let bob = User::join(room.addr());
    bob.conn
        .set_write_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let questions = "who\n".repeat(1000);
    while (&bob.conn).write_all(questions.as_bytes()).is_ok() {}
    room.wait_for_threads(4);
}
