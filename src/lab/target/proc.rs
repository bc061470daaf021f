//! What a process uses, read from `/proc`.

use std::fs;
use std::io;
use std::net::SocketAddr;

use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::{FDTarget, Process, all_processes};
use procfs::{CurrentSI, KernelStats, ProcError, ticks_per_second};

use crate::lab::results::record::Cost;

/// What a process uses at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// CPU seconds since its start, user and system, of all threads that ever were.
    pub cpu_seconds: f64,
    /// Context switches since their start of all threads that are now. Those of threads that have
    /// ended are not kept by the kernel.
    pub context_switches: u64,
    /// Resident bytes.
    pub rss: u64,
    /// Bytes of address space.
    pub virtual_bytes: u64,
    /// Threads.
    pub threads: u64,
    /// Memory mappings.
    pub mappings: u64,
    /// Open descriptors.
    pub descriptors: u64,
}

impl Snapshot {
    /// Takes one. With thousands of threads it takes a tenth of a second and more: not while load
    /// is on.
    ///
    /// # Errors
    /// The process is gone, or belongs to someone else.
    pub fn of(pid: i32) -> io::Result<Snapshot> {
        let process = Process::new(pid).map_err(other)?;
        let status = process.status().map_err(other)?;
        let uses = Uses::of(pid)?;
        let kib = |value: Option<u64>| value.unwrap_or(0) * 1024;
        Ok(Snapshot {
            cpu_seconds: cpu_seconds(pid)?,
            context_switches: context_switches(&process)?,
            rss: kib(status.vmrss),
            virtual_bytes: kib(status.vmsize),
            threads: status.threads,
            mappings: uses.mappings,
            descriptors: uses.descriptors,
        })
    }
}

/// The part of a [`Snapshot`] that tells whether clients are still there. Quick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Presence {
    /// Threads.
    pub threads: u64,
    /// Open descriptors.
    pub descriptors: u64,
}

impl Presence {
    /// Looks at a process.
    ///
    /// # Errors
    /// The process is gone, or belongs to someone else.
    pub fn of(pid: i32) -> io::Result<Presence> {
        let process = Process::new(pid).map_err(other)?;
        Ok(Presence {
            threads: process.stat().map_err(other)?.num_threads as u64,
            descriptors: process.fd_count().map_err(other)? as u64,
        })
    }
}

/// The part of a [`Snapshot`] for which each process has a ceiling of its own. Quick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uses {
    /// Memory mappings.
    pub mappings: u64,
    /// Open descriptors.
    pub descriptors: u64,
}

impl Uses {
    /// Looks at a process.
    ///
    /// # Errors
    /// The process is gone, or belongs to someone else.
    pub fn of(pid: i32) -> io::Result<Uses> {
        let process = Process::new(pid).map_err(other)?;
        Ok(Uses {
            mappings: lines(&fs::read(format!("/proc/{pid}/maps"))?),
            descriptors: process.fd_count().map_err(other)? as u64,
        })
    }
}

/// What a round cost: `idle` before the clients came, `start` and `end` around the measured time with
/// all clients there, `after` when they had left.
pub fn cost(idle: Snapshot, start: Snapshot, end: Snapshot, after: Snapshot) -> Cost {
    Cost {
        cpu_seconds: end.cpu_seconds - start.cpu_seconds,
        context_switches: end.context_switches.saturating_sub(start.context_switches),
        rss_before: idle.rss,
        rss: end.rss,
        rss_after: after.rss,
        virtual_before: idle.virtual_bytes,
        virtual_bytes: end.virtual_bytes,
        threads: [idle.threads, end.threads, after.threads],
        mappings: [idle.mappings, end.mappings, after.mappings],
        descriptors: [idle.descriptors, end.descriptors, after.descriptors],
    }
}

