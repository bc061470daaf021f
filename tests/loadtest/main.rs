//! `loadtest`, the program itself, on short runs.
#![cfg(feature = "lab")]

#[path = "../common/mod.rs"]
mod common;

mod broken_room;
mod schema;

use std::ffi::OsStr;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::Value;
use tempfile::TempDir;
use threadline::lab::record::{Record, Round};

use common::ended::Ended;
use common::program::Program;
use common::wait::wait_until;

const LOADTEST: &str = env!("CARGO_BIN_EXE_loadtest");
const CHAT_SERVER: &str = env!("CARGO_BIN_EXE_chat_server");

fn start(line: &str, more: &[&str]) -> Program {
    let words: Vec<&str> = line
        .split_whitespace()
        .chain(more.iter().copied())
        .collect();
    let words: Vec<&dyn AsRef<OsStr>> = words.iter().map(|word| word as _).collect();
    Program::start(LOADTEST, &words)
}

/// Runs it with the words of `line` and those of `more`, which may hold spaces.
fn run(line: &str, more: &[&str]) -> Ended {
    start(line, more).ended()
}

/// Runs it to success and returns what it wrote with `--json`, held against the schema, and its
/// standard output.
#[track_caller]
fn measure(line: &str, more: &[&str]) -> (Record, String) {
    let folder = TempDir::new().unwrap();
    let json = folder.path().join("run.json");
    let ended = run(line, &[more, &["--json", json.to_str().unwrap()]].concat());
    let out = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{} {out}", ended.stderr);
    let text = fs::read_to_string(json).unwrap();

    let schema = include_str!("../../benches/record.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let faults = schema::faults(&schema, &serde_json::from_str(&text).unwrap());
    assert_eq!(faults, Vec::<String>::new());
    (serde_json::from_str(&text).unwrap(), out)
}

/// Asserts that nothing went wrong in any round, and that the figures fit each other.
#[track_caller]
fn assert_sound(record: &Record) {
    for point in &record.points {
        for round in &point.rounds {
            let faults = [
                round.lost,
                round.duplicated,
                round.out_of_order,
                round.damaged,
            ];
            assert_eq!(faults, [0; 4], "{} {round:?}", point.server);
            assert_eq!(round.connected, point.clients, "{round:?}");
            let Round { latency, .. } = round;
            let percentiles = [
                latency.p50,
                latency.p90,
                latency.p99,
                latency.p99_9,
                latency.max,
            ];
            assert!(percentiles.is_sorted(), "{latency:?}");
            let counted: u64 = latency.buckets.iter().map(|(_, count)| count).sum();
            assert_eq!(counted, round.deliveries, "{latency:?}");
            let cost = round.server.as_ref().expect("the server is a process here");
            assert!(cost.rss > 0 && cost.virtual_bytes > cost.rss, "{cost:?}");
            let with = |[_, with, _]: [u64; 3]| with;
            assert!(
                with(cost.mappings) > 0 && with(cost.threads) > 0,
                "{cost:?}"
            );
        }
    }
}

#[test]
fn chat_delivers_everything_to_everyone() {
    let (record, out) = measure("chat -c 3,20 --senders 5 -d 300ms --rounds 2 --floor", &[]);
    assert_eq!(record.servers, ["threadline", "floor"]);
    let points: Vec<_> = (record.points.iter())
        .map(|point| (point.server.as_str(), point.clients, point.rounds.len()))
        .collect();
    assert_eq!(
        points,
        [
            ("threadline", 3, 2),
            ("floor", 3, 2),
            ("threadline", 20, 2),
            ("floor", 20, 2)
        ]
    );
    assert_sound(&record);
    for point in &record.points {
        for round in &point.rounds {
            assert!(round.messages > 0, "{round:?}");
            assert_eq!(
                round.deliveries,
                round.messages * point.clients as u64,
                "{round:?}"
            );
            let [before, with, after] = round.server.as_ref().unwrap().threads;
            let threads = if point.server == "floor" { 0 } else { 3 };
            assert_eq!(with - before, threads * point.clients as u64, "{round:?}");
            assert_eq!(after, before, "{round:?}");
        }
    }
    for word in [
        "deliveries/s",
        "p99.9",
        "threadline",
        "floor",
        "ratio",
        "nothing lost",
    ] {
        assert!(out.contains(word), "no {word:?} in {out}");
    }
}

#[test]
fn open_loop_sends_what_the_rate_says() {
    let (record, _) = measure("chat -c 4 --rate 100 -d 500ms --rounds 1", &[]);
    assert_sound(&record);
    let round = &record.points[0].rounds[0];
    assert_eq!((round.messages, round.deliveries), (50, 200));
    let (record, _) = measure("echo -c 4 --rate 100 -d 500ms --rounds 1", &[]);
    assert_sound(&record);
    let round = &record.points[0].rounds[0];
    assert_eq!((round.messages, round.deliveries), (50, 50));
}

#[test]
fn messages_may_have_any_size() {
    for size in ["14", "4096"] {
        let (record, _) = measure("chat -c 3 -d 200ms --rounds 1 --floor --size", &[size]);
        assert_sound(&record);
    }
}

#[test]
fn echo_checks_its_answers() {
    let (record, _) = measure("echo -c 1,30 -d 300ms --rounds 1 --floor", &[]);
    assert_sound(&record);
    for point in &record.points {
        let round = &point.rounds[0];
        assert!(round.messages > 0, "{round:?}");
        assert_eq!(round.messages, round.deliveries, "{round:?}");
    }
}

#[test]
fn idle_shows_what_a_silent_client_takes() {
    let (record, out) = measure("idle -c 20 -d 200ms --rounds 1", &[]);
    assert_sound(&record);
    let round = &record.points[0].rounds[0];
    let cost = round.server.as_ref().unwrap();
    assert_eq!(cost.threads[1] - cost.threads[0], 60, "{cost:?}");
    assert_eq!(cost.descriptors[1] - cost.descriptors[0], 20, "{cost:?}");
    assert_eq!(round.messages, 0);
    assert!(out.contains("RSS/client"), "{out}");
}

#[test]
fn churn_leaves_nothing_behind() {
    let (record, out) = measure("churn -c 5 --rate 100 -d 500ms --rounds 1 --floor", &[]);
    assert_sound(&record);
    for point in &record.points {
        let round = &point.rounds[0];
        assert_eq!((round.messages, round.deliveries), (50, 50));
        let cost = round.server.as_ref().unwrap();
        assert_eq!(cost.threads[2], cost.threads[0], "{cost:?}");
        assert_eq!(cost.descriptors[2], cost.descriptors[0], "{cost:?}");
    }
    assert!(out.contains("threads left"), "{out}");
    let (record, _) = measure("churn -c 3 --rate max -d 300ms --rounds 1", &[]);
    assert_sound(&record);
    assert!(record.points[0].rounds[0].deliveries > 3);
}

#[test]
fn slow_sees_that_who_never_reads_is_kicked_and_the_room_goes_on() {
    let (record, _) = measure("slow -c 5 --stalled 2 --size 4096 -d 2s --rounds 1", &[]);
    assert_eq!(record.servers, ["threadline", "threadline, 2 stalled"]);
    assert_sound(&record);
    let dropped: Vec<_> = (record.points.iter())
        .map(|point| (point.stalled, point.rounds[0].dropped))
        .collect();
    assert_eq!(dropped, [(0, 0), (2, 2)]);
}

#[test]
fn slow_sees_a_room_that_freezes() {
    // Go's unbuffered channel, and so Go's freeze.
    let frozen = format!("frozen={CHAT_SERVER} --queue 0 {{addr}}");
    let (record, out) = measure(
        "slow -c 5 --size 4096 -d 2s --rounds 1 --no-own --server",
        &[&frozen],
    );
    let [sound, stalled] = &record.points[..] else {
        panic!("{record:?}");
    };
    assert_eq!(sound.rounds[0].lost, 0, "{:?}", sound.rounds[0]);
    let stalled = &stalled.rounds[0];
    assert!(stalled.lost > 0, "{stalled:?}");
    assert!(stalled.pause_seconds > 1.0, "{stalled:?}");
    assert!(out.contains("pause"), "{out}");
}

#[test]
fn a_server_that_runs_is_measured_and_left_running() {
    let mut server = Program::start(CHAT_SERVER, &[&"127.0.0.1:0"]);
    let addr = server.addr();
    let (record, _) = measure(&format!("chat --addr {addr} -c 4 -d 200ms --rounds 2"), &[]);
    assert_eq!(record.servers, [addr.to_string()]);
    // Its process is found by its socket.
    assert_sound(&record);
    TcpStream::connect(addr).expect("the server still listens");
    server.signal("TERM");
    server.ended();
}

#[test]
fn a_server_that_listens_where_it_listens_is_started_and_stopped() {
    let addr = free_addr();
    let server = format!("mine@{addr}={CHAT_SERVER} {addr}");
    let (record, _) = measure(
        "chat -c 4 -d 200ms --rounds 3 --no-own --server",
        &[&server],
    );
    assert_eq!(record.servers, ["mine"]);
    assert_sound(&record);
    assert!(TcpStream::connect(addr).is_err(), "it was not stopped");
}

#[test]
fn what_a_server_starts_is_stopped_with_it() {
    let addr = free_addr();
    let server = format!("mine@{addr}=sh -c '{CHAT_SERVER} {addr}; true'");
    let (record, _) = measure(
        "chat -c 4 -d 200ms --rounds 2 --no-own --server",
        &[&server],
    );
    assert_sound(&record);
    // The process that listens was measured, and not the shell before it.
    let cost = record.points[0].rounds[0].server.as_ref().unwrap();
    assert_eq!(cost.threads[1] - cost.threads[0], 12, "{cost:?}");
    assert!(TcpStream::connect(addr).is_err(), "it was not stopped");
}

#[test]
fn every_fault_of_a_broken_room_is_found() {
    let (addr, faults) = broken_room::start();
    let line = format!("chat --addr {addr} -c 3 --senders 1 -d 500ms --rounds 1");
    let (record, out) = measure(&line, &[]);
    let round = &record.points[0].rounds[0];
    let made = faults.take();
    assert!(made.all_kinds_happened(), "{made:?}");
    let found = (
        round.lost,
        round.duplicated,
        round.out_of_order,
        round.damaged,
    );
    // What is damaged never came whole.
    let expected = (
        made.lost + made.damaged,
        made.doubled,
        made.swapped,
        made.damaged,
    );
    assert_eq!(found, expected, "{made:?} {round:?}");
    assert_eq!(round.deliveries + round.lost, round.messages * 3);
    assert!(out.contains("out of order"), "{out}");
}

#[test]
fn a_room_that_is_full_is_said_to_be() {
    let server = format!("small={CHAT_SERVER} --max-clients 7 {{addr}}");
    let (record, _) = measure(
        "chat -c 10 -d 200ms --rounds 1 --no-own --server",
        &[&server],
    );
    let round = &record.points[0].rounds[0];
    assert_eq!((round.connected, round.lost), (7, 0), "{round:?}");
    let warnings = record.warnings.join("\n");
    assert!(warnings.contains("only 7 got in"), "{warnings}");
    assert!(warnings.contains("--max-clients"), "{warnings}");
}

#[test]
fn a_threshold_that_is_crossed_is_named_with_status_99() {
    let line = "chat -c 3 -d 200ms --rounds 1 --fail-if";
    let ended = run(line, &["rate<1000M", "--fail-if", "lost>0"]);
    assert_eq!(ended.status.code(), Some(99), "{}", ended.stderr);
    let said = "rate<1000M: threadline at 3 clients: rate is ";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(!ended.stderr.contains("lost>0"), "{}", ended.stderr);
    let ended = run(line, &["p99>60s"]);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
}

#[test]
fn the_page_is_written() {
    let folder = TempDir::new().unwrap();
    let html = folder.path().join("run.html");
    let ended = run(
        "chat -c 3 -d 200ms --rounds 1 --html",
        &[html.to_str().unwrap()],
    );
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let page = fs::read_to_string(html).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    assert!(page.contains("<svg"), "there is no chart");
}

#[test]
fn a_pipe_gets_no_progress_bar() {
    let ended = run("chat -c 3 -d 300ms --rounds 1", &[]);
    assert!(!ended.stderr.contains("connected"), "{}", ended.stderr);
}

#[test]
fn limits_lists_the_ceilings() {
    let ended = run("limits", &[]);
    let out = String::from_utf8(ended.stdout).unwrap();
    for name in [
        "vm.max_map_count",
        "kernel.pid_max",
        "RLIMIT_NOFILE",
        "sysctl -w",
        "first",
    ] {
        assert!(out.contains(name), "no {name} in {out}");
    }
}

#[test]
fn the_probe_says_what_stopped_it() {
    let ended = run("limits --probe --echo -c 150", &[]);
    let out = String::from_utf8(ended.stdout).unwrap();
    assert!(
        out.contains("threadline held 150 clients"),
        "{out} {}",
        ended.stderr
    );
    assert!(out.contains("nearest ceiling"), "{out}");
    let server = format!("small={CHAT_SERVER} --max-clients 7 {{addr}}");
    let ended = run("limits --probe -c 150 --no-own --server", &[&server]);
    let out = String::from_utf8(ended.stdout).unwrap();
    assert!(
        out.contains("small held 7 clients, then: the server told the next: the room is full"),
        "{out} {}",
        ended.stderr
    );
}

#[test]
fn ctrl_c_stops_it_and_its_server() {
    let addr = free_addr();
    let server = format!("mine@{addr}={CHAT_SERVER} {addr}");
    let mut loadtest = start("chat -c 3 -d 60s --no-own --server", &[&server]);
    wait_until(
        &format!("a server on {addr}"),
        || TcpStream::connect(addr).is_ok(),
        || loadtest.seen(),
    );
    loadtest.signal("INT");
    loadtest.ended().expect_one_error("interrupted");
    assert!(
        TcpStream::connect(addr).is_err(),
        "the server was not stopped"
    );
}

#[test]
fn what_cannot_be_measured_is_one_line() {
    let addr = free_addr();
    run(&format!("chat --addr {addr} -c 2"), &[]).expect_one_error("nobody answers at --addr");
    run("chat -c 2 --no-own", &[]).expect_one_error("nothing to measure");
    run("chat -c 2 --addr 192.0.2.1:80", &[]).expect_one_error("--remote");
    run("chat -c 2 --server", &["threadline=x {addr}"]).expect_one_error("two servers are called");
    run("chat -c 2 --json", &["/nowhere/run.json"]).expect_one_error("--json /nowhere/run.json");
    run("chat -c 2 --html", &["/nowhere/run.html"]).expect_one_error("--html /nowhere/run.html");
    run("chat -c 2 --no-own --server", &["x=/nowhere/server {addr}"])
        .expect_one_error("server x: cannot run \"/nowhere/server\"");
    run(
        "chat -c 2 --no-own --server",
        &["x=sh -c 'echo no luck today >&2; exit 3' {addr}"],
    )
    .expect_one_error("server x died (exit status 3): no luck today");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap();
    run(
        "chat -c 2 --no-own --server",
        &[&format!("x@{taken}=sleep 60")],
    )
    .expect_one_error("something listens on");
}

#[test]
fn a_server_that_never_listens_is_named() {
    run(
        "chat -c 2 --no-own --server",
        &["x=sh -c 'sleep 60' {addr}"],
    )
    .expect_one_error("server x was started but does not listen");
}

#[test]
fn a_server_that_lets_nobody_in_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    run(&format!("chat --addr {addr} -c 2"), &[])
        .expect_one_error("closed every connection at once");
}

#[test]
fn a_server_that_dies_under_load_is_named() {
    // A shell that ends its room while it is in use.
    let addr = free_addr();
    let script = format!(
        "{CHAT_SERVER} {addr} 2>/dev/null & sleep 0.5; kill $!; echo out of order >&2; exit 4"
    );
    let server = format!("x@{addr}=sh -c '{script}'");
    let mut loadtest = start("chat -c 3 -d 60s --no-own --server", &[&server]);
    loadtest
        .ended()
        .expect_one_error("server x died (exit status 4): out of order");
}

#[test]
fn wrong_usage_is_status_2() {
    for line in [
        "",
        "dance",
        "chat -c 0",
        "chat --size 5",
        "chat --rate fast",
        "chat --fail-if speed>1",
        "chat --server x",
        "slow --stalled 0",
    ] {
        let ended = run(line, &[]);
        assert_eq!(ended.status.code(), Some(2), "{line:?}: {}", ended.stderr);
    }
}

/// An address that is free now; whoever asks for any port next gets another one.
fn free_addr() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
