//! The load tester, with the Go programs as the servers under test.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use threadline::lab::results::record::{Record, Round};

use crate::golang;

/// Measures a Go server alone, and returns its rounds.
#[track_caller]
fn measure(line: &str, server: &Path) -> Vec<Round> {
    let folder = TempDir::new().unwrap();
    let json = folder.path().join("run.json");
    let output = Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(line.split(' '))
        .args(["--no-own", "--rounds", "1", "--server"])
        .arg(format!("go={} {{addr}}", server.display()))
        .arg("--json")
        .arg(&json)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let record: Record = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let rounds = record.points.into_iter().flat_map(|point| point.rounds);
    rounds.collect()
}

#[track_caller]
fn assert_sound(round: &Round) {
    let faults = [
        round.lost,
        round.duplicated,
        round.out_of_order,
        round.damaged,
        round.dropped,
    ];
    assert_eq!(faults, [0; 5], "{round:?}");
    assert!(round.deliveries > 0, "{round:?}");
}

fn room() -> std::path::PathBuf {
    golang::chat_without_race(Duration::from_secs(60))
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn chat_rooms_are_measured() {
    for round in measure("chat -c 3,30 -d 500ms", &room()) {
        assert_sound(&round);
        assert_eq!(
            round.deliveries,
            round.messages * round.connected as u64,
            "{round:?}"
        );
        let cost = round.server.as_ref().expect("the process is known");
        assert_eq!(
            cost.descriptors[1] - cost.descriptors[0],
            round.connected as u64
        );
    }
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn merged_messages_are_told_apart() {
    // One sender faster than the room: it passes on several messages at once, with one prefix.
    for round in measure("chat -c 3 --senders 1 --rate 50000 -d 500ms", &room()) {
        assert_sound(&round);
        assert_eq!(round.deliveries, round.messages * 3, "{round:?}");
    }
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn freeze_by_a_slow_client_is_reported() {
    let rounds = measure("slow -c 5 --size 4096 -d 2s", &room());
    let [sound, frozen] = &rounds[..] else {
        panic!("{rounds:?}");
    };
    assert_sound(sound);
    assert!(frozen.lost > 0, "{frozen:?}");
    assert!(frozen.pause_seconds > 1.0, "{frozen:?}");
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn echo_servers_are_measured() {
    let server = golang::original("tcp_concurrent_server");
    for round in measure("echo -c 1,30 -d 500ms", &server) {
        assert_sound(&round);
        assert_eq!(round.deliveries, round.messages, "{round:?}");
    }
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn churn_leaves_no_connection_open() {
    for round in measure("churn -c 5 --rate 100 -d 500ms", &room()) {
        assert_sound(&round);
        let cost = round.server.as_ref().expect("the process is known");
        assert_eq!(cost.descriptors[2], cost.descriptors[0], "{cost:?}");
    }
}

#[test]
#[ignore = "needs GO"]
fn batching_room_in_go_loses_nothing() {
    for round in measure("chat -c 3,300 -d 500ms", &golang::batching_room()) {
        assert_sound(&round);
        assert_eq!(
            round.deliveries,
            round.messages * round.connected as u64,
            "{round:?}"
        );
    }
}

#[test]
#[ignore = "needs GO"]
fn batching_room_in_go_continues_despite_a_slow_client() {
    let rounds = measure("slow -c 5 --size 4096 -d 2s", &golang::batching_room());
    let [sound, stalled] = &rounds[..] else {
        panic!("{rounds:?}");
    };
    assert_sound(sound);
    assert_eq!(stalled.lost, 0, "{stalled:?}");
    assert!(stalled.pause_seconds < 1.0, "{stalled:?}");
}
