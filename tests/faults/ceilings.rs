//! More clients than a server or its machine supports.

use std::fs;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use threadline::server::futex_hash;

use crate::common::program::Program;
use crate::common::user::User;
use crate::common::wait::{DEADLINE, wait_until};
use crate::{CHAT, UPPER, serve};

/// Starts a server with a limit set by the shell's `ulimit`.
fn serve_with_limit(limit: &str, program: &str, args: &[&str]) -> Program {
    let script = format!("ulimit {limit}; exec \"$@\"");
    let mut command = Command::new("sh");
    Program::serve(command.args(["-c", &script, "sh", program]).args(args))
}

#[test]
fn client_over_the_limit_is_rejected_with_a_message() {
    let room = serve(CHAT, &["--max-clients", "2"]);
    let ann = User::join(room.addr());
    let _bob = User::join(room.addr());
    let mut third = User::connect(room.addr());
    assert_eq!(third.read_to_end(), "the room is full, try again later\r\n");
    // A client that sends at once gets the message too.
    let mut fourth = User::connect(room.addr());
    fourth.say("hello\n");
    assert_eq!(fourth.line(), "the room is full, try again later");
    drop(ann);
    first_let_in(&room, room.addr());
    room.stop();
}

/// Connects until a client is accepted.
fn first_let_in(room: &Program, addr: SocketAddr) -> User {
    let mut user = User::connect(addr);
    wait_until(
        "a client is accepted again",
        || {
            let let_in = user.line().contains("login!!!");
            if !let_in {
                user = User::connect(addr);
            }
            let_in
        },
        || room.seen(),
    );
    user
}

#[test]
fn full_room_is_logged_once_each_time_it_fills_up() {
    let room = serve(CHAT, &["--max-clients", "1"]);
    let mut inside = User::join(room.addr());
    for _ in 0..2 {
        for _ in 0..3 {
            let mut outside = User::connect(room.addr());
            assert_eq!(outside.line(), "the room is full, try again later");
        }
        drop(inside);
        inside = first_let_in(&room, room.addr());
    }
    room.stop();
    let warnings = room.stderr().matches(" rejected: ").count();
    assert_eq!(warnings, 2, "{}", room.seen());
}

#[test]
fn clients_from_one_address_are_limited() {
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
    first_let_in(&room, room.addr());
}

#[test]
fn ipv4_and_mapped_ipv6_count_as_one_address() {
    if let Err(err) = TcpListener::bind("[::1]:0") {
        println!("skipped, this machine has no IPv6: {err}");
        return;
    }
    let room = Program::start(CHAT, &[&"--max-per-ip", &"1", &"[::]:0"]);
    let port = room.addr().port();
    let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), port);
    let mut ann = User::connect(at("127.0.0.1"));
    assert_eq!(ann.line(), format!("[{0}]{0}: login!!!", ann.addr));
    for same in ["127.0.0.1", "::ffff:127.0.0.1"] {
        let mut second = User::connect(at(same));
        assert_eq!(second.line(), "too many clients from your address");
    }
    let mut other = User::connect(at("::1"));
    other.read_until(": login!!!\r\n");
    drop(ann);
    first_let_in(&room, at("::ffff:127.0.0.1"));
}

#[test]
fn limit_of_the_machine_is_found_and_logged() {
    let room = serve_with_limit("-n 200", CHAT, &[]);
    let mut users = Vec::new();
    let near = "clients: RLIMIT_NOFILE is 200; to raise it: ulimit -n";
    while !room.stderr().contains(near) {
        users.push(User::join(room.addr()));
        assert!(users.len() < 200, "{}", room.seen());
    }
    let log = room.stderr();
    let most = log
        .split("of at most ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let most: usize = most.and_then(|most| most.parse().ok()).expect(&log);
    assert!(
        users.len() * 10 >= most * 9,
        "logged at {} of {most}",
        users.len()
    );
    users.extend((users.len()..most).map(|_| User::join(room.addr())));
    let mut beyond = User::connect(room.addr());
    assert_eq!(beyond.line(), "the room is full, try again later");
    assert!(!room.stderr().contains("cannot accept"), "{}", room.seen());
    assert_eq!(room.stderr().matches(near).count(), 1, "{}", room.seen());
}

#[test]
#[cfg(target_os = "linux")]
fn futex_hash_is_sized_from_the_client_limit() {
    if let Err(err) = futex_hash::slots() {
        println!("skipped, this kernel has no futex hash per process: {err}");
        return;
    }
    for (max_clients, expected) in [
        ("10", "4096 slots for at most 30"),
        ("500", "8192 slots for at most 1500"),
    ] {
        let mut command = Command::new("sh");
        let script = "RUST_LOG=debug exec \"$@\"";
        let args = ["-c", script, "sh", CHAT, "--max-clients", max_clients];
        let room = Program::serve(command.args(args));
        room.wait_for_stderr(&format!("futex hash: {expected} threads"));
        room.stop();
    }
}

#[test]
fn soft_limit_on_descriptors_is_raised() {
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
fn server_survives_running_out_of_descriptors() {
    for program in [CHAT, UPPER] {
        let server = serve_with_limit("-n 40", program, &["--max-clients", "1000"]);
        let mut clients: Vec<_> = (0..60).map(|_| User::connect(server.addr())).collect();
        server.wait_for_stderr("cannot accept");
        // It waits instead of spinning, and logs it once.
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
