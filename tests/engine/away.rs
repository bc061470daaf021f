//! The engine dies, freezes, is full, is switched to another, or forgets; this server is cut off from it.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::program::Program;
use crate::common::random::Random;
use crate::common::user::User;
use crate::common::wait::{DEADLINE, wait_until};
use crate::engine::Engine;
use crate::talk::Talk;
use crate::{CHAT, rename, server};

const CUT_OFF: &str = "[room]: cut off from the other servers, what you say waits";
const BACK: &str = "[room]: the other servers are back";

/// Users of two servers talk, something happens, and they talk on.
#[track_caller]
fn talk_through(rooms: &[&Program], happens: impl FnOnce()) -> (Vec<String>, Vec<Vec<String>>) {
    let talk = Talk::start(rooms, 5);
    talk.wait_for(500);
    happens();
    talk.wait_for(500);
    talk.end()
}

/// Nobody has logged out or in.
#[track_caller]
fn assert_nobody_left(lines: &[String]) {
    let end = lines
        .iter()
        .position(|line| line.ends_with(": m1"))
        .unwrap();
    for line in &lines[end..] {
        assert!(
            !line.ends_with("logout") && !line.ends_with("login!!!"),
            "{line}"
        );
    }
}

/// The engine itself refuses what it has had: readers need not.
#[track_caller]
fn assert_every_batch_is_stored_once(engine: &Engine) {
    let log: Vec<(String, Vec<(String, String)>)> =
        engine.ask("XRANGE threadline:1:{lobby}:log - +");
    let mut batches = HashSet::new();
    for (id, fields) in log {
        let [server, n] = ["s", "n"].map(|name| {
            let field = fields.iter().find(|(field, _)| field == name);
            field.unwrap().1.clone()
        });
        let twice = !batches.insert((server.clone(), n.clone()));
        assert!(n == "0" || !twice, "{server} {n} again in {id}");
    }
}

#[track_caller]
fn killed_and_started_again(options: &[&str], end: impl FnOnce(Talk) -> Vec<String>) {
    let mut engine = Engine::with(options);
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let talk = Talk::start(&[&one, &two], 5);
    talk.wait_for(500);
    engine.kill();
    // Long enough for everyone to be told.
    one.wait_for_stderr("the engine does not answer");
    two.wait_for_stderr("the engine does not answer");
    engine.restart();
    talk.wait_for(500);
    assert_nobody_left(&end(talk));
    one.stop();
    two.stop();
}

#[track_caller]
fn told_once(talk: Talk) -> Vec<String> {
    let (lines, notices) = talk.end();
    for notices in notices {
        assert_eq!(notices, [CUT_OFF, BACK]);
    }
    lines
}

#[test]
#[ignore = "needs redis-server"]
fn an_engine_killed_and_started_again_costs_nothing() {
    killed_and_started_again(&["--appendonly", "yes"], told_once);
}

#[test]
#[ignore = "needs redis-server"]
fn an_engine_that_syncs_always_killed_and_started_again_costs_nothing() {
    let always = ["--appendonly", "yes", "--appendfsync", "always"];
    killed_and_started_again(&always, told_once);
}

#[test]
#[ignore = "needs redis-server"]
fn an_engine_that_writes_nothing_down_costs_no_message() {
    killed_and_started_again(&["--appendonly", "no"], told_once);
}

#[test]
#[ignore = "needs redis-server"]
fn an_engine_frozen_for_longer_than_a_lease_costs_nothing() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let (lines, notices) = talk_through(&[&one, &two], || {
        engine.signal("STOP");
        thread::sleep(Duration::from_secs(7));
        engine.signal("CONT");
    });
    assert_nobody_left(&lines);
    assert_every_batch_is_stored_once(&engine);
    for notices in notices {
        assert_eq!(notices, [CUT_OFF, BACK]);
    }
}

