//! `compare`: what changed between two saved runs, and whether it is chance.

use std::fs;

use tempfile::TempDir;
use threadline::lab::results::record::{Failure, Latency, Machine, Point, Record, Round, SCHEMA};

use crate::common::program::text;
use crate::run;

/// A run of one server at 10 clients with these p99s in microseconds.
fn record(p99s: &[u64]) -> Record {
    let round = |&p99: &u64| Round {
        connected: 10,
        seconds: 1.0,
        messages: 100,
        deliveries: 1000,
        latency: Latency {
            p99,
            max: p99,
            ..Latency::default()
        },
        ..Round::default()
    };
    Record {
        schema: SCHEMA,
        scenario: "chat".to_owned(),
        rounds: p99s.len(),
        machine: Machine {
            cores: 2,
            ..Machine::default()
        },
        servers: vec!["mine".to_owned()],
        points: vec![Point {
            server: "mine".to_owned(),
            clients: 10,
            rounds: p99s.iter().map(round).collect(),
            ..Point::default()
        }],
        ..Record::default()
    }
}

struct Runs(TempDir);

impl Runs {
    fn new(old: &Record, new: &Record) -> Runs {
        let folder = TempDir::new().unwrap();
        for (name, record) in [("old", old), ("new", new)] {
            let json = serde_json::to_string(record).unwrap();
            fs::write(folder.path().join(name), json).unwrap();
        }
        Runs(folder)
    }

    fn compare(&self, options: &[&str]) -> (Option<i32>, String, String) {
        let paths = ["old", "new"].map(|name| self.0.path().join(name));
        let paths = paths.each_ref().map(|path| path.to_str().unwrap());
        let ended = run("compare", &[&paths, options].concat());
        (ended.status.code(), text(&ended.stdout), ended.stderr)
    }
}

const OLD: [u64; 3] = [40_000, 50_000, 60_000];

#[test]
fn change_beyond_the_rounds_crosses_a_rule() {
    let runs = Runs::new(&record(&OLD), &record(&[70_000, 75_000, 80_000]));
    let (status, out, stderr) = runs.compare(&["--fail-if", "p99>+10%"]);
    assert_eq!(status, Some(99), "{out} {stderr}");
    let expected = "p99>+10%: mine at 10 clients: p99 went from 50 ms to 75 ms (+50 %)";
    assert!(stderr.contains(expected), "{stderr}");
    assert!(out.contains("+50 %"), "{out}");
    let (status, _, stderr) = runs.compare(&["--fail-if", "p99>+60%", "--fail-if", "rate<-1%"]);
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
}

