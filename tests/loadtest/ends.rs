//! How a run ends before its time: by Ctrl-C once or twice, or by SIGKILL.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use threadline::lab::results::record::Record;

use crate::common::program::{Program, text};
use crate::common::wait::{DEADLINE, wait_until};
use crate::mock::{self, Mock};
use crate::{CHAT_SERVER, free_addr, start, wait_for_listener};

/// Starts a run of an hour against a mock, and waits until it is measured.
fn start_measuring(script: &str, line: &str, more: &[&str]) -> (Program, Mock) {
    let (addr, mock) = mock::start(script);
    let loadtest = start(&format!("{line} -d 1h --addr {addr}"), more);
    wait_until(
        "there are messages",
        || mock.messages() > 10,
        || loadtest.seen(),
    );
    (loadtest, mock)
}

#[test]
fn first_ctrl_c_ends_the_round_and_everything_is_written() {
    for (line, script) in [
        ("chat -c 3 --senders 1", "chat"),
        ("chat -c 3 --senders 1 --rate 100", "chat"),
        ("echo -c 3", "echo"),
        ("echo -c 3 --rate 100", "echo"),
        ("churn -c 3 --rate 100", "chat"),
    ] {
        let folder = TempDir::new().unwrap();
        let files = ["run.json", "run.html"].map(|name| folder.path().join(name));
        let [json, html] = files.each_ref().map(|path| path.to_str().unwrap());
        let (mut loadtest, _mock) =
            start_measuring(script, line, &["--json", json, "--html", html]);
        loadtest.signal("INT");
        let ended = loadtest.ended();
        assert_eq!(ended.status.code(), Some(130), "{line}: {}", ended.stderr);
        let record: Record = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
        assert!(record.interrupted, "{line}");
        assert_eq!(record.rounds, 3, "{line}");
        let [round] = &record.points[0].rounds[..] else {
            panic!("{line}: {record:?}");
        };
        assert!(round.cut_short, "{line}");
        assert!(
            round.deliveries > 0 && round.seconds < 60.0,
            "{line}: {round:?}"
        );
        // What was on its way came.
        assert_eq!(round.lost, 0, "{line}: {round:?}");
        let table = text(&ended.stdout);
        assert!(table.contains("deliveries/s"), "{line}: no table");
        assert!(table.contains("cut short"), "{line}: {table}");
        let page = fs::read_to_string(html).unwrap();
        assert!(page.contains("cut short"), "{line}: {page}");
    }
}

#[test]
fn unanswered_requests_are_lost_after_ctrl_c() {
    let folder = TempDir::new().unwrap();
    let json = folder.path().join("run.json");
    let json = json.to_str().unwrap();
    let (mut loadtest, _mock) =
        start_measuring("echo hang@50", "echo -c 3 --rate 100", &["--json", json]);
    loadtest.signal("INT");
    assert_eq!(loadtest.ended().status.code(), Some(130));
    let record: Record = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let round = &record.points[0].rounds[0];
    assert_eq!(round.deliveries + round.lost, round.messages, "{round:?}");
    assert!(round.lost > 0 || round.messages < 50, "{round:?}");
}

#[test]
fn second_ctrl_c_exits_at_once() {
    // What the server owes would be waited for.
    let (mut loadtest, _mock) = start_measuring("echo hang@12", "echo -c 3 --rate 1000", &[]);
    loadtest.signal("INT");
    // Two signals that are pending at one time are one.
    let pressed = Instant::now();
    while loadtest.status().is_none() && pressed.elapsed() < DEADLINE {
        loadtest.signal("INT");
    }
    let ended = loadtest.ended();
    assert_eq!(ended.status.code(), Some(130), "{}", ended.stderr);
    assert_eq!(text(&ended.stdout), "", "nothing is printed");
}

