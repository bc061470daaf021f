//! Clients that do not read.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use crate::common::program::Program;
use crate::common::user::User;
use crate::common::wait::DEADLINE;
use crate::{CHAT, serve};

/// A line of the maximum length of a message.
fn long_line() -> String {
    "x".repeat(4000)
}

/// Sends messages until the log shows that `slow` was kicked, and receives all of them.
fn talk_until_kicked(room: &Program, talker: &mut User, slow: &str) -> usize {
    let kicked = format!("{slow} kicked");
    let mut said = 0;
    while !room.stderr().contains(&kicked) {
        assert!(
            said < 20_000,
            "{slow} is not kicked after {said} messages; {}",
            room.seen()
        );
        talker.say(format!("{said} {}", long_line()));
        talker.read_until(&format!(": {said} {}\r\n", long_line()));
        said += 1;
    }
    said
}

#[test]
fn slow_client_is_kicked_and_room_goes_on() {
    let room = serve(CHAT, &[]);
    let mut ann = User::join(room.addr());
    ann.say("all of my threads run");
    ann.read_until("run\r\n");
    let (threads, descriptors) = (room.threads(), room.descriptors());
    let slow = User::join(room.addr());
    // Every message comes back while the slow client is connected, and so does the login of a new client.
    talk_until_kicked(&room, &mut ann, &slow.addr);
    let newcomer = User::join(room.addr());
    ann.read_until(&format!("]{}: login!!!\r\n", newcomer.addr));
    drop(newcomer);
    // Its threads have exited although it has not closed its side.
    room.wait_for_counts(threads, descriptors);
    assert_eq!(
        room.stderr().matches(" kicked").count(),
        1,
        "{}",
        room.seen()
    );
    assert!(
        room.stdout().contains(&format!("{}退出", slow.addr)),
        "{}",
        room.seen()
    );
    drop(slow);
    room.stop();
}

#[test]
fn memory_for_slow_clients_is_bounded() {
    const SLOW: usize = 1;
    const TALKERS: usize = 30;
    const LINES: usize = 300;
    // The amount that `--help` states for a queue of 64.
    const BOUND_KB: u64 = 1434;
    let room = serve(CHAT, &["--queue", "64"]);
    let slow: Vec<_> = (0..SLOW).map(|_| User::join(room.addr())).collect();
    // Many clients send at the same time, so that batches have the maximum size.
    let talkers: Vec<_> = (0..TALKERS).map(|_| User::join(room.addr())).collect();
    let before = room.kilobytes("VmHWM");
    thread::scope(|s| {
        for user in &talkers {
            let (mut mouth, mut ears) = (&user.conn, &user.conn);
            s.spawn(move || {
                let line = long_line() + "\n";
                for _ in 0..LINES {
                    mouth.write_all(line.as_bytes()).unwrap();
                }
                user.close_write();
            });
            // Receives everything, until the end after its own last message.
            s.spawn(move || std::io::copy(&mut ears, &mut std::io::sink()).unwrap());
        }
    });
    for user in &slow {
        room.wait_for_stderr(&format!("{} kicked", user.addr));
    }
    let grown = room.kilobytes("VmHWM") - before;
    // The senders take some memory too: 128 lines that wait for manager, their stacks and buffers, and data on its
    // way to them, the more the busier the machine is. Without a limit the queue of the slow client would hold all
    // messages, 36 MB.
    let bound = SLOW as u64 * BOUND_KB + 128 * 4 + TALKERS as u64 * 100;
    assert!(
        grown <= bound,
        "grown by {grown} kB for {SLOW} slow clients, the bound is {bound} kB"
    );
}

#[test]
fn queue_0_freezes_like_go_until_the_slow_client_leaves() {
    let room = serve(CHAT, &["--queue", "0"]);
    let mut ann = User::join(room.addr());
    let slow = User::join(room.addr());
    ann.read_until(&format!("]{}: login!!!\r\n", slow.addr));
    // Sends without reading. The room stops reading from it when manager waits for the slow client.
    ann.conn
        .set_write_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let mut listener = ann.conn.try_clone().unwrap();
    let heard = thread::spawn(move || {
        let mut heard = Vec::new();
        let mut buf = [0; 65536];
        while let Ok(n @ 1..) = listener.read(&mut buf) {
            heard.extend_from_slice(&buf[..n]);
            let end = heard.len().saturating_sub(n + 64);
            if heard[end..].windows(8).any(|part| part == b": thawed") {
                return true;
            }
        }
        false
    });
    let line = long_line() + "\n";
    while ann.conn.write_all(line.as_bytes()).is_ok() {}
    let mut newcomer = User::connect(room.addr());
    newcomer
        .conn
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let silence = newcomer.conn.read(&mut [0; 1]);
    assert!(
        silence.is_err(),
        "a frozen room logged in a client: {silence:?}"
    );
    assert!(!room.stderr().contains("kicked"), "{}", room.seen());

    slow.reset();
    newcomer.conn.set_read_timeout(Some(DEADLINE)).unwrap();
    newcomer.read_until(&format!("]{}: login!!!\r\n", newcomer.addr));
    newcomer.say("thawed\n");
    assert!(heard.join().unwrap(), "nothing is heard after the thaw");
    room.stop();
}

#[test]
fn frozen_room_can_be_stopped() {
    let room = serve(CHAT, &["--queue", "0"]);
    let ann = User::join(room.addr());
    let _slow = User::join(room.addr());
    ann.conn
        .set_write_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let line = long_line() + "\n";
    while (&ann.conn).write_all(line.as_bytes()).is_ok() {}
    room.stop();
}
