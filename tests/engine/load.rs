//! `loadtest chat` with several servers as one room.

use crate::common::ended::Ended;
use crate::common::program::Program;
use crate::engine::Engine;
use crate::server;

const LOADTEST: &str = env!("CARGO_BIN_EXE_loadtest");

fn start(line: &str) -> Program {
    let words: Vec<_> = line.split(' ').collect();
    let words: Vec<_> = words.iter().map(|word| word as _).collect();
    Program::start(LOADTEST, &words)
}

/// Its tables, if nothing was wrong.
#[track_caller]
fn tables(ended: Ended) -> String {
    let tables = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{tables} {}", ended.stderr);
    assert!(
        tables.contains("nothing lost, doubled, damaged or out of"),
        "{tables}"
    );
    tables
}

#[test]
#[ignore = "needs redis-server"]
fn several_nodes_and_an_engine_are_started_measured_and_stopped() {
    let mut run = start("chat --nodes 3 -c 9 -d 300ms --rounds 2 --fail-if lost>0");
    let tables = tables(run.ended());
    assert!(tables.contains("3 nodes"), "{tables}");
}

#[test]
#[ignore = "needs redis-server"]
fn servers_that_run_already_are_measured_as_one_room() {
    let engine = Engine::start();
    let rooms = [(); 3].map(|()| server(&engine, &[]));
    let [one, two, three] = rooms.each_ref().map(Program::addr);
    let mut run = start(&format!(
        "chat --addr {one}+{two}+{three} -c 9 -d 300ms --rounds 1"
    ));
    let tables = tables(run.ended());
    assert!(tables.contains(&format!("{one}+")), "{tables}");
    rooms.iter().for_each(Program::stop);
}

#[test]
#[ignore = "needs redis-server"]
fn what_goes_wrong_is_told_per_server() {
    // They are given as one room, and are none.
    let engine = Engine::start();
    let (one, two) = (
        server(&engine, &["--room", "a"]),
        server(&engine, &["--room", "b"]),
    );
    let addrs = [one.addr(), two.addr()];
    let line = format!(
        "chat --addr {}+{} -c 4 --senders 1 -d 300ms --rounds 1 --rate 20",
        addrs[0], addrs[1]
    );
    let ended = start(&line).ended();
    let told = |addr| {
        ended
            .stderr
            .contains(&format!("at the clients of {addr}: "))
    };
    // The one sender is on one of them: the clients of the other get nothing.
    assert!(told(addrs[0]) != told(addrs[1]), "{}", ended.stderr);
    assert!(ended.stderr.contains(" lost"), "{}", ended.stderr);
}

#[test]
#[ignore = "needs redis-server"]
fn a_server_that_dies_is_named() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let (first, second) = (one.addr(), two.addr());
    let mut run = start(&format!(
        "chat --addr {first}+{second} -c 6 -d 6s --rounds 1"
    ));
    crate::common::wait::wait_until(
        "the load is on",
        || engine.ask::<i64>("XLEN threadline:1:{lobby}:log") > 200,
        || run.seen(),
    );
    two.kill();
    let ended = run.ended();
    let gone = format!("at the clients of {second}: ");
    let told = ended.stderr.lines().find(|line| line.contains(&gone));
    assert!(
        told.is_some_and(|line| line.contains("3 clients gone")),
        "{}",
        ended.stderr
    );
    // What its users had sent last may be lost to all, but nobody else is gone.
    assert_eq!(
        ended.stderr.matches("clients gone").count(),
        1,
        "{}",
        ended.stderr
    );
}
