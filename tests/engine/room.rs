//! What users see when all is well.

use std::time::{Duration, Instant};

use crate::common::user::User;
use crate::common::wait::DEADLINE;
use crate::engine::Engine;
use crate::talk::Talk;
use crate::{rename, server};

#[test]
#[ignore = "needs redis-server"]
fn users_of_two_servers_see_each_other_join_talk_and_leave() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    let (a, b) = (ann.addr.clone(), bob.addr.clone());
    ann.expect(&format!("[{b}]{b}: login!!!\r\n"));
    ann.say("hello\n");
    for user in [&mut ann, &mut bob] {
        user.expect(&format!("[{a}]{a}: hello\r\n"));
    }
    bob.say("rename|Bob\n");
    bob.expect("rename successful!!");
    bob.say("hi\n");
    for user in [&mut ann, &mut bob] {
        user.expect(&format!("[{b}]Bob: hi\r\n"));
        user.say("who\n");
        user.expect(&format!("online user list: \n{a}:{a}\n{b}:Bob\n"));
    }
    drop(bob);
    ann.expect(&format!("[{b}]Bob: logout\r\n"));
    ann.say("who\n");
    ann.expect(&format!("online user list: \n{a}:{a}\n"));
    one.stop();
    two.stop();
}

#[test]
#[ignore = "needs redis-server"]
fn all_users_see_the_same_order() {
    let engine = Engine::start();
    let (one, two, three) = (
        server(&engine, &[]),
        server(&engine, &[]),
        server(&engine, &[]),
    );
    let talk = Talk::start(&[&one, &two, &three], 4);
    talk.wait_for(3000);
    let (_, notices) = talk.end();
    assert!(notices.iter().all(Vec::is_empty), "{notices:?}");
}

#[test]
#[ignore = "needs redis-server"]
fn rooms_with_different_names_are_separate() {
    let engine = Engine::start();
    let (one, two) = (
        server(&engine, &["--room", "a"]),
        server(&engine, &["--room", "b"]),
    );
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    let (a, b) = (ann.addr.clone(), bob.addr.clone());
    for (user, addr) in [(&mut ann, a), (&mut bob, b)] {
        user.say("rename|Same\n");
        user.expect("rename successful!!");
        user.say("who\n");
        user.expect(&format!("online user list: \n{addr}:Same\n"));
        user.say("hello\n");
        user.expect(&format!("[{addr}]Same: hello\r\n"));
    }
}

#[test]
#[ignore = "needs redis-server"]
fn graceful_shutdown_logs_users_out_at_once_and_only_once() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let mut users: Vec<_> = (0..3).map(|_| User::join(two.addr())).collect();
    let addrs: Vec<_> = users.iter().map(|user| user.addr.clone()).collect();
    users[0].say("rename|Bob\n");
    users[0].read_until("rename successful!!");
    ann.read_until(&format!("[{0}]{0}: login!!!\r\n", addrs[2]));
    let start = Instant::now();
    two.stop();
    let mut seen: Vec<_> = (0..3).map(|_| ann.line()).collect();
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "a lease is longer"
    );
    seen.sort();
    let name = |n: usize| if n == 0 { "Bob" } else { &addrs[n] };
    let mut expected: Vec<_> = (0..3)
        .map(|n| format!("[{}]{}: logout", addrs[n], name(n)))
        .collect();
    expected.sort();
    assert_eq!(seen, expected);
    // The name is free again, and nobody has left twice.
    ann.say("rename|Bob\nwho\n");
    ann.expect(&format!(
        "rename successful!!online user list: \n{}:Bob\n",
        ann.addr.clone()
    ));
}

#[test]
#[ignore = "needs redis-server"]
fn last_message_is_shown_before_the_logout_when_a_server_shuts_down() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    let b = bob.addr.clone();
    ann.read_until(&format!("[{b}]{b}: login!!!\r\n"));
    bob.say("last words\n");
    // By now Bob's reader has read them.
    ann.expect(&format!("[{b}]{b}: last words\r\n"));
    two.stop();
    ann.expect(&format!("[{b}]{b}: logout\r\n"));
    assert_eq!(bob.read_to_end(), format!("[{b}]{b}: last words\r\n"));
}

#[test]
#[ignore = "needs redis-server"]
fn lines_that_others_write_to_the_engine_are_cleaned() {
    let engine = Engine::start();
    let one = server(&engine, &[]);
    let mut ann = User::join(one.addr());
    let long = "x".repeat(10_000);
    for lines in [
        "=[9.9.9.9:9]root: \x1b[2Jhi\x07\r\n",
        "",
        "\r\n\n",
        "=\r\n",
        "?unknown\r\n",
        &format!("={long}\r\n"),
        "=no_end",
        "-[9.9.9.9:9]x:\x00gone\r\n+[9.9.9.9:9]y\u{85}:came\r\n",
        ">nobody/7|for_another\r\n>7\r\n>|\r\n>a/b|c\r\n",
    ] {
        let mut add = redis::cmd("XADD");
        add.arg("threadline:1:{lobby}:log").arg("*");
        add.arg("s").arg("stranger").arg("n").arg(0).arg("g").arg(1);
        add.arg("l").arg(lines);
        let client = redis::Client::open(engine.url()).unwrap();
        let _: String = add.query(&mut client.get_connection().unwrap()).unwrap();
    }
    ann.say("done\n");
    let seen = ann.read_until(": done\r\n");
    assert!(seen.contains("[9.9.9.9:9]root: [2Jhi\r\n"), "{seen:?}");
    assert!(seen.contains("[9.9.9.9:9]x:gone\r\n"), "{seen:?}");
    assert!(seen.contains("no_end\r\n"), "{seen:?}");
    for absent in ["unknown", "xxx", "for_another", "\x1b", "\x07", "\0"] {
        assert!(!seen.contains(absent), "{absent:?}: {seen:?}");
    }
}

