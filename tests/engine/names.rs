//! One name, one owner, on whatever server.

use std::sync::Barrier;
use std::thread;

use crate::away::BACK;
use crate::common::user::User;
use crate::common::wait::wait_until;
use crate::engine::Engine;
use crate::{rename, server};

#[test]
#[ignore = "needs redis-server"]
fn a_name_has_one_owner_over_all_servers() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    const RIVALS: usize = 5;
    const NAMES: usize = 20;
    let all = Barrier::new(2 * RIVALS);
    let won: Vec<Vec<usize>> = thread::scope(|s| {
        let users: Vec<_> = [&one, &two]
            .into_iter()
            .cycle()
            .take(2 * RIVALS)
            .map(|room| {
                let all = &all;
                s.spawn(move || {
                    let mut user = User::join(room.addr());
                    let won = (0..NAMES).filter(|name| {
                        all.wait();
                        rename(&mut user, &format!("Name{name}"))
                    });
                    let won = won.collect();
                    // A name is free again when its owner leaves.
                    all.wait();
                    won
                })
            })
            .collect();
        users.into_iter().map(|user| user.join().unwrap()).collect()
    });
    let mut won: Vec<_> = won.into_iter().flatten().collect();
    won.sort();
    let names: Vec<_> = (0..NAMES).collect();
    assert_eq!(won, names, "one winner each");
}

#[test]
#[ignore = "needs redis-server"]
fn a_name_is_taken_whatever_its_case_and_free_when_it_is_given_up() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    ann.read_until(&format!("[{0}]{0}: login!!!\r\n", bob.addr));
    ann.say("rename|Änn\n");
    ann.expect("rename successful!!");
    bob.say("rename|äNN\n");
    bob.expect("rename failed: the name is taken\r\n");
    // One's own name, in another case.
    ann.say("rename|ÄNN\n");
    ann.expect("rename successful!!");
    ann.say("rename|Other\n");
    ann.expect("rename successful!!");
    bob.say("rename|äNN\n");
    bob.expect("rename successful!!");
    let a = ann.addr.clone();
    drop(ann);
    bob.read_until(&format!("[{a}]Other: logout\r\n"));
    bob.say("rename|other\n");
    bob.expect("rename successful!!");
}

#[test]
#[ignore = "needs redis-server"]
fn rename_works_before_the_login_has_come_back() {
    let engine = Engine::start();
    let one = server(&engine, &[]);
    for n in 0..20 {
        let mut user = User::connect(one.addr());
        user.say(format!("rename|Quick{n}\nwho\n"));
        user.read_until("rename successful!!");
        user.read_until(&format!(":Quick{n}\n"));
    }
}

#[test]
#[ignore = "needs redis-server"]
fn name_that_the_engine_has_lost_is_claimed_again() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    ann.say("rename|Ann\n");
    ann.read_until("rename successful!!");
    // As after a switch to a replica that had not heard of it.
    let users: Vec<String> = engine.ask("KEYS threadline:1:{lobby}:users:*");
    let names: i64 = engine.ask("HDEL threadline:1:{lobby}:names ANN");
    assert_eq!((users.len(), names), (2, 1));
    for key in &users {
        let server = key.rsplit(':').next().unwrap();
        let _: i64 = engine.ask(&format!("HDEL threadline:1:{{lobby}}:state {server}/c"));
    }
    wait_until(
        "the name is claimed anew",
        || {
            engine
                .ask::<Option<String>>("HGET threadline:1:{lobby}:names ANN")
                .is_some()
        },
        String::new,
    );
    bob.say("rename|ann\n");
    bob.read_until("rename failed: the name is taken\r\n");
}

#[test]
#[ignore = "needs redis-server"]
fn rename_without_an_answer_is_undone_or_kept_but_never_both() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    ann.read_until(&format!("[{0}]{0}: login!!!\r\n", bob.addr));
    engine.signal("STOP");
    ann.say("rename|Ann\n");
    ann.read_until("rename failed: the other servers cannot be reached\r\n");
    for room in [&one, &two] {
        room.wait_for_stderr("the engine does not answer");
    }
    engine.signal("CONT");
    for user in [&mut ann, &mut bob] {
        user.read_until(&format!("{BACK}\r\n"));
    }
    // Ann was told that she has not got it, so it must become free.
    wait_until("the name is free", || rename(&mut bob, "Ann"), String::new);
    let (a, b) = (ann.addr.clone(), bob.addr.clone());
    ann.say("who\n");
    let list = ann.read_until(&format!("{b}:Ann\n"));
    assert!(list.contains(&format!("{a}:{a}\n")), "{list:?}");
}