#[test]
#[ignore = "needs redis-server"]
fn connections_and_scripts_that_are_gone_are_made_anew_unnoticed() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let (lines, notices) = talk_through(&[&one, &two], || {
        for _ in 0..20 {
            let _: String = engine.ask("SCRIPT FLUSH");
            let _: i64 = engine.ask("CLIENT KILL TYPE normal SKIPME yes");
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert_nobody_left(&lines);
    assert!(notices.iter().all(Vec::is_empty), "{notices:?}");
}

#[test]
#[ignore = "needs redis-server"]
fn an_engine_out_of_memory_costs_nothing() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let (lines, notices) = talk_through(&[&one, &two], || {
        let _: String = engine.ask("CONFIG SET maxmemory 1");
        one.wait_for_stderr("the engine does not answer");
        two.wait_for_stderr("the engine does not answer");
        let _: String = engine.ask("CONFIG SET maxmemory 0");
    });
    assert_nobody_left(&lines);
    for notices in notices {
        assert_eq!(
            notices,
            [CUT_OFF, BACK],
            "told once, though reading still works"
        );
    }
}

#[test]
#[ignore = "needs redis-server"]
fn an_engine_that_forgets_everything_costs_nothing() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    ann.say("rename|Ann\n");
    ann.expect("rename successful!!");
    let talk = Talk::start(&[&one, &two], 5);
    for _ in 0..5 {
        talk.wait_for(200);
        let _: String = engine.ask("FLUSHALL");
    }
    talk.wait_for(200);
    assert_nobody_left(&talk.end().0);
    // Users and names are there again.
    let mut bob = User::join(two.addr());
    bob.say("rename|ann\n");
    bob.read_until("rename failed: the name is taken\r\n");
    bob.say("who\n");
    let list = bob.read_until(&format!("{0}:{0}\n", bob.addr.clone()));
    assert!(list.contains(&format!("\n{}:Ann\n", ann.addr)), "{list:?}");
}

#[test]
#[ignore = "needs redis-server"]
fn a_replica_that_takes_over_costs_nothing() {
    let mut primary = Engine::start();
    let replica = replica_of(&primary);
    let urls = format!("{},{}", replica.url(), primary.url());
    let (one, two) = (server_at(&urls), server_at(&urls));
    let talk = Talk::start(&[&one, &two], 5);
    talk.wait_for(500);
    primary.kill();
    let _: String = replica.ask("REPLICAOF NO ONE");
    talk.wait_for(500);
    assert_nobody_left(&talk.end().0);
}

#[test]
#[ignore = "needs redis-server"]
fn a_replica_that_takes_over_while_connections_stay_open_costs_nothing() {
    let primary = Engine::start();
    let replica = replica_of(&primary);
    let urls = format!("{},{}", primary.url(), replica.url());
    let (one, two) = (server_at(&urls), server_at(&urls));
    let (lines, _) = talk_through(&[&one, &two], || {
        let failover = "FAILOVER TIMEOUT 5000";
        let _: String = primary.ask(failover);
        wait_until(
            "the replica takes over",
            || role(&replica) == "master",
            String::new,
        );
    });
    assert_nobody_left(&lines);
}

#[test]
#[ignore = "needs redis-server"]
fn a_replica_that_lacks_the_end_takes_over_and_the_room_goes_on() {
    let mut primary = Engine::start();
    let replica = replica_of(&primary);
    let urls = format!("{},{}", primary.url(), replica.url());
    let (one, two) = (server_at(&urls), server_at(&urls));
    let talk = Talk::start(&[&one, &two], 5);
    talk.wait_for(300);
    // From here on the replica gets nothing: what is said is shown, and lost with the primary.
    let _: String = replica.ask("REPLICAOF 127.0.0.1 1");
    talk.wait_for(500);
    primary.kill();
    let _: String = replica.ask("REPLICAOF NO ONE");
    talk.wait_for(500);
    assert_nobody_left(&talk.end().0);
    one.wait_for_stderr("the engine has lost the record");
    two.wait_for_stderr("the engine has lost the record");
}

