//! How it is called, what it says and leaves, and its exit status.

use std::fs::{self, File};
use std::io;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::common::ended::Ended;
use crate::common::program::text;
use crate::{ECHO_SERVER, LOADTEST, free_addr, measure, run};

#[test]
fn crossed_threshold_is_reported_with_status_99() {
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
fn html_page_is_written() {
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
fn help_has_the_options_of_the_scenario_and_two_examples_within_80_columns() {
    let sends = ["--size", "--rate", "--seed", "--warm-up"];
    let all = [
        "--clients",
        "--rounds",
        "--fail-if",
        "--markdown",
        "--server",
        "--floor",
    ];
    for (scenario, senders, stalled, sending) in [
        ("chat", true, false, true),
        ("echo", false, false, true),
        ("idle", false, false, false),
        ("churn", false, false, true),
        ("slow", true, true, true),
    ] {
        let ended = Command::new(LOADTEST)
            .args([scenario, "--help"])
            .env("COLUMNS", "80")
            .output()
            .unwrap();
        let help = text(&ended.stdout);
        let has = |option: &str| {
            help.contains(&format!("{option} <")) || help.contains(&format!("{option}\n"))
        };
        assert!(all.iter().all(|option| has(option)), "{help}");
        assert!(sends.iter().all(|option| has(option) == sending), "{help}");
        assert_eq!(
            (has("--senders"), has("--stalled")),
            (senders, stalled),
            "{help}"
        );
        let examples = help.split("Examples:").nth(1).unwrap_or_default();
        let example = format!("\n  loadtest {scenario}");
        assert_eq!(examples.matches(&example).count(), 2, "{help}");
        let widest = help
            .lines()
            .max_by_key(|line| line.chars().count())
            .unwrap();
        assert!(widest.chars().count() <= 80, "{widest}");
    }
}

#[test]
fn warnings_come_after_the_tables_without_time_stamps() {
    let folder = TempDir::new().unwrap();
    let both = File::create(folder.path().join("both")).unwrap();
    let ended = Command::new(LOADTEST)
        .args("echo -c 4,5 -d 100ms --rounds 1 --no-own --server".split(' '))
        .arg(format!("small={ECHO_SERVER} --max-clients 2 {{addr}}"))
        .stderr(both.try_clone().unwrap())
        .stdout(both)
        .status()
        .unwrap();
    assert!(ended.success());
    let both = fs::read_to_string(folder.path().join("both")).unwrap();
    let (tables, warnings) = both.split_once("warning: ").expect("not all got in");
    assert!(tables.contains("CPU s/million"), "{both}");
    assert!(warnings.contains("only 2 got in"), "{both}");
    let warnings: Vec<&str> = warnings.split("warning: ").collect();
    for (i, warning) in warnings.iter().enumerate() {
        assert_eq!(warning.lines().count(), 1, "{both}");
        assert!(!warnings[..i].contains(warning), "twice: {both}");
    }
    assert!(!both.contains("WARN"), "{both}");
}

#[test]
fn each_number_of_clients_is_measured_once() {
    let (record, _) = measure("echo -c 2,1,2 -d 100ms --rounds 1", &[]);
    let clients: Vec<_> = record.points.iter().map(|point| point.clients).collect();
    assert_eq!(clients, [2, 1]);
}

#[test]
fn a_pipe_gets_no_progress_bar() {
    let ended = run("chat -c 3 -d 300ms --rounds 1", &[]);
    assert!(!ended.stderr.contains("connected"), "{}", ended.stderr);
}

/// Runs it with this standard output.
fn run_into(out: impl Into<Stdio>, line: &str) -> Ended {
    let output = Command::new(LOADTEST)
        .args(line.split(' '))
        .stdout(out)
        .output()
        .unwrap();
    Ended {
        status: output.status,
        stdout: output.stdout,
        stderr: text(&output.stderr),
    }
}

const QUICK: [&str; 3] = [
    "echo -c 1 -d 100ms --rounds 1",
    "limits",
    "limits --probe --echo -c 1",
];

#[test]
fn closed_stdout_is_not_an_error() {
    for line in QUICK {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let ended = run_into(writer, line);
        assert_eq!(ended.status.code(), Some(0), "{line}: {}", ended.stderr);
        assert!(!ended.stderr.contains("error"), "{line}: {}", ended.stderr);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn table_that_cannot_be_printed_is_an_error() {
    for line in QUICK {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let ended = run_into(full, line);
        assert_eq!(ended.status.code(), Some(1), "{line}: {}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap_or_default();
        let expected = "error: cannot write to standard output: No space left on device";
        assert!(last.starts_with(expected), "{line}: {}", ended.stderr);
    }
}

#[test]
fn failure_to_measure_is_one_line() {
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
fn wrong_usage_is_status_2() {
    for line in [
        "",
        "dance",
        "chat -c 0",
        "chat -c 4611686018427387904",
        "chat --rounds 18446744073709551615",
        "limits --threads 4611686018427387904",
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
