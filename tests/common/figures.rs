//! What the system says that a running program takes.

use std::fs;
use std::net::TcpStream;
use std::time::Duration;

use super::program::Program;
use super::wait::wait_until;

/// Waits until the other side of a connection on this machine has read all that was sent to it.
#[track_caller]
pub(crate) fn wait_until_read(conn: &TcpStream) {
    let (to, from) = (conn.peer_addr().unwrap(), conn.local_addr().unwrap());
    let (to, from) = (
        format!(":{:04X}", to.port()),
        format!(":{:04X}", from.port()),
    );
    wait_until(
        "the other side reads",
        || {
            let table = fs::read_to_string("/proc/net/tcp").unwrap();
            // Its ends, its state, and the bytes in its two queues.
            table.lines().any(|line| {
                let fields: Vec<_> = line.split_whitespace().collect();
                fields[1].ends_with(&to)
                    && fields[2].ends_with(&from)
                    && fields[4].ends_with(":00000000")
            })
        },
        String::new,
    );
}

impl Program {
    pub(crate) fn threads(&self) -> usize {
        self.entries("task")
    }

    pub(crate) fn descriptors(&self) -> usize {
        self.entries("fd")
    }

    fn entries(&self, folder: &str) -> usize {
        fs::read_dir(format!("/proc/{}/{folder}", self.id()))
            .unwrap_or_else(|err| panic!("its {folder}: {err}: {}", self.seen()))
            .count()
    }

    #[track_caller]
    pub(crate) fn wait_for_threads(&self, threads: usize) {
        wait_until(
            &format!("{threads} threads"),
            || self.threads() == threads,
            || format!("{}; {}", self.threads(), self.seen()),
        );
    }

    /// Waits until it has as many threads and descriptors as it had at some earlier time.
    #[track_caller]
    pub(crate) fn wait_for_counts(&self, threads: usize, descriptors: usize) {
        wait_until(
            &format!("{threads} threads and {descriptors} descriptors"),
            || self.threads() == threads && self.descriptors() == descriptors,
            || {
                format!(
                    "{} and {}; {}",
                    self.threads(),
                    self.descriptors(),
                    self.seen()
                )
            },
        );
    }

    /// A figure in kB from /proc/PID/status, such as VmHWM.
    pub(crate) fn kilobytes(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// The state of its main thread from /proc/PID/stat, such as `S` for sleeping and `T` for stopped.
    pub(crate) fn state(&self) -> String {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        let fields = stat.rsplit_once(')').unwrap().1;
        fields.split_whitespace().next().unwrap().to_owned()
    }

    /// CPU time it has used, user and system.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        let fields: Vec<_> = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }
}
