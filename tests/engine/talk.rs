//! Users of several servers who talk while things break, and what each of them was shown.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};

use crate::common::program::Program;
use crate::common::user::User;
use crate::common::wait::wait_until;

/// Users who say one message after the other, each when the last has come back.
pub(crate) struct Talk {
    users: Vec<JoinHandle<Vec<String>>>,
    count: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Talk {
    /// So many users on each server. They begin when every one of them has seen the last come.
    #[track_caller]
    pub(crate) fn start(rooms: &[&Program], users: usize) -> Talk {
        let mut joined = Vec::new();
        for _ in 0..users {
            joined.extend(rooms.iter().map(|room| User::join(room.addr())));
        }
        let last = joined.last().unwrap().addr.clone();
        let n = joined.len();
        for user in &mut joined[..n - 1] {
            user.read_until(&format!("[{last}]{last}: login!!!\r\n"));
        }
        let all = Arc::new(Barrier::new(n));
        let talk = Talk {
            users: Vec::new(),
            count: Arc::default(),
            stop: Arc::default(),
        };
        let users = joined.into_iter().map(|user| {
            let (all, count, stop) = (all.clone(), talk.count.clone(), talk.stop.clone());
            thread::spawn(move || run(user, n, &all, &count, &stop))
        });
        Talk {
            users: users.collect(),
            ..talk
        }
    }

    /// Waits until so many more messages have come back to those who said them.
    #[track_caller]
    pub(crate) fn wait_for(&self, messages: usize) {
        let before = self.count.load(Relaxed);
        wait_until(
            &format!("{messages} more messages"),
            || self.count.load(Relaxed) >= before + messages || self.failed(),
            || format!("{} have come", self.count.load(Relaxed) - before),
        );
    }

    fn failed(&self) -> bool {
        self.users.iter().any(|user| user.is_finished())
    }

    /// How many messages have come back so far.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Lets everyone end, and checks that all were shown the same lines in the same order, with every message
    /// once. Returns the lines, and what the room told each user about itself.
    #[track_caller]
    pub(crate) fn end(self) -> (Vec<String>, Vec<Vec<String>>) {
        let (shown, notices) = self.shown();
        for other in &shown[1..] {
            for (at, (one, two)) in shown[0].iter().zip(other).enumerate() {
                let before = &shown[0][at.saturating_sub(5)..at];
                assert_eq!(one, two, "line {at}, after {before:?}");
            }
        }
        (shown.into_iter().next().unwrap(), notices)
    }

    #[track_caller]
    fn shown(self) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
        self.stop.store(true, Relaxed);
        let users = self.users.into_iter();
        let shown: Vec<_> = users.map(|user| user.join().unwrap()).collect();
        let is_notice = |line: &String| line.starts_with("[room]: ");
        let (notices, lines): (Vec<Vec<_>>, Vec<Vec<_>>) = shown
            .into_iter()
            .map(|shown| shown.into_iter().partition(is_notice))
            .unzip();
        for lines in &lines {
            let mut last = HashMap::new();
            for line in lines {
                let Some((who, n)) = line.split_once(": m") else {
                    continue;
                };
                let n: usize = n.parse().unwrap();
                let before = last.insert(who, n).unwrap_or(0);
                assert_eq!(n, before + 1, "the messages of {who}");
            }
        }
        let counts: Vec<_> = lines.iter().map(Vec::len).collect();
        assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
        (lines, notices)
    }
}

fn run(
    mut user: User,
    users: usize,
    all: &Barrier,
    count: &AtomicUsize,
    stop: &AtomicBool,
) -> Vec<String> {
    let mut shown = Vec::new();
    let own = format!("[{0}]{0}: ", user.addr);
    let mut until = |user: &mut User, end: String| loop {
        let line = user.line();
        let is_end = line == end;
        shown.push(line);
        if is_end {
            break;
        }
    };
    for n in 1.. {
        user.say(format!("m{n}\n"));
        until(&mut user, format!("{own}m{n}"));
        count.fetch_add(1, Relaxed);
        if stop.load(Relaxed) {
            break;
        }
    }
    all.wait();
    user.say("the end\n");
    let is_end = |line: &&String| line.ends_with(": the end");
    while shown.iter().filter(is_end).count() < users {
        shown.push(user.line());
    }
    // Nobody leaves before all have seen the end.
    all.wait();
    shown
}
