//! Two hundred clients do random things. All readers must receive every message exactly once and in the same order.

mod common;

use std::collections::HashMap;
use std::env;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::program::Program;
use common::random::Random;
use common::user::User;
use common::wait::DEADLINE;

/// Clients that keep reading; they talk, rename themselves, and ask `who`.
const HEALTHY: usize = 100;
/// Clients that also leave, reset, half-close and stop reading.
const UNRULY: usize = 100;
const STEPS: usize = 40;

#[test]
fn every_reader_gets_every_message_once_and_in_one_order() {
    talk(&[], false);
}

#[test]
fn private_messages_history_and_exits_change_no_order_and_lose_nothing() {
    talk(&["--stage", "beyond", "--history", "50"], true);
}

/// Lets the clients talk in a room with these options, and checks what they have heard.
fn talk(args: &[&str], is_beyond: bool) {
    let seed: u64 = match env::var("STRESS_SEED") {
        Ok(seed) => seed.parse().expect("STRESS_SEED is a number"),
        Err(_) => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |now| now.subsec_nanos().into()),
    };
    println!("STRESS_SEED={seed}");

    let mut command = Command::new(env!("CARGO_BIN_EXE_chat_server"));
    let room = Program::serve(command.args(["--timeout", "1h"]).args(args));
    room.wait_for_threads(4);
    let descriptors = room.descriptors();
    let addr = room.addr();

    let users: Vec<_> = (0..HEALTHY).map(|_| User::join(addr)).collect();
    let (done, finished) = mpsc::channel();
    let heard: Vec<Heard> = thread::scope(|s| {
        let healthy: Vec<_> = users
            .into_iter()
            .enumerate()
            .map(|(i, user)| {
                let random = Random(seed.wrapping_add(i as u64));
                let done = done.clone();
                s.spawn(move || healthy(user, i, random, is_beyond, done))
            })
            .collect();
        for i in 0..UNRULY {
            let random = Random(seed.wrapping_add((HEALTHY + i) as u64));
            let done = done.clone();
            s.spawn(move || unruly(addr, i, random, is_beyond, done));
        }
        // When all clients have done all their steps, one sends the last message.
        for _ in 0..HEALTHY + UNRULY {
            finished
                .recv_timeout(DEADLINE * 2)
                .expect("all steps are done");
        }
        let mut last = User::join(addr);
        last.say("the last word");
        let mut heard = vec![];
        for user in healthy {
            heard.push(user.join().unwrap());
        }
        heard
    });

    // The first client was there from the beginning, so the others received the end of what it received.
    let reference = &heard[0].lines;
    for (i, heard) in heard.iter().enumerate() {
        let start = reference.len().checked_sub(heard.lines.len());
        let start = start.unwrap_or_else(|| panic!("{i} heard more than the first; seed {seed}"));
        let differ = (0..heard.lines.len()).find(|n| heard.lines[*n] != reference[start + n]);
        if let Some(n) = differ {
            let (got, want) = (&heard.lines[n], &reference[start + n]);
            panic!("{i} heard {got:?} where the first heard {want:?}; seed {seed}");
        }
    }
    let mut times: HashMap<&str, usize> = HashMap::new();
    for line in reference {
        if let Some((_, words)) = line.split_once(": healthy ") {
            *times.entry(words).or_default() += 1;
        }
    }
    let said: usize = heard.iter().map(|heard| heard.said).sum();
    assert_eq!(times.len(), said, "messages heard and said; seed {seed}");
    assert!(
        times.values().all(|n| *n == 1),
        "some messages were received twice: {times:?}; seed {seed}"
    );
    assert!(!room.stderr().contains("panicked"), "{}", room.seen());
    room.wait_for_counts(4, descriptors);
    room.stop();
}

/// What one client received from everyone, and how much it sent.
struct Heard {
    lines: Vec<String>,
    said: usize,
}

fn healthy(
    mut user: User,
    i: usize,
    mut random: Random,
    is_beyond: bool,
    done: Sender<()>,
) -> Heard {
    let mut name = user.addr.clone();
    let mut heard = Heard {
        lines: Vec::new(),
        said: 0,
    };
    for step in 0..STEPS {
        match random.below(8) {
            0 => user.say("who\n"),
            1 => {
                name = format!("h{i}-{step}");
                user.say(format!("rename|{name}\n"));
            }
            2 if is_beyond => user.say("help\n"),
            // To one that may not read, or not be there.
            3 if is_beyond => user.say(format!("to|u{i}-{step}|are you there\n")),
            4 if is_beyond => {
                user.say(format!("to|{name}|note {step}\n"));
                let own = format!("{name} -> {name}: note {step}");
                while !listen(&mut user, &mut heard).ends_with(&own) {}
            }
            _ => {
                user.say(format!("healthy {i} {step}\n"));
                heard.said += 1;
                let own = format!(": healthy {i} {step}");
                while !listen(&mut user, &mut heard).ends_with(&own) {}
            }
        }
    }
    done.send(()).unwrap();
    while !listen(&mut user, &mut heard).ends_with(": the last word") {}
    heard
}

/// Reads a line, and keeps it if it was sent to everyone. Lines for this client only end with `\n` alone, do not begin
/// with an address, or are private messages; the answer to `rename` has no line end.
fn listen(user: &mut User, heard: &mut Heard) -> String {
    let line = user.read_until("\n");
    let line = line.trim_start_matches("rename successful!!");
    match line.strip_suffix("\r\n") {
        Some(line) if line.starts_with('[') && line.contains(" -> ") => line.to_owned(),
        Some(line) if line.starts_with('[') => {
            heard.lines.push(line.to_owned());
            line.to_owned()
        }
        _ => String::new(),
    }
}

fn unruly(room: SocketAddr, i: usize, mut random: Random, is_beyond: bool, done: Sender<()>) {
    let mut stalled = Vec::new();
    let mut conn = enter(room);
    for step in 0..STEPS {
        // A write fails when the room has kicked a client that does not read.
        let said = match random.below(10) {
            0 => conn.write_all(b"who\n"),
            1 => conn.write_all(format!("rename|u{i}-{step}\n").as_bytes()),
            2 if is_beyond => {
                let to = random.below(UNRULY);
                let text = "x".repeat(3000);
                conn.write_all(format!("to|u{to}-{}|{text}\n", step / 2).as_bytes())
            }
            3 if is_beyond => conn.write_all(["exit\n", "quit\n", "help\n"][step % 3].as_bytes()),
            2..=5 => conn.write_all(format!("unruly {i} {step} {}\n", "x".repeat(500)).as_bytes()),
            6 => {
                conn = enter(room);
                Ok(())
            }
            7 => {
                let reset = socket2::SockRef::from(&conn).set_linger(Some(Duration::ZERO));
                conn = enter(room);
                reset
            }
            8 => {
                let closed = conn.shutdown(std::net::Shutdown::Write);
                stalled.push(std::mem::replace(&mut conn, enter(room)));
                closed
            }
            _ => {
                stalled.push(std::mem::replace(&mut conn, enter(room)));
                Ok(())
            }
        };
        if said.is_err() {
            conn = enter(room);
        }
    }
    done.send(()).unwrap();
}

fn enter(room: SocketAddr) -> TcpStream {
    let conn = TcpStream::connect(room).unwrap();
    conn.set_write_timeout(Some(DEADLINE)).unwrap();
    conn
}
