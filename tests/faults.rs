//! What clients can do to a server, by intent or by accident, and what it does then: nothing.

mod common;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::program::Program;
use common::random::Random;
use common::user::User;
use common::wait::{DEADLINE, wait_until};

const CHAT: &str = env!("CARGO_BIN_EXE_chat_server");
const UPPER: &str = env!("CARGO_BIN_EXE_tcp_concurrent_server");

fn serve(program: &str, args: &[&str]) -> Program {
    Program::serve(Command::new(program).args(args))
}

/// Starts a server under a limit of the shell's `ulimit`.
fn serve_with_limit(limit: &str, program: &str, args: &[&str]) -> Program {
    let script = format!("ulimit {limit}; exec \"$@\"");
    let mut command = Command::new("sh");
    Program::serve(command.args(["-c", &script, "sh", program]).args(args))
}

/// A line as long as a message may be.
fn long_line() -> String {
    "x".repeat(4000)
}

/// Talks until the log says that `slow` was kicked. Hears all of its own words meanwhile.
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
fn a_client_that_does_not_read_is_kicked_and_nobody_waits_for_it() {
    let room = serve(CHAT, &[]);
    let mut ann = User::join(room.addr());
    ann.say("all of my threads run");
    ann.read_until("run\r\n");
    let (threads, descriptors) = (room.threads(), room.descriptors());
    let slow = User::join(room.addr());
    // Every word comes back while the slow one is there, and so does a newcomer's login.
    talk_until_kicked(&room, &mut ann, &slow.addr);
    let newcomer = User::join(room.addr());
    ann.read_until(&format!("]{}: login!!!\r\n", newcomer.addr));
    drop(newcomer);
    // Its threads have gone though it still does not close its end.
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
fn memory_for_clients_that_do_not_read_is_bounded() {
    const SLOW: usize = 1;
    const TALKERS: usize = 30;
    const LINES: usize = 300;
    // What `--help` states for a queue of 64.
    const BOUND_KB: u64 = 1434;
    let room = serve(CHAT, &["--queue", "64"]);
    let slow: Vec<_> = (0..SLOW).map(|_| User::join(room.addr())).collect();
    // Many talk at once, so that bursts are as long as they may be.
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
            // Hears everything, to the end that follows its own last words.
            s.spawn(move || std::io::copy(&mut ears, &mut std::io::sink()).unwrap());
        }
    });
    for user in &slow {
        room.wait_for_stderr(&format!("{} kicked", user.addr));
    }
    let grown = room.kilobytes("VmHWM") - before;
    // The talkers take some too: their buffers, and what is on its way to them.
    let bound = SLOW as u64 * BOUND_KB + TALKERS as u64 * 50;
    assert!(
        grown <= bound,
        "grown by {grown} kB for {SLOW} slow clients, the bound is {bound} kB"
    );
}

