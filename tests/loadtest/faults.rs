//! For each fault of a server: what table, record, rules and exit status say of it.

use threadline::lab::results::record::{Record, Round};

use crate::common::ended::Ended;
use crate::common::program::text;
use crate::mock::{self, Fault, LAST_WORDS, Mock};
use crate::{CHAT_SERVER, measure, record_of};

/// Measures a mock with this script, and returns what was recorded and how it ended.
fn against(script: &str, line: &str, more: &[&str]) -> (Record, Ended) {
    let server = mock::command("mock", script);
    let line = format!("{line} --no-own --rounds 1 --server");
    record_of(&line, &[&[&server[..]], more].concat())
}

fn only_round(record: &Record) -> &Round {
    let [point] = &record.points[..] else {
        panic!("{record:?}");
    };
    let [round] = &point.rounds[..] else {
        panic!("{record:?}");
    };
    round
}

/// What is recorded as latency is what came and what did not.
#[track_caller]
fn assert_nothing_is_forgotten(round: &Round, due: u64) {
    assert_eq!(round.deliveries + round.lost, due, "{round:?}");
    let counted: u64 = round.latency.buckets.iter().map(|(_, count)| count).sum();
    assert_eq!(counted, due, "{round:?}");
    let came: u64 = round.timeline.deliveries.iter().sum();
    assert_eq!(came, round.deliveries, "{round:?}");
    let is_bound = round.latency.is_bound(round.latency.max);
    assert_eq!(is_bound, round.lost > 0, "{round:?}");
}

/// How many messages the mock has dropped, doubled, reordered and damaged, each at least one.
#[track_caller]
fn faults_made(mock: &Mock) -> [u64; 4] {
    let made = mock.made();
    let faults = [Fault::Drop, Fault::Double, Fault::Reorder, Fault::Damage];
    let counts = faults.map(|fault| made[&fault]);
    assert!(counts.iter().all(|&count| count > 0), "{made:?}");
    counts
}

#[test]
fn every_fault_of_a_broken_room_is_found() {
    let (addr, mock) = mock::start("chat drop@2 double@4 damage@6 reorder@8 every@10");
    let line = format!("chat --addr {addr} -c 3 --senders 1 -d 1s --rounds 1");
    let (record, out) = measure(&line, &[]);
    let round = only_round(&record);
    let made = faults_made(&mock);
    let [dropped, doubled, reordered, damaged] = made;
    let found = (
        round.lost,
        round.duplicated,
        round.out_of_order,
        round.damaged,
    );
    // What is damaged never came whole.
    let expected = (dropped + damaged, doubled, reordered, damaged);
    assert_eq!(found, expected, "{made:?} {round:?}");
    assert_nothing_is_forgotten(round, round.messages * 3);
    assert!(out.contains("out of order"), "{out}");
}

#[test]
fn faults_of_one_of_several_servers_are_told_with_its_address() {
    let (addrs, mock) = mock::start_two("chat drop@10 double@20 damage@30 reorder@40 every@50");
    let [first, second] = addrs;
    let line = format!("chat --addr {first}+{second} -c 4 --senders 1 -d 500ms --rounds 1");
    let (record, ended) = record_of(&line, &[]);
    let round = only_round(&record);
    let made = faults_made(&mock);
    let [dropped, doubled, reordered, damaged] = made;
    let found = (round.lost, round.duplicated, round.out_of_order);
    let lost = dropped + damaged;
    assert_eq!(found, (lost, doubled, reordered), "{made:?} {round:?}");
    // All of it meets one client, which is at one of the servers. Messages come to the others in one order,
    // whichever server they are at.
    let what =
        format!("{lost} lost, {doubled} duplicated, {reordered} out of order, {damaged} damaged");
    let warnings = addrs.map(|addr| format!("at the clients of {addr}: {what}"));
    let told: Vec<_> = (record.warnings.iter())
        .filter(|warning| warning.starts_with("at the clients of "))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(warnings.contains(told[0]), "{told:?} and not {warnings:?}");
    assert!(ended.stderr.contains(told[0]), "{}", ended.stderr);
}

