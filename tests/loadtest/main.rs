//! `loadtest`, the program itself, on short runs.
#![cfg(all(feature = "lab", unix))]

#[path = "../common/mod.rs"]
mod common;

mod command_line;
mod compare;
mod ends;
mod faults;
mod generator;
mod hostile;
mod limits;
mod mock;
mod outputs;
mod patterns;
mod servers;

use std::ffi::OsStr;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::Value;
use tempfile::TempDir;
use threadline::lab::results::record::{Record, Round};

use common::ended::Ended;
use common::program::Program;
use common::wait::wait_until;

const LOADTEST: &str = env!("CARGO_BIN_EXE_loadtest");
const CHAT_SERVER: &str = env!("CARGO_BIN_EXE_chat_server");
const ECHO_SERVER: &str = env!("CARGO_BIN_EXE_tcp_concurrent_server");

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

/// Runs it to success and returns what it wrote with `--json`, and its standard output.
#[track_caller]
fn measure(line: &str, more: &[&str]) -> (Record, String) {
    let (record, ended) = record_of(line, more);
    let out = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{} {out}", ended.stderr);
    (record, out)
}

/// Runs it and returns what it wrote with `--json` and how it ended.
#[track_caller]
fn record_of(line: &str, more: &[&str]) -> (Record, Ended) {
    let folder = TempDir::new().unwrap();
    let json = folder.path().join("run.json");
    let ended = run(line, &[more, &["--json", json.to_str().unwrap()]].concat());
    let text = fs::read_to_string(json).unwrap_or_else(|err| panic!("{err}: {}", ended.stderr));

    // The schema is made from the types, so what the types hold is what the schema describes.
    let record: Record = serde_json::from_str(&text).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_value(&record).unwrap(), value);
    (record, ended)
}

/// Waits until something listens there, or nothing does.
#[track_caller]
fn wait_for_listener(addr: SocketAddr, wanted: bool, loadtest: &Program) {
    let is_there = || TcpStream::connect(addr).is_ok();
    let what = format!("somebody listens on {addr}: {wanted}");
    wait_until(&what, || is_there() == wanted, || loadtest.seen());
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
            assert!(round.wall_seconds >= round.seconds, "{round:?}");
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

/// An address that is free now. The next bind to port 0 gets another one.
fn free_addr() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
