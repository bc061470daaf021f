//! How the system schedules a server's threads.

use std::fs;

use crate::common::program::Program;
use crate::common::user::User;
use crate::{CHAT, UPPER, serve};

/// `SCHED_OTHER` and `SCHED_BATCH` of sched(7).
const OTHER: &str = "0";
const BATCH: &str = "3";

/// The name, the nice value and the scheduling policy of each thread of a process.
fn threads(process: &str) -> Vec<(String, String, String)> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    tasks
        .filter_map(|task| {
            // The thread may just have exited.
            let stat = fs::read_to_string(task.unwrap().path().join("stat")).ok()?;
            let (name, fields) = stat.rsplit_once(')').unwrap();
            let fields: Vec<_> = fields.split_whitespace().collect();
            // The 3rd field of proc_pid_stat(5) is the first one after the name.
            let field = |number: usize| fields[number - 3].to_owned();
            let name = name.split_once('(').unwrap().1.to_owned();
            Some((name, field(19), field(41)))
        })
        .collect()
}

/// Asserts that so many threads of a server are in SCHED_BATCH: all but the one that only waits for signals.
#[track_caller]
fn assert_batch_work(server: &Program, expected: usize) {
    let of = |policy| move |thread: &&(String, String, String)| thread.2 == policy;
    let is_nice_0 = |thread: &(String, String, String)| thread.1 == "0";
    let own = threads("self");
    if !own
        .iter()
        .all(|thread| is_nice_0(thread) && of(OTHER)(&thread))
    {
        eprintln!("skipped: these tests run with a priority, which the servers keep");
        return;
    }
    let threads = threads(&server.id().to_string());
    assert!(
        threads.iter().filter(of(BATCH)).count() == expected
            && threads.iter().filter(of(OTHER)).count() <= 1
            && threads.iter().all(is_nice_0),
        "name, nice value and policy: {threads:?}"
    );
}

#[test]
fn room_runs_in_sched_batch_with_nice_0() {
    let room = serve(CHAT, &[]);
    let _users = [User::join(room.addr()), User::join(room.addr())];
    // The main thread, the one that waits for the shutdown, manager, and three per client.
    assert_batch_work(&room, 9);
}

#[test]
fn upper_case_server_runs_in_sched_batch_with_nice_0() {
    let server = serve(UPPER, &[]);
    let mut client = User::connect(server.addr());
    client.say("hello");
    client.expect("HELLO");
    // The main thread, the one that waits for the shutdown, and one for the client.
    assert_batch_work(&server, 3);
}