#[test]
fn ctrl_c_while_a_server_starts_ends_the_run() {
    let folder = TempDir::new().unwrap();
    let started = folder.path().join("started");
    let server = format!(
        "x=sh -c 'touch {}; exec sleep 600' {{addr}}",
        started.display()
    );
    let mut loadtest = start(
        "chat -c 3 --no-own --start-timeout 10m --server",
        &[&server],
    );
    wait_until("it starts", || started.exists(), || loadtest.seen());
    loadtest.signal("INT");
    let ended = loadtest.ended();
    assert_eq!(ended.status.code(), Some(130), "{}", ended.stderr);
}

/// The server leaves the process group and its parent exits.
const DAEMON: &str = "(setsid {} {} &); exec sleep 600";

#[test]
fn no_server_outlives_loadtest_however_it_ends() {
    // A server behind a wrapper is not a child of loadtest.
    // Elsewhere nothing adopts a daemon.
    let daemon = Some(DAEMON).filter(|_| cfg!(target_os = "linux"));
    for wrapper in ["exec {} {}", "{} {}; true"].into_iter().chain(daemon) {
        for signals in [&["INT"][..], &["INT", "INT"], &["TERM"], &["KILL"]] {
            let addr = free_addr();
            let script = wrapper.replacen("{}", CHAT_SERVER, 1);
            let script = script.replacen("{}", &addr.to_string(), 1);
            let server = format!("mine@{addr}=sh -c '{script}'");
            let mut loadtest = start("chat -c 3 -d 60s --no-own --server", &[&server]);
            wait_for_listener(addr, true, &loadtest);
            for signal in signals {
                loadtest.signal(signal);
            }
            loadtest.ended();
            wait_for_listener(addr, false, &loadtest);
        }
    }
}

/// `killall -KILL loadtest` ends what is called so.
#[test]
#[cfg(target_os = "linux")]
fn killing_loadtest_by_its_name_leaves_the_supervisor() {
    let (mut loadtest, addr) = start_with_fixed_address();
    let children = children(&loadtest);
    let names: Vec<_> = children.iter().map(|child| &child.comm[..]).collect();
    assert_eq!(names, ["supervise"]);
    loadtest.signal("KILL");
    loadtest.ended();
    wait_for_listener(addr, false, &loadtest);
}

#[test]
#[cfg(target_os = "linux")]
fn no_server_outlives_a_supervisor_that_is_killed() {
    let (mut loadtest, addr) = start_with_fixed_address();
    let [supervisor] = &children(&loadtest)[..] else {
        panic!("{}", loadtest.seen());
    };
    let supervisor = Pid::from_raw(supervisor.pid).unwrap();
    kill_process(supervisor, Signal::KILL).unwrap();
    loadtest
        .ended()
        .expect_one_error("server mine died (with its supervisor)");
    wait_for_listener(addr, false, &loadtest);
}

#[cfg(target_os = "linux")]
fn start_with_fixed_address() -> (Program, SocketAddr) {
    let addr = free_addr();
    let server = format!("mine@{addr}=env {CHAT_SERVER} {addr}");
    let loadtest = start("chat -c 3 -d 60s --no-own --server", &[&server]);
    wait_for_listener(addr, true, &loadtest);
    (loadtest, addr)
}

#[cfg(target_os = "linux")]
fn children(loadtest: &Program) -> Vec<procfs::process::Stat> {
    let all = procfs::process::all_processes().unwrap();
    all.filter_map(|process| process.ok()?.stat().ok())
        .filter(|stat| stat.ppid == loadtest.id() as i32)
        .collect()
}

#[test]
fn ctrl_c_ends_a_probe_and_prints_what_it_has_found() {
    // It accepts and lets nobody in.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let mut loadtest = start(&format!("limits --probe -c 1 --addr {addr}"), &[]);
    let _conn = listener.accept().unwrap();
    loadtest.signal("INT");
    let ended = loadtest.ended();
    assert_eq!(ended.status.code(), Some(130), "{}", ended.stderr);
    let out = text(&ended.stdout);
    assert!(out.contains("held 0 clients, then: interrupted"), "{out}");
}
