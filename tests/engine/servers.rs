//! Servers that die, freeze, or are away for longer than the engine keeps what is said.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::common::user::User;
use crate::common::wait::wait_until;
use crate::engine::Engine;
use crate::server;
use crate::talk::Talk;

#[test]
#[ignore = "needs redis-server"]
fn users_of_a_killed_server_are_logged_out_once_within_six_seconds() {
    let engine = Engine::start();
    let (one, two, three) = (
        server(&engine, &[]),
        server(&engine, &[]),
        server(&engine, &[]),
    );
    let mut bobs: Vec<_> = (0..20).map(|_| User::join(two.addr())).collect();
    bobs[0].say("rename|Bob\n");
    bobs[0].read_until("rename successful!!");
    let talk = Talk::start(&[&one, &three], 3);
    talk.wait_for(300);
    let start = Instant::now();
    two.kill();
    let users = || -> i64 {
        let keys: Vec<String> = engine.ask("KEYS threadline:1:{lobby}:users:*");
        keys.iter()
            .map(|key| engine.ask::<i64>(&format!("HLEN {key}")))
            .sum()
    };
    wait_until(
        "only 6 users are left",
        || users() == 6,
        || users().to_string(),
    );
    assert!(
        start.elapsed() < Duration::from_secs(6),
        "{:?}",
        start.elapsed()
    );
    talk.wait_for(100);
    let (lines, notices) = talk.end();
    assert!(notices.iter().all(Vec::is_empty), "{notices:?}");
    for (n, bob) in bobs.iter().enumerate() {
        let name = if n == 0 { "Bob" } else { &bob.addr };
        let logout = format!("[{}]{name}: logout", bob.addr);
        assert_eq!(
            lines.iter().filter(|line| **line == logout).count(),
            1,
            "{logout}"
        );
    }
    // A dead user's name is free.
    let mut ann = User::join(one.addr());
    ann.say("rename|Bob\n");
    ann.read_until("rename successful!!");
}

#[test]
#[ignore = "needs redis-server"]
fn more_users_than_one_heartbeat_removes_are_logged_out_once_each() {
    let engine = Engine::start();
    let (one, two) = (
        server(&engine, &["--timeout", "1h"]),
        server(&engine, &["--timeout", "1h"]),
    );
    let mut ann = User::join(one.addr());
    let bobs: Vec<_> = (0..700).map(|_| User::connect(two.addr())).collect();
    let came: Vec<_> = (0..bobs.len()).map(|_| ann.line()).collect();
    assert!(
        came.iter().all(|line| line.ends_with("login!!!")),
        "{came:?}"
    );
    let start = Instant::now();
    two.kill();
    let mut left: Vec<_> = (0..bobs.len()).map(|_| ann.line()).collect();
    assert!(
        start.elapsed() < Duration::from_secs(7),
        "{:?}",
        start.elapsed()
    );
    let mut expected: Vec<_> = bobs
        .iter()
        .map(|bob| format!("[{0}]{0}: logout", bob.addr))
        .collect();
    left.sort();
    expected.sort();
    assert_eq!(left, expected);
    ann.say("who\n");
    ann.expect(&format!("online user list: \n{0}:{0}\n", ann.addr.clone()));
}

#[test]
#[ignore = "needs redis-server"]
fn a_server_frozen_for_longer_than_a_lease_logs_its_users_in_again() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut bob = User::join(two.addr());
    let b = bob.addr.clone();
    bob.say("rename|Bob\n");
    bob.expect("rename successful!!");
    let talk = Talk::start(&[&one], 5);
    talk.wait_for(100);
    two.signal("STOP");
    bob.say("while frozen\n");
    let left = || {
        let users: Vec<String> = engine.ask("HKEYS threadline:1:{lobby}:names");
        users.is_empty()
    };
    wait_until("Bob has left", left, String::new);
    talk.wait_for(100);
    two.signal("CONT");
    bob.read_until(&format!("[{b}]Bob: while frozen\r\n"));
    talk.wait_for(100);
    let (lines, _) = talk.end();
    let about: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with(&format!("[{b}]")))
        .collect();
    assert_eq!(
        about,
        [
            &format!("[{b}]Bob: logout"),
            &format!("[{b}]Bob: login!!!"),
            &format!("[{b}]Bob: while frozen"),
        ]
    );
    bob.say("who\n");
    let list = bob.read_until(&format!("{b}:Bob\n"));
    assert!(list.contains("online user list"), "{list:?}");
}

#[test]
#[ignore = "needs redis-server"]
fn a_name_taken_while_a_server_was_frozen_is_lost_and_its_user_is_notified() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    let (a, b) = (ann.addr.clone(), bob.addr.clone());
    bob.say("rename|Bob\n");
    bob.expect("rename successful!!");
    ann.read_until(&format!("[{b}]{b}: login!!!\r\n"));
    two.signal("STOP");
    ann.expect(&format!("[{b}]Bob: logout\r\n"));
    ann.say("rename|bob\n");
    ann.expect("rename successful!!");
    two.signal("CONT");
    ann.expect(&format!("[{b}]{b}: login!!!\r\n"));
    bob.read_until("[room]: the name Bob was taken elsewhere meanwhile\r\n");
    bob.say("it is me\n");
    ann.expect(&format!("[{b}]{b}: it is me\r\n"));
    ann.say("who\n");
    ann.expect(&format!("online user list: \n{a}:bob\n{b}:{b}\n"));
}

