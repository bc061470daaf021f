//! What each pattern of load shows of a sound server, and of one that freezes.

use crate::{CHAT_SERVER, assert_sound, measure};

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
    let (record, _) = measure("churn -c 3 --rate max -d 1s --rounds 1", &[]);
    assert_sound(&record);
    let round = &record.points[0].rounds[0];
    assert!(round.deliveries > 3, "{round:?}");
}

#[test]
fn slow_reports_kicked_clients_while_the_room_goes_on() {
    let small = format!("small={CHAT_SERVER} --queue 8 {{addr}}");
    // How fast the buffers of a client that reads nothing are full depends on the machine.
    for seconds in ["1s", "4s", "16s", "64s"] {
        let (record, _) = measure(
            "slow -c 5 --stalled 2 --size 4096 --rounds 1 --no-own --server",
            &[&small, "-d", seconds],
        );
        assert_eq!(record.servers, ["small", "small, 2 stalled"]);
        assert_sound(&record);
        let dropped: Vec<_> = (record.points.iter())
            .map(|point| (point.stalled, point.rounds[0].dropped))
            .collect();
        if dropped == [(0, 0), (2, 2)] {
            return;
        }
    }
    panic!("the clients that never read are still there");
}

#[test]
fn slow_reports_a_frozen_room() {
    // Go's unbuffered channel, and so Go's freeze.
    let frozen = format!("frozen={CHAT_SERVER} --queue 0 {{addr}}");
    // How fast the buffers of a client that reads nothing are full depends on the machine.
    for seconds in ["2s", "8s", "32s"] {
        let (record, out) = measure(
            "slow -c 5 --size 4096 --rounds 1 --no-own --server",
            &[&frozen, "-d", seconds],
        );
        let [sound, stalled] = &record.points[..] else {
            panic!("{record:?}");
        };
        assert_eq!(sound.rounds[0].lost, 0, "{:?}", sound.rounds[0]);
        assert!(out.contains("pause"), "{out}");
        let stalled = &stalled.rounds[0];
        if stalled.lost > 0 {
            assert!(stalled.pause_seconds > 1.0, "{stalled:?}");
            return;
        }
    }
    panic!("the room did not freeze");
}