#[test]
#[ignore = "needs redis-server"]
fn a_record_that_another_program_has_written_is_not_counted() {
    let engine = Engine::start();
    let one = server(&engine, &[]);
    let mut ann = User::join(one.addr());
    ann.say("one\n");
    ann.read_until(": one\r\n");
    for fields in ["a b", "v 2 s stranger n 1 g x l ?new", "s stranger g -1"] {
        let _: String = engine.ask(&format!("XADD threadline:1:{{lobby}}:log * {fields}"));
    }
    ann.say("two\n");
    let a = ann.addr.clone();
    ann.expect(&format!("[{a}]{a}: two\r\n"));
    assert!(!one.stderr().contains("WARN"), "{}", one.seen());
}

#[test]
#[ignore = "needs redis-server"]
fn quiet_above_counts_the_users_of_all_servers() {
    let engine = Engine::start();
    let quiet = ["--quiet-above", "3"];
    let (one, two) = (server(&engine, &quiet), server(&engine, &quiet));
    let mut ann = User::join(one.addr());
    let mut bobs: Vec<_> = (0..3).map(|_| User::join(two.addr())).collect();
    ann.read_until(&format!("[{0}]{0}: login!!!\r\n", bobs[2].addr));
    // The servers count each other's users once a second, so the first ones may still be named.
    let start = Instant::now();
    loop {
        bobs.push(User::join(two.addr()));
        if ann.line().starts_with("[room]: 1 joined") {
            break;
        }
        assert!(start.elapsed() < DEADLINE, "it never becomes quiet");
    }
    let left = bobs.len();
    drop(bobs);
    let mut told = 0;
    while told < left {
        let line = ann.line();
        let count = line
            .strip_prefix("[room]: ")
            .and_then(|line| line.strip_suffix(" left"));
        told += count
            .unwrap_or_else(|| panic!("{line:?}"))
            .parse::<usize>()
            .unwrap();
    }
    assert_eq!(told, left);
}

#[test]
#[ignore = "needs redis-server"]
fn private_messages_reach_users_of_every_server_and_nobody_else() {
    let engine = Engine::start();
    let beyond = ["--stage", "beyond"];
    let (one, two) = (server(&engine, &beyond), server(&engine, &beyond));
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    let mut cyd = User::join(two.addr());
    let (a, b, c) = (ann.addr.clone(), bob.addr.clone(), cyd.addr.clone());
    ann.read_until(&format!("[{c}]{c}: login!!!\r\n"));
    bob.read_until(&format!("[{c}]{c}: login!!!\r\n"));
    assert!(rename(&mut bob, "Bob"));
    // By name, whatever its case, and by address.
    for (to, name) in [("bOB", "Bob"), ("Bo\u{200b}b", "Bob")] {
        ann.say(format!("to|{to}|psst\n"));
        let line = format!("[{a}]{a} -> {name}: psst\r\n");
        ann.expect(&line);
        bob.expect(&line);
    }
    bob.say(format!("to|{a}|yes?\n"));
    let line = format!("[{b}]Bob -> {a}: yes?\r\n");
    bob.expect(&line);
    ann.expect(&line);
    // On one's own server, and to oneself.
    bob.say(format!("to|{c}|and you\n"));
    let line = format!("[{b}]Bob -> {c}: and you\r\n");
    bob.expect(&line);
    cyd.expect(&line);
    ann.say(format!("to|{a}|note\n"));
    ann.expect(&format!("[{a}]{a} -> {a}: note\r\n"));
    ann.say("to|Nobody|x\n");
    ann.expect("to failed: there is no user of that name\r\n");
    // They are in one order with what everyone sees.
    ann.say("to|Bob|1\n2\nto|Bob|3\n");
    bob.expect(&format!(
        "[{a}]{a} -> Bob: 1\r\n[{a}]{a}: 2\r\n[{a}]{a} -> Bob: 3\r\n"
    ));
    cyd.expect(&format!("[{a}]{a}: 2\r\n"));
    // What both ends of a message have on one server never leaves it.
    let log: redis::Value = engine.ask("XRANGE threadline:1:{lobby}:log - +");
    let log = format!("{log:?}");
    assert!(log.contains("psst") && !log.contains("and you") && !log.contains("note"));
}

#[test]
#[ignore = "needs redis-server"]
fn a_server_that_starts_later_has_the_history_too() {
    let engine = Engine::start();
    let beyond = ["--stage", "beyond", "--history", "3"];
    let one = server(&engine, &beyond);
    let mut ann = User::join(one.addr());
    let a = ann.addr.clone();
    for n in 0..200 {
        ann.say(format!("{n}\n"));
        ann.read_until(&format!(": {n}\r\n"));
    }
    ann.say(format!("to|{a}|private\n"));
    ann.read_until(": private\r\n");
    let two = server(&engine, &beyond);
    let mut bob = User::connect(two.addr());
    let b = bob.addr.clone();
    bob.expect(&format!(
        "(earlier) [{a}]{a}: 197\r\n(earlier) [{a}]{a}: 198\r\n(earlier) [{a}]{a}: 199\r\n\
         [{b}]{b}: login!!!\r\n"
    ));
    ann.expect(&format!("[{b}]{b}: login!!!\r\n"));
}