#[test]
#[ignore = "needs redis-server"]
fn what_the_engine_has_lost_comes_back_in_order_to_a_server_that_had_not_read_it() {
    let mut primary = Engine::start();
    let replica = replica_of(&primary);
    let urls = format!("{},{}", primary.url(), replica.url());
    let (one, two, three) = (server_at(&urls), server_at(&urls), server_at(&urls));
    let talk = Talk::start(&[&one, &two, &three], 3);
    talk.wait_for(300);
    two.signal("STOP");
    let _: String = replica.ask("REPLICAOF 127.0.0.1 1");
    talk.wait_for(300);
    primary.kill();
    let _: String = replica.ask("REPLICAOF NO ONE");
    talk.wait_for(300);
    two.signal("CONT");
    talk.wait_for(300);
    talk.end();
    one.wait_for_stderr("the engine has lost the record");
}

fn replica_of(primary: &Engine) -> Engine {
    let port = primary.port.to_string();
    let replica = Engine::with(&["--appendonly", "yes", "--replicaof", "127.0.0.1", &port]);
    wait_until(
        "the replica follows",
        || role(&replica) == "slave" && link_is_up(&replica),
        String::new,
    );
    replica
}

fn role(engine: &Engine) -> String {
    let role: Vec<redis::Value> = engine.ask("ROLE");
    redis::from_redis_value(role[0].clone()).unwrap()
}

fn link_is_up(engine: &Engine) -> bool {
    let info: String = engine.ask("INFO replication");
    info.contains("master_link_status:up")
}

fn server_at(urls: &str) -> Program {
    Program::serve(std::process::Command::new(CHAT).args(["--engine", urls]))
}

#[test]
#[ignore = "needs redis-server"]
fn nobody_is_silent_while_cut_off() {
    let engine = Engine::start();
    let one = server(&engine, &["--timeout", "4s"]);
    let mut ann = User::join(one.addr());
    let a = ann.addr.clone();
    engine.signal("STOP");
    ann.expect(&format!("{CUT_OFF}\r\n"));
    thread::sleep(Duration::from_secs(6));
    ann.say("still here\n");
    engine.signal("CONT");
    ann.read_until(&format!("[{a}]{a}: still here\r\n"));
    // And is again, when the engine is back.
    let start = Instant::now();
    let rest = ann.read_to_end();
    assert!(rest.is_empty() || rest == format!("{BACK}\r\n"), "{rest:?}");
    assert!(
        start.elapsed() > Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}

#[test]
#[ignore = "needs redis-server"]
fn while_cut_off_who_lists_this_server_and_no_name_is_given() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let bob = User::join(two.addr());
    let (a, b) = (ann.addr.clone(), bob.addr.clone());
    ann.expect(&format!("[{b}]{b}: login!!!\r\n"));
    engine.signal("STOP");
    ann.expect(&format!("{CUT_OFF}\r\n"));
    ann.say("who\n");
    ann.expect(&format!("online user list: \n{a}:{a}\n"));
    ann.say("rename|Ann\n");
    ann.expect("rename failed: cut off from the other servers\r\n");
    engine.signal("CONT");
    ann.expect(&format!("{BACK}\r\n"));
    ann.say("rename|Ann\n");
    ann.expect("rename successful!!");
}

#[test]
#[ignore = "needs redis-server"]
fn newcomers_and_messages_wait_for_the_engine_and_clients_are_held_back() {
    let engine = Engine::start();
    let one = server(&engine, &[]);
    let mut ann = User::join(one.addr());
    engine.signal("STOP");
    ann.expect(&format!("{CUT_OFF}\r\n"));
    let mut bob = User::connect(one.addr());
    let b = bob.addr.clone();
    let line = format!("{}\n", "x".repeat(1000));
    let mut talker = ann.conn.try_clone().unwrap();
    talker.set_write_timeout(Some(DEADLINE)).unwrap();
    const LINES: usize = 5000;
    let sent = {
        let line = line.clone();
        thread::spawn(move || {
            (0..LINES).for_each(|_| talker.write_all(line.as_bytes()).unwrap());
        })
    };
    // 5 MB do not fit: whoever talks waits, and the server's memory stays small.
    thread::sleep(Duration::from_secs(2));
    assert!(!sent.is_finished(), "the client is held back");
    assert!(
        one.kilobytes("VmRSS") < 100_000,
        "{} kB",
        one.kilobytes("VmRSS")
    );
    engine.signal("CONT");
    thread::scope(|s| {
        s.spawn(|| bob.read_until(&format!("[{b}]{b}: login!!!\r\n")));
        // Where a read cuts a line, it is two messages.
        let mut shown = BufReader::new(&ann.conn).lines();
        let mut xs = 0;
        while xs < LINES * 1000 {
            let line = shown.next().expect("she is not kicked").unwrap();
            xs += line.matches('x').count();
        }
        assert_eq!(xs, LINES * 1000, "nothing twice");
    });
    sent.join().unwrap();
}

