//! `loadtest chat` with several servers as one room.

use std::fs;
use std::process::Command;

use crate::common::ended::Ended;
use crate::common::program::Program;
use crate::common::wait::wait_until;
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
fn faults_are_reported_per_server() {
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
fn a_server_that_is_killed_during_the_run_is_named() {
    let engine = Engine::start();
    let rooms = [(); 3].map(|()| server(&engine, &[]));
    let [one, two, three] = rooms.each_ref().map(Program::addr);
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("run.json");
    let mut run = start(&format!(
        "chat --addr {one}+{two}+{three} -c 9 -d 6s --rounds 1 --json {}",
        json.display()
    ));
    wait_until(
        "the load is on",
        || engine.ask::<i64>("XLEN threadline:1:{lobby}:log") > 200,
        || run.seen(),
    );
    rooms[1].kill();
    let ended = run.ended();
    let gone = format!("at the clients of {two}: ");
    let is_about_it = |line: &str| line.contains(&gone) && line.contains("3 of 3 clients gone");
    let saw = &ended.stderr;
    assert!(saw.lines().any(is_about_it), "{saw}");
    // What its users had sent last may be lost to all, but nobody else is gone, and the order holds.
    assert_eq!(saw.matches("clients gone").count(), 1, "{saw}");
    assert!(!saw.contains("out of order"), "{saw}");
    let record: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let warnings = record["warnings"].as_array().unwrap();
    assert!(
        warnings
            .iter()
            .any(|told| is_about_it(told.as_str().unwrap())),
        "{warnings:?}"
    );
}

#[test]
#[ignore = "needs redis-server"]
fn a_node_that_is_killed_is_named_and_the_others_are_stopped() {
    let mut run = start("chat --nodes 3 -c 9 -d 60s --rounds 1");
    let started = everything_started(&run, 3);
    let second = started.iter().filter(|process| process.is_node).nth(1);
    let id = second.unwrap().id.to_string();
    assert!(
        Command::new("kill")
            .args(["-9", &id])
            .status()
            .unwrap()
            .success()
    );
    let ended = run.ended();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    let error = "error: server node 2 of 3 died (killed by signal 9)";
    assert!(ended.stderr.contains(error), "{}", ended.stderr);
    wait_until_all_ended(&started);
}

#[test]
#[ignore = "needs redis-server"]
fn no_node_and_no_engine_outlives_loadtest_however_it_ends() {
    for signal in ["INT", "TERM", "KILL"] {
        let mut run = start("chat --nodes 2 -c 4 -d 60s --rounds 1");
        let started = everything_started(&run, 2);
        run.signal(signal);
        run.ended();
        wait_until_all_ended(&started);
    }
}

#[test]
#[ignore = "needs redis-server"]
fn nodes_without_an_installed_engine_are_one_error_line() {
    let mut command = Command::new(LOADTEST);
    command.args(["chat", "--nodes", "2", "-c", "2", "-d", "100ms"]);
    let ended = Program::spawn(command.env("PATH", "/nonexistent")).ended();
    ended.expect_one_error("engine of 2 nodes: cannot run \"redis-server\"");
}

/// A process that the load tester has started: a node, or the engine.
#[derive(Debug)]
struct Process {
    id: u32,
    is_node: bool,
}

/// What stands in `/proc/ID/stat` after the name: the state and the parent.
fn state_and_parent(id: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// The servers and engines below this process, in the order in which they were started.
fn servers_below(parent: u32) -> Vec<Process> {
    let ids = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.to_str()?.parse().ok()
    });
    let mut children: Vec<u32> = ids
        .filter(|&id| state_and_parent(id).is_some_and(|(_, of)| of == parent))
        .collect();
    children.sort_unstable();
    let mut servers = Vec::new();
    for id in children {
        let words = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
        match words.split('\0').nth(1) {
            Some("supervise") => servers.extend(servers_below(id)),
            word => servers.push(Process {
                id,
                is_node: word == Some("serve"),
            }),
        }
    }
    servers
}

/// Waits until the load tester has started so many nodes and the engine.
#[track_caller]
fn everything_started(run: &Program, nodes: usize) -> Vec<Process> {
    let mut started = Vec::new();
    wait_until(
        "everything is started",
        || {
            started = servers_below(run.id());
            let seen = started.iter().filter(|process| process.is_node).count();
            seen == nodes && started.len() == nodes + 1
        },
        || run.seen(),
    );
    started
}

/// Waits until all of them have ended. Whoever inherits them may leave them unreaped.
#[track_caller]
fn wait_until_all_ended(processes: &[Process]) {
    wait_until(
        "everything has ended",
        || {
            let mut states = processes.iter().map(|process| state_and_parent(process.id));
            states.all(|state| state.is_none_or(|(state, _)| state == "Z"))
        },
        || format!("{processes:?}"),
    );
}