#[test]
#[ignore = "needs redis-server"]
fn a_server_whose_unread_records_were_trimmed_shows_how_many_messages_it_missed() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    let a = ann.addr.clone();
    ann.read_until("login!!!\r\n");
    two.signal("STOP");
    for n in 0..50 {
        ann.say(format!("{n}\n"));
        ann.read_until(&format!(": {n}\r\n"));
    }
    let _: i64 = engine.ask("XTRIM threadline:1:{lobby}:log MAXLEN 0");
    ann.say("after\n");
    ann.read_until(": after\r\n");
    two.signal("CONT");
    let seen = bob.read_until(&format!("[{a}]{a}: after\r\n"));
    assert_eq!(seen_or_missed(&seen), 51, "{seen:?}");
    assert_eq!(seen.matches("missed").count(), 1, "{seen:?}");
}

/// The first may have been on its way when the server froze.
fn seen_or_missed(seen: &str) -> usize {
    let missed = |line: &str| {
        line.strip_prefix("[room]: ")?
            .split(' ')
            .next()?
            .parse()
            .ok()
    };
    seen.lines().map(|line| missed(line).unwrap_or(1)).sum()
}

#[test]
#[ignore = "needs redis-server"]
fn missed_messages_are_counted_when_the_whole_stream_was_trimmed() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    ann.read_until("login!!!\r\n");
    two.signal("STOP");
    for n in 0..7 {
        ann.say(format!("{n}\n"));
        ann.read_until(&format!(": {n}\r\n"));
    }
    let _: i64 = engine.ask("XTRIM threadline:1:{lobby}:log MAXLEN 0");
    two.signal("CONT");
    let seen = bob.read_until(" of the other servers were missed\r\n");
    assert_eq!(seen_or_missed(&seen), 7, "{seen:?}");
    bob.say("on\n");
    ann.read_until(": on\r\n");
    bob.read_until(": on\r\n");
}

#[test]
#[ignore = "needs redis-server"]
fn own_messages_trimmed_before_they_came_back_do_not_stop_the_room() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    let (a, b) = (ann.addr.clone(), bob.addr.clone());
    ann.read_until("login!!!\r\n");
    // The servers can write to the engine, and read nothing: as many batches as may be under way wait to come
    // back, and more messages behind them.
    let _: String = engine.ask("ACL SETUSER default -xread");
    ann.read_until(
        "[room]: the other servers cannot be reached; your messages will be sent later\r\n",
    );
    const LINES: usize = 100;
    let batches = || {
        let state: HashMap<String, String> = engine.ask("HGETALL threadline:1:{lobby}:state");
        let is_server = |field: &String| field.contains('-') && !field.contains('/');
        let servers = state.iter().filter(|(field, _)| is_server(field));
        servers
            .map(|(_, n)| n.parse::<u64>().unwrap())
            .max()
            .unwrap()
    };
    for n in 0..LINES {
        let before = batches();
        ann.say(format!("{n}\n"));
        // Each is a batch of its own. Her login was the first, and 63 more are under way with it.
        if n < 63 {
            wait_until(
                "the batch is in",
                || batches() > before,
                || before.to_string(),
            );
        }
    }
    let _: i64 = engine.ask("XTRIM threadline:1:{lobby}:log MAXLEN 0");
    let _: String = engine.ask("ACL SETUSER default +xread");
    let seen = ann.read_until(&format!("[{a}]{a}: {}\r\n", LINES - 1));
    let said: Vec<_> = seen
        .lines()
        .filter_map(|line| line.strip_prefix(&format!("[{a}]{a}: ")))
        .collect();
    let all: Vec<_> = (0..LINES).map(|n| n.to_string()).collect();
    assert_eq!(said, all, "all of one's own, once and in order");
    let seen = bob.read_until(&format!("[{a}]{a}: {}\r\n", LINES - 1));
    assert!(
        seen.contains("messages of the other servers were missed"),
        "{seen:?}"
    );
    bob.say("on\n");
    ann.read_until(&format!("[{b}]{b}: on\r\n"));
}

#[test]
#[ignore = "needs redis-server"]
fn a_frozen_server_catches_up_with_thousands_of_records() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut bob = User::join(two.addr());
    let talk = Talk::start(&[&one], 1);
    two.signal("STOP");
    talk.wait_for(3000);
    two.signal("CONT");
    talk.wait_for(10);
    let said = talk.count();
    talk.end();
    bob.read_until(&format!(": m{said}\r\n"));
}

#[test]
#[ignore = "needs redis-server"]
fn ten_thousand_users_of_a_killed_server_are_logged_out_once_within_ten_seconds() {
    const USERS: usize = 10_000;
    let engine = Engine::start();
    let one = server(&engine, &["--quiet-above", "100"]);
    let mut ann = User::join(one.addr());
    // What such a server leaves behind.
    let client = redis::Client::open(engine.url()).unwrap();
    let mut users = redis::pipe();
    for id in 0..USERS {
        let addr = format!("10.0.0.1:{id}");
        let user = format!("{id}|{addr}||{addr}");
        users
            .cmd("HSET")
            .arg("threadline:1:{lobby}:users:dead-1")
            .arg(id)
            .arg(user);
    }
    let _: redis::Value = users.query(&mut client.get_connection().unwrap()).unwrap();
    let _: i64 = engine.ask("ZADD threadline:1:{lobby}:alive 1 dead-1");
    let start = Instant::now();
    let mut told = 0;
    while told < USERS {
        let line = ann.line();
        let left = line
            .strip_prefix("[room]: ")
            .and_then(|line| line.strip_suffix(" left"));
        // Once they are few, they are named.
        told += left.map_or(1, |left| left.parse().unwrap());
    }
    // Their server was silent for five seconds before that.
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(told, USERS);
    let left: i64 = engine.ask("EXISTS threadline:1:{lobby}:users:dead-1");
    assert_eq!(left, 0);
}