#[test]
#[ignore = "needs redis-server"]
fn a_server_stops_while_the_engine_is_away() {
    let mut engine = Engine::start();
    let one = server(&engine, &[]);
    let mut ann = User::join(one.addr());
    engine.kill();
    ann.say("lost\n");
    ann.expect(&format!("{CUT_OFF}\r\n"));
    let start = Instant::now();
    one.stop();
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );

    let engine = Engine::start();
    let one = server(&engine, &[]);
    let mut ann = User::join(one.addr());
    engine.signal("STOP");
    ann.expect(&format!("{CUT_OFF}\r\n"));
    let start = Instant::now();
    one.stop();
    assert!(
        start.elapsed() < Duration::from_secs(9),
        "{:?}",
        start.elapsed()
    );
}

#[test]
#[ignore = "needs redis-server"]
fn a_server_with_more_users_than_one_call_lists_brings_all_of_them_back() {
    const USERS: usize = 1100;
    let engine = Engine::start();
    let args = ["--quiet-above", "0", "--timeout", "1h"];
    let (one, two) = (server(&engine, &args), server(&engine, &args));
    let mut users: Vec<_> = (0..USERS).map(|_| User::join(one.addr())).collect();
    assert!(rename(&mut users[0], "First"));
    assert!(rename(&mut users[USERS - 1], "Last"));
    let mut bob = User::join(two.addr());
    let _: String = engine.ask("FLUSHALL");
    let listed = || -> i64 {
        let keys: Vec<String> = engine.ask("KEYS threadline:1:{lobby}:users:*");
        let counts = keys
            .iter()
            .map(|key| engine.ask::<i64>(&format!("HLEN {key}")));
        counts.sum()
    };
    let all = USERS as i64 + 1;
    wait_until(
        "all are listed again",
        || listed() == all,
        || listed().to_string(),
    );
    for name in ["first", "last"] {
        assert!(!rename(&mut bob, name), "{name} is taken");
    }
    bob.say("who\n");
    let list = bob.read_until(&format!("{}:Last\n", users[USERS - 1].addr));
    let start = list.find("online user list").unwrap();
    assert!(list[start..].lines().count() > USERS, "{list}");
}

#[test]
#[ignore = "needs redis-server"]
fn one_fault_after_the_other_costs_nothing() {
    let mut engine = Engine::start();
    let (one, two, three) = (
        server(&engine, &[]),
        server(&engine, &[]),
        server(&engine, &[]),
    );
    let talk = Talk::start(&[&one, &two, &three], 3);
    let seed = std::env::var("SEED").map_or(7, |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    for _ in 0..25 {
        talk.wait_for(50);
        let pause = Duration::from_millis(random.below(700) as u64);
        match random.below(5) {
            0 => {
                engine.kill();
                thread::sleep(pause);
                engine.restart();
            }
            1 => {
                engine.signal("STOP");
                thread::sleep(pause * 4);
                engine.signal("CONT");
            }
            2 => {
                let _: String = engine.ask("SCRIPT FLUSH");
                let _: i64 = engine.ask("CLIENT KILL TYPE normal SKIPME yes");
            }
            3 => {
                let room = [&one, &two, &three][random.below(3)];
                // Shorter than the engine keeps what is said meanwhile, on a fast machine too.
                room.signal("STOP");
                thread::sleep(pause);
                room.signal("CONT");
            }
            _ => {
                let _: String = engine.ask("CONFIG SET maxmemory 1");
                thread::sleep(pause);
                let _: String = engine.ask("CONFIG SET maxmemory 0");
            }
        }
    }
    talk.wait_for(100);
    for room in [&one, &two, &three] {
        println!("{}", room.seen());
    }
    let (lines, _) = talk.end();
    assert_nobody_left(&lines);
}
