//! `loadtest limits`: the table, the settings for a number of clients, the probe.

use std::io::Write;
use std::net::TcpListener;
use std::process::Command;

use crate::common::program::text;
use crate::{CHAT_SERVER, LOADTEST, run};

#[track_caller]
fn limits(line: &str, more: &[&str]) -> String {
    let ended = run(&format!("limits {line}"), more);
    let out = text(&ended.stdout);
    assert_eq!(ended.status.code(), Some(0), "{out} {}", ended.stderr);
    out
}

#[test]
fn table_names_the_limits_and_how_to_raise_them() {
    let out = limits("", &[]);
    for part in [
        "vm.max_map_count",
        "kernel.pid_max",
        "RLIMIT_NOFILE",
        "sysctl -w",
        "is reached first, at ",
        "Memory: about ",
        "Ports: ",
        "Futex hash: ",
    ] {
        assert!(out.contains(part), "no {part} in {out}");
    }
}

#[test]
fn settings_for_many_clients_are_one_block_that_a_shell_takes() {
    let script = format!("ulimit -n 200; exec {LOADTEST} limits --for 5000");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let out = text(&output.stdout);
    let blocks: Vec<_> = out.split("\n\n").collect();
    let [heading, block, notes] = blocks[..] else {
        panic!("expected a heading, a block and notes in {output:?}");
    };
    let expected = "For 5000 clients with 3 threads per client, paste this";
    assert!(heading.starts_with(expected), "{out}");
    let descriptors = ["ulimit -n 6000", "sudo prlimit --pid $$ --nofile=6000:6000"];
    let last = block.lines().last().unwrap();
    assert!(descriptors.contains(&last), "{out}");
    assert!(notes.contains("Memory: about "), "{out}");
    let syntax = Command::new("sh")
        .args(["-n", "-c", block])
        .output()
        .unwrap();
    assert!(syntax.status.success(), "{syntax:?} {out}");
}

#[test]
fn nothing_is_to_be_set_for_one_client() {
    let out = limits("--for 1", &[]);
    let first = "Every limit is high enough for 1 client with 3 threads per client.\n";
    assert!(out.starts_with(first), "{out}");
    assert!(!out.contains("sysctl"), "{out}");
}

#[test]
fn clients_that_no_kernel_supports_are_one_error() {
    run("limits --for 1000000 --threads 10", &[])
        .expect_one_error("kernel.pid_max can be 4194304 at most");
}

#[test]
fn probe_reports_what_stopped_it() {
    let out = limits("--probe --echo -c 150", &[]);
    assert!(out.contains("threadline held 150 clients"), "{out}");
    assert!(out.contains("nearest limit"), "{out}");
}

#[test]
fn probe_tries_every_server() {
    let small = format!("small={CHAT_SERVER} --max-clients 7 {{addr}}");
    let smaller = format!("smaller={CHAT_SERVER} --max-clients 5 {{addr}}");
    let servers = ["--server", small.as_str(), "--server", smaller.as_str()];
    let out = limits("--probe -c 150 --no-own", &servers);
    for held in ["small held 7 clients", "smaller held 5 clients"] {
        let expected = format!("{held}, then: the server told the next: the room is full");
        assert!(out.contains(&expected), "no {expected:?} in {out}");
    }
}

#[test]
fn probe_goes_on_with_the_next_server_when_one_does_not_start() {
    let servers = ["--server", "broken=false {addr}"];
    let small = format!("small={CHAT_SERVER} --max-clients 7 {{addr}}");
    let servers = [&servers[..], &["--server", &small]].concat();
    let ended = run("limits --probe -c 10 --no-own", &servers);
    let out = text(&ended.stdout);
    assert!(out.contains("small held 7 clients"), "{out}");
    assert_eq!(ended.status.code(), Some(1), "{out}");
    let error = "error: server broken died (exit status 1)\n";
    assert_eq!(ended.stderr, error, "{out}");
}

#[test]
fn probe_ends_when_its_time_is_over() {
    // It accepts and lets nobody in.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let out = limits(&format!("--probe -c 1 -d 300ms --addr {addr}"), &[]);
    let expected = format!("{addr} held 0 clients, then: the time was over (--duration)\n");
    assert!(out.replace("\n  ", " ").contains(&expected), "{out}");
}

#[test]
fn server_text_is_safe_on_a_terminal() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for conn in listener.incoming() {
            conn.unwrap().write_all(b"\x1b[2Jfull\xe2\x80\xae\r\n").ok();
        }
    });
    let out = limits(&format!("--probe -c 1 --addr {addr}"), &[]);
    let expected = "the server told the next: \u{fffd}[2Jfull‹U+202E›\n";
    assert!(out.replace("\n  ", " ").contains(expected), "{out:?}");
}

#[test]
fn no_line_is_wider_than_80_columns() {
    for line in [
        "",
        "--for 1",
        "--for 5000",
        "--for 40000 --threads 1",
        "--probe --echo -c 1",
    ] {
        let out = limits(line, &[]);
        let widest = out.lines().max_by_key(|line| line.chars().count()).unwrap();
        assert!(widest.chars().count() <= 80, "{line}: {widest}");
    }
}

#[test]
fn one_client_and_one_thread_are_singular() {
    let out = limits("--probe --echo -c 1", &[]);
    assert!(out.contains("threadline held 1 client, then: "), "{out}");
    let out = limits("--for 1 --threads 1", &[]);
    assert!(!out.contains("1 threads"), "{out}");
}