#[test]
fn queue_0_has_gos_freeze_and_thaws_when_the_slow_one_leaves() {
    let room = serve(CHAT, &["--queue", "0"]);
    let mut ann = User::join(room.addr());
    let slow = User::join(room.addr());
    ann.read_until(&format!("]{}: login!!!\r\n", slow.addr));
    // Talks without listening; the room stops taking it when manager waits for the slow one.
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
        "a frozen room let somebody in: {silence:?}"
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
fn a_frozen_room_can_be_stopped() {
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

#[test]
fn the_room_has_a_ceiling_and_says_so() {
    let room = serve(CHAT, &["--max-clients", "2"]);
    let ann = User::join(room.addr());
    let _bob = User::join(room.addr());
    let mut third = User::connect(room.addr());
    assert_eq!(third.read_to_end(), "the room is full, try again later\r\n");
    // One that talks at once is told as well.
    let mut fourth = User::connect(room.addr());
    fourth.say("hello\n");
    assert_eq!(fourth.line(), "the room is full, try again later");
    drop(ann);
    room_has_room_again(&room);
    room.stop();
}

/// Tries until somebody is let in.
fn room_has_room_again(room: &Program) {
    wait_until(
        "somebody is let in again",
        || {
            let mut user = User::connect(room.addr());
            user.line().contains("login!!!")
        },
        || room.seen(),
    );
}

#[test]
fn one_address_has_a_ceiling_of_its_own() {
    let room = serve(CHAT, &["--max-per-ip", "2"]);
    let ann = User::join(room.addr());
    let _bob = User::join(room.addr());
    let mut third = User::connect(room.addr());
    assert_eq!(third.line(), "too many clients from your address");
    let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    other
        .bind(&"127.0.0.2:0".parse::<SocketAddr>().unwrap().into())
        .unwrap();
    other.connect(&room.addr().into()).unwrap();
    other.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut login = [0; 64];
    let n = (&other).read(&mut login).unwrap();
    assert!(
        String::from_utf8_lossy(&login[..n]).contains("login!!!"),
        "{login:?}"
    );
    drop(ann);
    room_has_room_again(&room);
}

#[test]
fn the_ceiling_of_the_machine_is_found_and_logged() {
    let room = serve_with_limit("-n 200", CHAT, &[]);
    room.wait_for_stderr("clients: RLIMIT_NOFILE is 200; to raise it: ulimit -n");
    let log = room.stderr();
    let most: usize = log
        .split("at most ")
        .nth(1)
        .unwrap_or("?")
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let _users: Vec<_> = (0..most).map(|_| User::join(room.addr())).collect();
    let mut beyond = User::connect(room.addr());
    assert_eq!(beyond.line(), "the room is full, try again later");
    assert!(!room.stderr().contains("cannot accept"), "{}", room.seen());
}

#[test]
fn the_soft_limit_on_descriptors_is_raised() {
    let room = serve_with_limit("-Sn 64", CHAT, &[]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", room.id())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let fields: Vec<_> = line.split_whitespace().collect();
    assert_eq!(fields[3], fields[4], "soft and hard: {line}");
    assert_ne!(fields[3], "64", "{line}");
}

#[test]
fn running_out_of_descriptors_ends_nothing() {
    for program in [CHAT, UPPER] {
        let server = serve_with_limit("-n 40", program, &["--max-clients", "1000"]);
        let mut clients: Vec<_> = (0..60).map(|_| User::connect(server.addr())).collect();
        server.wait_for_stderr("cannot accept");
        // It waits instead of spinning, and tells of it once.
        let (start, cpu) = (Instant::now(), server.cpu());
        let pause = Duration::from_millis(1500);
        wait_until("some time", || start.elapsed() > pause, String::new);
        let used = server.cpu() - cpu;
        assert!(used < pause / 3, "{program} used {used:?} of {pause:?}");
        assert_eq!(
            server.stderr().matches("cannot accept").count(),
            1,
            "{}",
            server.seen()
        );
        clients.clear();
        server.wait_for_stderr("accepting again");
        let mut client = User::connect(server.addr());
        client.say("hello\n");
        if program == CHAT {
            client.read_until(&format!("]{}: hello\r\n", client.addr));
        } else {
            client.expect("HELLO\n");
        }
        server.stop();
    }
}

#[test]
fn a_flood_is_slowed_down_and_nobody_else_is() {
    let room = serve(CHAT, &["--rate", "20/s"]);
    let mut ann = User::join(room.addr());
    let mut flooder = User::join(room.addr());
    let f = flooder.addr.clone();
    let start = Instant::now();
    for i in 0..60 {
        flooder.say(format!("flood {i}\n"));
    }
    // One talks and hears oneself while the flood is held back.
    for i in 0..10 {
        ann.say(format!("talk {i}"));
        let heard = ann.read_until(&format!(": talk {i}\r\n"));
        assert!(!heard.contains("flood 59"), "the flood was not held back");
    }
    // All of it comes in the end, in order, not before its time.
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
fn a_flood_ends_with_its_client() {
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
    // Kicked, because a pause is silence, and it stays connected.
    let room_kicks = serve(CHAT, &["--rate", "1/s", "--timeout", "300ms"]);
    room_kicks.wait_for_threads(4);
    let mut kicked = User::join(room_kicks.addr());
    kicked.say("x\n".repeat(2000));
    kicked.read_to_end();
    room_kicks.wait_for_threads(4);
    // Somebody must speak to a connection that has gone before it is known to be gone.
    let mut speaker = User::join(room.addr());
    wait_until(
        "the flooders are gone",
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
fn clients_that_close_at_the_end_are_not_waited_for() {
    let room = serve(CHAT, &["--timeout", "1h"]);
    let mut users: Vec<_> = (0..20).map(|_| User::join(room.addr())).collect();
    let start = Instant::now();
    room.signal("INT");
    for mut user in users.drain(..) {
        user.read_to_end();
    }
    assert_eq!(room.wait_end().code(), Some(0));
    let took = start.elapsed();
    assert!(
        took < Duration::from_millis(900),
        "it took {took:?}, about the whole grace period"
    );
}

#[test]
fn comings_and_goings_leave_nothing_behind() {
    const CLIENTS: usize = 3000;
    let room = serve(CHAT, &["--timeout", "300ms"]);
    let (threads, descriptors) = {
        let mut watcher = User::join(room.addr());
        watcher.read_to_end();
        wait_until(
            "the kicked one is gone",
            || room.threads() < 5,
            || room.threads().to_string(),
        );
        (room.threads(), room.descriptors())
    };
    let mut random = Random(1);
    let mut staying = Vec::new();
    for i in 0..CLIENTS {
        let mut user = if i % 3 == 0 {
            User::join(room.addr())
        } else {
            User::connect(room.addr())
        };
        match random.below(5) {
            0 => drop(user),
            1 => user.reset(),
            2 => {
                user.say("bye");
                user.close_write();
                user.read_to_end();
            }
            3 => {
                user.say("bye\nwho\nrename|x\n");
                user.reset();
            }
            // Stays until it is kicked, without closing its end.
            _ => staying.push(user),
        }
        if staying.len() > 200 {
            staying.drain(..100);
        }
    }
    room.wait_for_counts(threads, descriptors);
    drop(staying);
    room.stop();
}

#[test]
fn a_thousand_clients_get_a_clean_end() {
    const CLIENTS: usize = 1000;
    const STALLED: usize = 50;
    let room = serve(CHAT, &["--timeout", "1h"]);
    let mut first = User::join(room.addr());
    let stalled: Vec<_> = (0..STALLED).map(|_| User::connect(room.addr())).collect();
    let (done, ends) = mpsc::channel();
    thread::scope(|s| {
        let mut users: Vec<_> = (0..CLIENTS - STALLED - 1)
            .map(|_| User::connect(room.addr()))
            .collect();
        // Only who has come into the room hears what is said there.
        for _ in 0..CLIENTS - 1 {
            first.read_until(": login!!!\r\n");
        }
        let last = users.last().unwrap().addr.clone();
        users.last_mut().unwrap().say("last words");
        first.read_until(&format!("[{last}]{last}: last words\r\n"));
        let words = format!("[{last}]{last}: last words\r\n");
        // Eight threads read for all of them; some also talk until the end.
        let chunks: Vec<Vec<User>> = (0..8)
            .map(|_| users.split_off(users.len().saturating_sub(CLIENTS / 8)))
            .collect();
        assert!(users.is_empty());
        for mut chunk in chunks {
            let (done, words) = (done.clone(), words.clone());
            s.spawn(move || {
                for user in chunk.iter_mut().step_by(10) {
                    let _ = user.conn.write_all(b"talking\n");
                }
                for user in &mut chunk {
                    done.send(user.read_all().contains(&words)).unwrap();
                }
            });
        }
        drop(done);
        let start = Instant::now();
        room.signal("TERM");
        let status = room.wait_end();
        let took = start.elapsed();
        assert_eq!(status.code(), Some(0), "{}", room.seen());
        assert!(took < Duration::from_secs(2), "it took {took:?} to stop");
        let ends: Vec<bool> = ends.iter().collect();
        assert_eq!(ends.len(), CLIENTS - STALLED - 1);
        assert!(
            ends.iter().all(|heard| *heard),
            "not everyone got what was said before the end"
        );
    });
    first.read_to_end();
    drop(stalled);
}

#[test]
fn two_thousand_at_once_are_all_served() {
    const CLIENTS: usize = 2000;
    for program in [CHAT, UPPER] {
        let server = serve(program, &[]);
        let addr = server.addr();
        thread::scope(|s| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    s.spawn(move || {
                        (0..CLIENTS / 8)
                            .map(|_| User::connect(addr))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            let users: Vec<_> = threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect();
            let mut users = users;
            for user in &mut users {
                if program == CHAT {
                    user.read_until(&format!("[{0}]{0}: login!!!\r\n", user.addr));
                } else {
                    user.say("hello");
                    user.expect("HELLO");
                }
            }
            server.stop();
        });
    }
}

#[test]
fn random_bytes_end_nothing() {
    const STRINGS: usize = 100_000;
    const PER_CONNECTION: usize = 100;
    for program in [CHAT, UPPER] {
        let server = serve(program, &["--max-clients", "5000"]);
        // Main, the two that wait for the end, and the chat's manager.
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

/// Sends random byte strings on one connection, reads little or nothing, and goes in a random way.
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
            // Kicked for not reading.
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

#[test]
fn a_stop_while_clients_come_ends_all_the_same() {
    for _ in 0..10 {
        let room = serve(CHAT, &[]);
        let addr = room.addr();
        let (came, comes) = mpsc::channel();
        let guests: Vec<_> = (0..4)
            .map(|_| {
                let came = came.clone();
                thread::spawn(move || {
                    // Until the room no longer lets anybody in.
                    let mut guests = Vec::new();
                    while let Ok(conn) = TcpStream::connect(addr) {
                        guests.push(conn);
                        came.send(()).ok();
                    }
                })
            })
            .collect();
        for _ in 0..40 {
            comes.recv_timeout(DEADLINE).expect("clients come");
        }
        room.stop();
        for guest in guests {
            guest.join().unwrap();
        }
    }
}
