//! What the system says that a running program takes.

use std::fs;
use std::time::Duration;

use super::program::Program;
use super::wait::wait_until;

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
