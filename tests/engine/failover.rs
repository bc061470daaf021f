//! A replica takes the engine's place.

use std::process::Command;

use crate::CHAT;
use crate::away::{assert_nobody_left, talk_through};
use crate::common::program::Program;
use crate::common::user::User;
use crate::common::wait::wait_until;
use crate::engine::Engine;
use crate::talk::Talk;

#[test]
#[ignore = "needs redis-server"]
fn no_message_is_lost_when_a_replica_takes_over() {
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
fn no_message_is_lost_in_a_failover_that_keeps_connections_open() {
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
fn no_message_is_lost_when_the_new_primary_lacks_the_last_records() {
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
fn lost_records_are_restored_in_order_for_a_server_that_had_not_read_them() {
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

#[test]
#[ignore = "needs redis-server"]
fn who_asks_the_new_primary_after_a_planned_change() {
    let primary = Engine::start();
    let replica = replica_of(&primary);
    let urls = format!("{},{}", primary.url(), replica.url());
    let (one, two) = (server_at(&urls), server_at(&urls));
    let mut ann = User::join(one.addr());
    // Now the thread that answers questions has a connection, which the change does not break.
    ann.say("who\n");
    ann.read_until(&format!("{0}:{0}\n", ann.addr));
    let _: String = replica.ask("REPLICAOF NO ONE");
    let _: String = primary.ask("REPLICAOF 127.0.0.1 1");
    for server in [&one, &two] {
        server.wait_for_stderr(&format!("using the engine at 127.0.0.1:{}", replica.port));
    }
    let mut bob = User::connect(two.addr());
    let b = bob.addr.clone();
    bob.read_until(&format!("[{b}]{b}: login!!!\r\n"));
    ann.read_until(&format!("[{b}]{b}: login!!!\r\n"));
    ann.say("who\n");
    ann.read_until("online user list: \n");
    ann.read_until(&format!("{b}:{b}\n"));
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

pub(crate) fn server_at(urls: &str) -> Program {
    Program::serve(Command::new(CHAT).args(["--engine", urls]))
}
