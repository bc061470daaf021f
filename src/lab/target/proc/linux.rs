//! Read from `/proc`.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::{FDTarget, Process, all_processes};
use procfs::{CpuInfo, Current, CurrentSI, KernelStats, Meminfo, ProcError, ticks_per_second};
use rustix::process::{Pid, Signal, getpid, kill_process, set_child_subreaper};
use socket2::{Domain, Socket, Type};

use super::{Usage, is_here};
use crate::lab::results::record::Machine;

/// Why there are no figures of processes, where there are none.
pub const NO_FIGURES: Option<&str> = None;

impl Usage {
    /// Everything. With thousands of threads it takes a tenth of a second and more: not while load is
    /// on.
    ///
    /// # Errors
    /// The process is gone, or belongs to someone else.
    pub fn of(pid: i32) -> io::Result<Usage> {
        let mut context_switches = 0;
        for task in Process::new(pid)
            .and_then(|process| process.tasks())
            .map_err(other)?
        {
            // A thread may end between the listing and the look.
            if let Ok(status) = task.and_then(|task| task.status()) {
                context_switches += status.voluntary_ctxt_switches.unwrap_or(0)
                    + status.nonvoluntary_ctxt_switches.unwrap_or(0);
            }
        }
        Ok(Usage {
            context_switches,
            ..Usage::with_mappings(pid)?
        })
    }

    /// All but the context switches: some milliseconds with thousands of threads.
    ///
    /// # Errors
    /// As for [`Usage::of`].
    pub fn with_mappings(pid: i32) -> io::Result<Usage> {
        let maps = fs::read(format!("/proc/{pid}/maps"))?;
        Ok(Usage {
            mappings: maps.iter().filter(|&&byte| byte == b'\n').count() as u64,
            ..Usage::quick(pid)?
        })
    }

    /// All but context switches and mappings. Quick, whatever the process has of threads.
    ///
    /// # Errors
    /// As for [`Usage::of`].
    pub fn quick(pid: i32) -> io::Result<Usage> {
        let process = Process::new(pid).map_err(other)?;
        let stat = process.stat().map_err(other)?;
        if stat.vsize == 0 {
            // It has exited, though its descriptors may still be open and nobody has reaped it.
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Usage {
            cpu_seconds: (stat.utime + stat.stime) as f64 / ticks_per_second() as f64,
            rss: stat.rss * procfs::page_size(),
            virtual_bytes: stat.vsize,
            threads: stat.num_threads as u64,
            descriptors: process.fd_count().map_err(other)? as u64,
            ..Usage::default()
        })
    }
}

/// Describes this machine. What it does not reveal is empty or 0.
pub fn machine() -> Machine {
    let kernel = |name: &str| {
        fs::read_to_string(format!("/proc/sys/kernel/{name}"))
            .map(|text| text.trim().to_owned())
            .unwrap_or_default()
    };
    Machine {
        cpu: CpuInfo::current()
            .ok()
            .and_then(|info| info.model_name(0).map(str::to_owned))
            .unwrap_or_default(),
        cores: thread::available_parallelism().map_or(0, usize::from),
        kernel: format!("{} {}", kernel("ostype"), kernel("osrelease")),
        memory: Meminfo::current().map_or(0, |info| info.mem_total),
    }
}

/// CPU seconds that all programs of this machine have used since it started, user and system, without
/// those that went to interrupts, as in [`Usage`].
///
/// # Errors
/// `/proc/stat` cannot be read.
pub fn machine_cpu_seconds() -> io::Result<f64> {
    let total = KernelStats::current().map_err(other)?.total;
    Ok((total.user + total.nice + total.system) as f64 / ticks_per_second() as f64)
}

/// Whether a process of this machine listens on `addr`.
///
/// # Errors
/// `/proc/net` cannot be read.
pub fn is_listening(addr: SocketAddr) -> io::Result<bool> {
    Ok(listener(addr)?.is_some())
}

/// The process that listens on `addr`, as far as this user may see: one of the process group `likely` if
/// several do. None for an address of another machine.
pub fn listener_pid(addr: SocketAddr, likely: Option<i32>) -> Option<i32> {
    if !is_here(addr) {
        return None;
    }
    let inode = listener(addr).ok()??.inode;
    let holds = |process: &Process| {
        process
            .fd()
            .is_ok_and(|fds| fds.flatten().any(|fd| fd.target == FDTarget::Socket(inode)))
    };
    let is_likely = |process: &Process| process.stat().is_ok_and(|stat| Some(stat.pgrp) == likely);
    // One after the other: each holds a descriptor.
    let all = || all_processes().into_iter().flatten().flatten();
    let found = all().filter(is_likely).find(holds);
    Some(found.or_else(|| all().find(holds))?.pid())
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
    let six = procfs::net::tcp6().unwrap_or_default();
    let entry = six.into_iter().find(fits);
    Ok(entry.filter(|_| addr.is_ipv6() || is_taken(addr)))
}

/// Whether a listener for every IPv6 address takes IPv4 too, which the kernel's list does not say. To bind
/// shows it, and to the listener shows nothing.
fn is_taken(addr: SocketAddr) -> bool {
    let bound =
        Socket::new(Domain::IPV4, Type::STREAM, None).and_then(|socket| socket.bind(&addr.into()));
    bound.is_err_and(|err| err.kind() == io::ErrorKind::AddrInUse)
}

/// From now on a process that loses its parent, and descends from this one, becomes this one's child.
pub fn adopt_orphans() {
    set_child_subreaper(Some(getpid())).ok();
}

/// Kills all children of this process, and what becomes its child by that.
pub fn kill_children() {
    let me = getpid().as_raw_pid();
    let deadline = Instant::now() + Duration::from_secs(2);
    while Instant::now() < deadline {
        let all = all_processes().into_iter().flatten().flatten();
        let alive: Vec<Pid> = all
            .filter_map(|process| process.stat().ok())
            .filter(|stat| stat.ppid == me && stat.state != 'Z')
            .filter_map(|stat| Pid::from_raw(stat.pid))
            .collect();
        if alive.is_empty() {
            return;
        }
        for child in alive {
            kill_process(child, Signal::KILL).ok();
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn other(err: ProcError) -> io::Error {
    io::Error::other(err)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn usage_of_this_process_is_read() {
        let me = std::process::id() as i32;
        let usage = Usage::of(me).unwrap();
        assert!(usage.threads >= 1, "{usage:?}");
        assert!(usage.rss > 100 * 1024, "{usage:?}");
        assert!(usage.virtual_bytes > usage.rss, "{usage:?}");
        assert!(usage.mappings > 10, "{usage:?}");
        assert!(usage.descriptors >= 3, "{usage:?}");
        assert!(usage.context_switches > 0, "{usage:?}");
    }

    #[test]
    fn a_listener_is_found_with_its_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        assert!(is_listening(addr).unwrap());
        let me = std::process::id() as i32;
        assert_eq!(listener_pid(addr, None), Some(me));
        assert_eq!(listener_pid(addr, Some(1)), Some(me));
        drop(listener);
        assert!(!is_listening(addr).unwrap());
        assert_eq!(listener_pid(addr, Some(me)), None);
    }
}
