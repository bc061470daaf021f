//! The engine dies, freezes, is full, or forgets.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use crate::common::program::Program;
use crate::common::random::Random;
use crate::common::user::User;
use crate::common::wait::wait_until;
use crate::engine::Engine;
use crate::talk::Talk;
use crate::{rename, server};

pub(crate) const CUT_OFF: &str =
    "[room]: the other servers cannot be reached; your messages will be sent later";
pub(crate) const BACK: &str = "[room]: connected to the other servers again";

/// Users of two servers talk, something happens, and they talk on.
#[track_caller]
pub(crate) fn talk_through(
    rooms: &[&Program],
    happens: impl FnOnce(),
) -> (Vec<String>, Vec<Vec<String>>) {
    let talk = Talk::start(rooms, 5);
    talk.wait_for(500);
    happens();
    talk.wait_for(500);
    talk.end()
}

/// Nobody has logged out or in.
#[track_caller]
pub(crate) fn assert_nobody_left(lines: &[String]) {
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
pub(crate) fn assert_every_batch_is_stored_once(engine: &Engine) {
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
fn no_message_is_lost_when_the_engine_is_killed_and_restarted() {
    killed_and_started_again(&["--appendonly", "yes"], told_once);
}

#[test]
#[ignore = "needs redis-server"]
fn no_message_is_lost_when_an_engine_that_syncs_always_is_restarted() {
    let always = ["--appendonly", "yes", "--appendfsync", "always"];
    killed_and_started_again(&always, told_once);
}

#[test]
#[ignore = "needs redis-server"]
fn no_message_is_lost_when_an_engine_without_persistence_is_restarted() {
    killed_and_started_again(&["--appendonly", "no"], told_once);
}

#[test]
#[ignore = "needs redis-server"]
fn no_message_is_lost_when_the_engine_is_frozen_for_longer_than_a_lease() {
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
fn broken_connections_and_flushed_scripts_are_restored_unnoticed() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let talk = Talk::start(&[&one, &two], 5);
    talk.wait_for(500);
    for _ in 0..20 {
        let _: String = engine.ask("SCRIPT FLUSH");
        let _: i64 = engine.ask("CLIENT KILL TYPE normal SKIPME yes");
        // A server that is kept from connecting for a second counts as cut off, and users are told.
        talk.wait_for(20);
    }
    talk.wait_for(500);
    let (lines, notices) = talk.end();
    assert_nobody_left(&lines);
    assert!(notices.iter().all(Vec::is_empty), "{notices:?}");
}

#[test]
#[ignore = "needs redis-server"]
fn no_message_is_lost_while_the_engine_is_out_of_memory() {
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
fn messages_users_and_names_survive_flushall() {
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
    for room in [&one, &two] {
        let lists = room
            .stderr()
            .matches("users registered with the engine again")
            .count();
        assert!(lists <= 5, "one line each time: {}", room.seen());
    }
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
fn no_message_is_lost_while_the_key_of_the_stream_has_another_type() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    ann.read_until(": login!!!\r\n");
    let _: String = engine.ask("SET threadline:1:{lobby}:log x");
    ann.say("hello\n");
    one.wait_for_stderr("the engine does not answer, trying again until it does: WRONGTYPE");
    let _: i64 = engine.ask("DEL threadline:1:{lobby}:log");
    let hello = format!("[{0}]{0}: hello\r\n", ann.addr);
    for user in [&mut ann, &mut bob] {
        let seen = user.read_until(&hello);
        assert!(!seen.contains("missed"), "{seen:?}");
    }
}

#[test]
#[ignore = "needs redis-server"]
fn room_goes_on_when_the_clock_of_the_engine_is_set_back() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    ann.read_until(": login!!!\r\n");
    // What it had written down when its clock was an hour ahead: it waits for what it has lost, from a server
    // that has died meanwhile.
    let later: i64 = engine.ask::<(i64, i64)>("TIME").0 * 1000 + 3_600_000;
    let _: i64 = engine.ask(&format!("ZADD threadline:1:{{lobby}}:alive {later} dead"));
    let _: i64 = engine.ask(&format!(
        "HSET threadline:1:{{lobby}}:state until {later} @ {later}"
    ));
    ann.say("hello\n");
    bob.read_until(&format!("[{0}]{0}: hello\r\n", ann.addr));
}

#[test]
#[ignore = "needs redis-server"]
fn more_users_than_one_call_takes_are_all_listed_again() {
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
fn no_message_is_lost_in_a_random_sequence_of_faults() {
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