/// CPU seconds that a process has used, user and system. Quick, whatever it has of threads.
///
/// # Errors
/// The process is gone.
pub fn cpu_seconds(pid: i32) -> io::Result<f64> {
    let stat = Process::new(pid)
        .and_then(|process| process.stat())
        .map_err(other)?;
    Ok((stat.utime + stat.stime) as f64 / ticks_per_second() as f64)
}

/// CPU seconds that all programs of this machine have used since it started, user and system, without
/// those that went to interrupts, as [`cpu_seconds`].
///
/// # Errors
/// `/proc/stat` cannot be read.
pub fn machine_cpu_seconds() -> io::Result<f64> {
    let total = KernelStats::current().map_err(other)?.total;
    Ok((total.user + total.nice + total.system) as f64 / ticks_per_second() as f64)
}

fn context_switches(process: &Process) -> io::Result<u64> {
    let mut sum = 0;
    for task in process.tasks().map_err(other)? {
        // A thread may end between the listing and the look.
        if let Ok(status) = task.and_then(|task| task.status()) {
            sum += status.voluntary_ctxt_switches.unwrap_or(0)
                + status.nonvoluntary_ctxt_switches.unwrap_or(0);
        }
    }
    Ok(sum)
}

fn lines(text: &[u8]) -> u64 {
    text.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Whether a process of this machine listens on `addr`.
///
/// # Errors
/// `/proc/net` cannot be read.
pub fn is_listening(addr: SocketAddr) -> io::Result<bool> {
    Ok(listener(addr)?.is_some())
}

/// The process that listens on `addr`: `likely` if it does, else whoever does, as far as this user
/// may see. None for an address that is not loopback: it may be another machine's.
pub fn listener_pid(addr: SocketAddr, likely: Option<i32>) -> Option<i32> {
    if !addr.ip().is_loopback() {
        return None;
    }
    let inode = listener(addr).ok()??.inode;
    let holds = |process: &Process| {
        process
            .fd()
            .is_ok_and(|fds| fds.flatten().any(|fd| fd.target == FDTarget::Socket(inode)))
    };
    let likely = likely.and_then(|pid| Process::new(pid).ok());
    let found = likely
        .into_iter()
        .chain(all_processes().ok()?.flatten())
        .find(holds);
    found.map(|process| process.pid())
}

fn listener(addr: SocketAddr) -> io::Result<Option<TcpNetEntry>> {
    let fits = |entry: &TcpNetEntry| {
        let local = entry.local_address;
        entry.state == TcpState::Listen
            && local.port() == addr.port()
            && (local.ip().is_unspecified() || local.ip() == addr.ip())
    };
    let four = procfs::net::tcp().map_err(other)?;
    if let Some(entry) = four.into_iter().find(fits) {
        return Ok(Some(entry));
    }
    // A machine may be without IPv6.
    Ok(procfs::net::tcp6()
        .ok()
        .and_then(|six| six.into_iter().find(fits)))
}

fn other(err: ProcError) -> io::Error {
    io::Error::other(err)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn this_process_is_seen() {
        let me = std::process::id() as i32;
        let snapshot = Snapshot::of(me).unwrap();
        assert!(snapshot.threads >= 1, "{snapshot:?}");
        assert!(snapshot.rss > 100 * 1024, "{snapshot:?}");
        assert!(snapshot.virtual_bytes > snapshot.rss, "{snapshot:?}");
        assert!(snapshot.mappings > 10, "{snapshot:?}");
        assert!(snapshot.descriptors >= 3, "{snapshot:?}");
        assert!(snapshot.context_switches > 0, "{snapshot:?}");
    }

    #[test]
    fn a_listener_is_found_with_its_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        assert!(is_listening(addr).unwrap());
        let me = std::process::id() as i32;
        assert_eq!(listener_pid(addr, None), Some(me));
        assert_eq!(listener_pid(addr, Some(me)), Some(me));
        drop(listener);
        assert!(!is_listening(addr).unwrap());
        assert_eq!(listener_pid(addr, Some(me)), None);
    }
}