#[test]
fn change_within_the_rounds_is_chance() {
    let runs = Runs::new(&record(&OLD), &record(&[59_000, 75_000, 80_000]));
    let (status, out, stderr) = runs.compare(&["--fail-if", "p99>+10%"]);
    assert_eq!((status, stderr.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains('≈'), "{out}");
}

#[test]
fn lower_bound_is_explained_where_it_stands() {
    let sound = record(&[10_000]);
    let mut lossy = sound.clone();
    let round = &mut lossy.points[0].rounds[0];
    (round.lost, round.latency.bound_from) = (1, Some(10_000));
    for (new, explained) in [(&sound, 0), (&lossy, 1)] {
        let (_, out, _) = Runs::new(&sound, new).compare(&[]);
        assert_eq!(out.contains("≥10 ms"), explained > 0, "{out}");
        assert_eq!(
            out.matches("≥: deliveries never came.").count(),
            explained,
            "{out}"
        );
    }
}

#[test]
fn value_is_judged_in_the_new_run() {
    let mut new = record(&OLD);
    new.points[0].rounds[1].lost = 3;
    let (status, _, stderr) = Runs::new(&record(&OLD), &new).compare(&["--fail-if", "lost>0"]);
    assert_eq!(status, Some(99), "{stderr}");
    let (status, ..) = Runs::new(&new, &record(&OLD)).compare(&["--fail-if", "lost>0"]);
    assert_eq!(status, Some(0));
}

#[test]
fn differences_between_the_runs_are_reported() {
    let mut new = record(&OLD);
    new.size = 2048;
    new.points.push(Point {
        clients: 20,
        ..new.points[0].clone()
    });
    let (status, _, stderr) = Runs::new(&record(&OLD), &new).compare(&[]);
    assert_eq!(status, Some(0), "{stderr}");
    assert!(
        stderr.contains("warning: the runs differ in load"),
        "{stderr}"
    );
    assert!(
        stderr.contains("mine at 20 clients is in NEW alone"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 2, "{stderr}");
}

#[test]
fn server_that_failed_in_one_run_is_reported() {
    let mut new = record(&OLD);
    new.points[0].rounds.truncate(1);
    new.points[0].failed = Some(Failure {
        clients: 10,
        round: 2,
        what: "died (exit status 2)".to_owned(),
        last_words: None,
    });
    let (status, _, stderr) = Runs::new(&record(&OLD), &new).compare(&[]);
    assert_eq!(status, Some(0), "{stderr}");
    let expected = "warning: failed in NEW: mine at 10 clients, round 2: died (exit status 2)\n";
    assert_eq!(stderr, expected);
}

#[test]
fn runs_with_nothing_in_common_are_an_error() {
    let mut other = record(&OLD);
    other.points[0].server = "theirs".to_owned();
    let (status, out, stderr) = Runs::new(&record(&OLD), &other).compare(&[]);
    assert_eq!((status, out.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.starts_with("error: nothing to compare"), "{stderr}");
    let mut other = record(&OLD);
    other.scenario = "slow".to_owned();
    let (status, ..) = Runs::new(&record(&OLD), &other).compare(&[]);
    assert_eq!(status, Some(1));
}

#[test]
fn record_of_another_schema_is_rejected() {
    let mut old = record(&OLD);
    old.schema = 1;
    let (status, _, stderr) = Runs::new(&old, &record(&OLD)).compare(&[]);
    assert_eq!(status, Some(1));
    assert!(stderr.contains("old has schema 1"), "{stderr}");
    let runs = Runs::new(&record(&OLD), &record(&OLD));
    fs::write(runs.0.path().join("new"), "{}").unwrap();
    let (status, _, stderr) = runs.compare(&[]);
    assert_eq!(status, Some(1));
    assert!(stderr.contains("new is not what --json writes"), "{stderr}");
    fs::remove_file(runs.0.path().join("old")).unwrap();
    let (status, _, stderr) = runs.compare(&[]);
    assert_eq!(status, Some(1));
    assert!(stderr.contains("cannot read"), "{stderr}");
}

#[test]
fn saved_run_can_be_compared() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.json");
    let path = path.to_str().unwrap();
    let ended = run("echo -c 1,2 -d 100ms --rounds 2 --json", &[path]);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let ended = run(
        "compare",
        &[path, path, "--fail-if", "p99>+0%", "--fail-if", "rate<-0%"],
    );
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let out = text(&ended.stdout);
    assert!(
        out.contains("threadline OLD") && out.contains("p99.9"),
        "{out}"
    );
}

#[test]
fn comparison_is_not_wider_than_80_columns() {
    let mut long = record(&OLD);
    long.servers = (0..20).map(|n| format!("server number {n}")).collect();
    let (status, out, stderr) = Runs::new(&long, &long).compare(&[]);
    assert_eq!(status, Some(0), "{stderr}");
    let widest = out.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(widest.chars().count() <= 80, "{widest}");
}

#[test]
fn record_of_another_machine_is_safe_on_a_terminal() {
    let mut other = record(&OLD);
    let name = "\u{1b}[2J\u{202e}theirs";
    other.servers = vec![name.to_owned()];
    other.points[0].server = name.to_owned();
    let mut new = other.clone();
    new.machine.cpu = "\u{9b}2J".to_owned();
    let (status, out, stderr) = Runs::new(&other, &new).compare(&["--fail-if", "p99>1ms"]);
    assert_eq!(status, Some(99), "{stderr}");
    for text in [&out, &stderr] {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{text:?}");
        assert!(text.contains("‹U+202E›theirs"), "{text:?}");
    }
}