#[test]
fn clients_that_one_of_several_servers_disconnects_are_counted_at_it() {
    let ([first, second], _mock) = mock::start_two("chat kick@20");
    let line = format!("chat --addr {first}+{second} -c 4 --senders 1 -d 500ms --rounds 1");
    let (record, _) = record_of(&line, &[]);
    assert_eq!(only_round(&record).dropped, 1, "{record:?}");
    let gone: Vec<_> = (record.warnings.iter())
        .filter(|warning| warning.contains("1 of 2 clients gone"))
        .collect();
    assert_eq!(gone.len(), 1, "{:?}", record.warnings);
}

#[test]
fn one_lost_message_is_counted_and_crosses_its_rule() {
    for (line, script) in [
        ("chat -c 3 --senders 1 -d 1s", "chat drop@5"),
        ("chat -c 3 --senders 1 -d 300ms --rate 200", "chat drop@5"),
        ("echo -c 3 -d 1s", "echo drop@5"),
    ] {
        let (record, ended) = against(script, line, &["--fail-if", "lost>0"]);
        let round = only_round(&record);
        assert_eq!((round.lost, round.damaged), (1, 0), "{line}: {round:?}");
        let each = if script.starts_with("chat") { 3 } else { 1 };
        assert_nothing_is_forgotten(round, round.messages * each);
        assert!(round.latency.max >= 1_900_000, "{line}: {round:?}");
        assert_eq!(ended.status.code(), Some(99), "{line}: {}", ended.stderr);
        assert!(
            ended.stderr.contains("error: lost>0: mock at 3 clients"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn unanswered_requests_of_a_frozen_server_count_as_late() {
    for (line, script, each) in [
        ("echo -c 4 -d 1s --rate 1000", "echo hang@300", 1),
        ("chat -c 4 -d 1s --rate 500", "chat hang@150", 4),
        ("churn -c 4 -d 1s --rate 200", "chat hang@60", 1),
    ] {
        let (record, ended) = against(script, line, &["--fail-if", "p99>50ms"]);
        let round = only_round(&record);
        let rate = record.rate.unwrap() as u64;
        assert_eq!(round.messages, rate, "{line}: all that were due");
        assert_nothing_is_forgotten(round, rate * each);
        assert!(round.lost > rate * each / 2, "{line}: {round:?}");
        assert!(round.latency.p99 > 2_000_000, "{line}: {round:?}");
        assert!(
            round.latency.is_bound(round.latency.p99),
            "{line}: {round:?}"
        );
        assert!(round.pause_seconds > 1.9, "{line}: {round:?}");
        assert_eq!(ended.status.code(), Some(99), "{line}: {}", ended.stderr);
        let table = text(&ended.stdout);
        assert!(table.contains('≥'), "{line}: {table}");
        // The hole stands in the timeline, to the end of the round.
        let steps = &round.timeline.deliveries;
        let hole = steps.iter().rev().take_while(|&&came| came == 0).count();
        assert!(hole as f64 * round.timeline.step > 1.9, "{line}: {steps:?}");
    }
}

#[test]
fn pause_shows_in_max_and_pause_and_timeline() {
    for line in [
        "echo -c 2 -d 2s",
        "chat -c 3 -d 2s",
        "chat -c 3 -d 2s --rate 500",
    ] {
        let script = format!("{} freeze@20", &line[..4]);
        let (record, ended) = against(&script, line, &["--fail-if", "pause>1s"]);
        let round = only_round(&record);
        assert_eq!(round.lost, 0, "{line}: {round:?}");
        assert!(round.pause_seconds > 1.4, "{line}: {round:?}");
        assert!(round.latency.max > 1_400_000, "{line}: {round:?}");
        let mut holes = round.timeline.deliveries.split(|&came| came > 0);
        let hole = holes.any(|hole| hole.len() as f64 * round.timeline.step > 1.3);
        assert!(hole, "{line}: {:?}", round.timeline);
        assert_eq!(ended.status.code(), Some(99), "{line}: {}", ended.stderr);
    }
}

#[test]
fn half_a_line_damages_the_next_and_is_lost_itself() {
    let (record, ended) = against("chat half@5", "chat -c 3 --senders 1 -d 1s", &[]);
    let round = only_round(&record);
    assert_eq!((round.lost, round.damaged), (2, 1), "{round:?}");
    assert_nothing_is_forgotten(round, round.messages * 3);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    // In the echo, the other half is waited for.
    let (record, _) = against("echo half@5", "echo -c 3 -d 1s", &[]);
    let round = only_round(&record);
    assert_eq!((round.lost, round.damaged), (1, 0), "{round:?}");
}

#[test]
fn unrequested_answers_count_as_damaged() {
    let (record, _) = against("echo double@5 damage@9", "echo -c 3 -d 1s", &[]);
    let round = only_round(&record);
    assert!(round.damaged >= 2, "{round:?}");
    assert!(round.lost >= 1, "{round:?}");
    assert_nothing_is_forgotten(round, round.messages);
}

#[test]
fn messages_to_a_disconnected_client_are_lost() {
    for (line, script, each) in [
        (
            "chat -c 3 --senders 1 -d 500ms --rate 200",
            "chat kick@50",
            3,
        ),
        ("echo -c 2 -d 500ms --rate 200", "echo kick@50", 1),
    ] {
        let (record, ended) = against(script, line, &["--fail-if", "p90>1s"]);
        let round = only_round(&record);
        assert_eq!(round.dropped, 1, "{line}: {round:?}");
        assert_eq!(round.messages, 100, "{line}: all that were due");
        assert_nothing_is_forgotten(round, round.messages * each);
        // Half of the time, a third or half of the clients.
        assert!(round.lost >= 20, "{line}: {round:?}");
        assert_eq!(ended.status.code(), Some(99), "{line}: {}", ended.stderr);
        assert!(ended.stderr.contains("disconnected"), "{}", ended.stderr);
    }
}

#[test]
fn server_that_dies_is_a_result_and_the_others_go_on() {
    let dies = mock::command("mock", "chat die@100");
    let (record, ended) = record_of(
        "chat -c 3,4 -d 300ms --rate 1000 --rounds 2 --floor --server",
        &[&dies],
    );
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    let what = format!("error: server mock died (exit status 2): {LAST_WORDS}");
    assert!(ended.stderr.contains(&what), "{}", ended.stderr);
    assert_eq!(record.rounds, 2);
    let points: Vec<_> = (record.points.iter())
        .map(|point| (&*point.server, point.clients, point.rounds.len()))
        .collect();
    assert_eq!(
        points,
        [
            ("threadline", 3, 2),
            ("mock", 3, 0),
            ("floor", 3, 2),
            ("threadline", 4, 2),
            ("mock", 4, 0),
            ("floor", 4, 2)
        ]
    );
    for point in &record.points {
        let Some(failed) = &point.failed else {
            assert_ne!(point.server, "mock");
            continue;
        };
        assert_eq!(point.server, "mock");
        assert_eq!((failed.clients, failed.round), (3, 1), "{failed:?}");
        assert_eq!(failed.what, "died (exit status 2)");
        assert_eq!(failed.last_words.as_deref(), Some(LAST_WORDS));
    }
    let table = text(&ended.stdout);
    assert!(table.contains("threadline"), "{table}");
}

#[test]
fn killed_server_is_reported_with_the_signal() {
    let server = "x=sh -c 'sleep 0.5; kill -KILL $$' {addr}";
    crate::run("echo -c 1 --no-own --server", &[server])
        .expect_one_error("server x died (killed by signal 9)");
}

#[test]
fn server_that_dies_after_a_round_keeps_the_round() {
    let (record, ended) = against("chat die-at-end@0", "chat -c 3 -d 300ms", &[]);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    let point = &record.points[0];
    let round = only_round(&record);
    assert_eq!(round.lost, 0, "{round:?}");
    assert!(round.server.is_none(), "what was left behind is not known");
    let failed = point.failed.as_ref().unwrap();
    assert_eq!((failed.round, &*failed.what), (1, "died (exit status 2)"));
    assert!(text(&ended.stdout).contains("deliveries/s"));
}

#[test]
fn server_that_disconnects_everyone_has_failed() {
    for (line, script) in [
        ("echo -c 1 -d 1h --rate 100", "echo kick@20"),
        ("echo -c 1 -d 1h", "echo kick@20"),
        ("chat -c 2 -d 1h --rate 100", "chat close@20"),
    ] {
        let (record, ended) = against(script, line, &[]);
        let failed = record.points[0].failed.as_ref().unwrap();
        assert_eq!(
            failed.what, "disconnected everyone whom it had let in",
            "{line}"
        );
        assert_eq!(ended.status.code(), Some(1), "{line}: {}", ended.stderr);
    }
}

#[test]
fn only_server_that_dies_is_recorded() {
    let (record, ended) = against("echo die@100", "echo -c 3 -d 5s", &[]);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    let failed = record.points[0].failed.as_ref().unwrap();
    assert_eq!(failed.last_words.as_deref(), Some(LAST_WORDS));
    assert!(record.points[0].rounds.is_empty());
}

#[test]
fn clients_that_are_refused_are_not_counted_as_clients() {
    for (line, script) in [
        ("chat -c 5 -d 200ms", "chat refuse@2"),
        ("echo -c 5 -d 200ms", "echo refuse@2"),
        ("idle -c 5 -d 200ms", "chat refuse@2"),
    ] {
        let (record, ended) = against(script, line, &[]);
        let round = only_round(&record);
        assert_eq!((round.connected, round.lost), (2, 0), "{line}: {round:?}");
        let cost = round.server.as_ref().unwrap();
        assert_eq!(cost.clients, 2, "{line}: {cost:?}");
        assert!(
            ended.stderr.contains("only 2 got in"),
            "{line}: {}",
            ended.stderr
        );
    }
}

#[test]
fn visitors_that_are_refused_are_lost_and_share_no_cost() {
    let line = "churn -c 100 -d 300ms --rate max --fail-if rss>1GiB";
    let (record, ended) = against("chat refuse@20", line, &[]);
    let round = only_round(&record);
    assert!(round.connected <= 20, "{round:?}");
    assert!(round.server.as_ref().unwrap().clients <= 20, "{round:?}");
    assert_eq!(round.deliveries, 20, "{round:?}");
    assert_nothing_is_forgotten(round, round.messages);
    assert_eq!(round.dropped, round.lost, "{round:?}");
    assert!(round.latency.is_bound(round.latency.p50), "{round:?}");
    assert!(ended.stderr.contains("disconnected"), "{}", ended.stderr);
}

#[test]
fn clients_that_left_before_the_end_share_no_cost() {
    // The room disconnects silent clients.
    let server = format!("room={CHAT_SERVER} --timeout 1s {{addr}}");
    let line = "idle -c 5 -d 3s --rounds 1 --no-own --fail-if rss>1GiB --server";
    let (record, ended) = record_of(line, &[&server]);
    let round = only_round(&record);
    assert_eq!(round.dropped, 5, "{round:?}");
    assert_eq!(round.server.as_ref().unwrap().clients, 0, "{round:?}");
    let said = "rss>1GiB: room at 5 clients: rss was not measured";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert_eq!(ended.status.code(), Some(99));
}
