//! Read from `/proc`.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::thread;

use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::{FDTarget, Process, all_processes};
use procfs::{CpuInfo, Current, CurrentSI, KernelStats, Meminfo, ticks_per_second};
use rustix::process::{Pid, getpid, set_child_subreaper};
use socket2::{Domain, Socket, Type};

use super::{Look, Usage, is_here};
use crate::lab::results::record::Machine;
use crate::server::system_limits::lines_of;

/// Why there are no figures of processes, where there are none.
pub const NO_FIGURES: Option<&str> = None;

impl Usage {
    /// What these processes use together. None if one of them is gone, or belongs to someone else.
    pub fn of(pids: &[i32], look: Look) -> Option<Usage> {
        let mut all = Usage::default();
        for &pid in pids {
            let process = Process::new(pid).ok()?;
            let stat = process.stat().ok()?;
            if stat.vsize == 0 {
                // It has exited, though its descriptors may still be open and nobody has reaped it.
                return None;
            }
            all.cpu_seconds += (stat.utime + stat.stime) as f64 / ticks_per_second() as f64;
            all.rss += stat.rss * procfs::page_size();
            all.virtual_bytes += stat.vsize;
            all.threads += stat.num_threads as u64;
            all.descriptors += process.fd_count().ok()? as u64;
            if look >= Look::Mappings {
                all.mappings += lines_of(&format!("/proc/{pid}/maps"))?;
            }
            if look >= Look::Everything {
                // A thread may end between the listing and the look.
                let tasks = process.tasks().ok()?.flatten();
                for status in tasks.flat_map(|task| task.status()) {
                    all.context_switches += status.voluntary_ctxt_switches.unwrap_or(0)
                        + status.nonvoluntary_ctxt_switches.unwrap_or(0);
                }
            }
        }
        Some(all)
    }
}

/// Describes this machine. What it does not reveal is empty or 0.
pub fn machine() -> Machine {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Machine {
        cpu: CpuInfo::current()
            .ok()
            .and_then(|info| info.model_name(0).map(str::to_owned))
            .unwrap_or_default(),
        cores: thread::available_parallelism().map_or(0, usize::from),
        kernel: format!("Linux {}", release.trim()),
        memory: Meminfo::current().map_or(0, |info| info.mem_total),
    }
}

/// CPU seconds that all programs of this machine have used since it started, user and system, without
/// those that went to interrupts, as in [`Usage`]. 0 if that is not known.
pub fn machine_cpu_seconds() -> f64 {
    let ticks = KernelStats::current().map_or(0, |stats| {
        stats.total.user + stats.total.nice + stats.total.system
    });
    ticks as f64 / ticks_per_second() as f64
}

/// Whether a process of this machine listens on `addr`, which is read from the kernel: a connection to try it
/// would be a client of the room before the first one comes.
pub fn is_listening(addr: SocketAddr) -> bool {
    listener(addr).is_some()
}

/// The process that listens on `addr`, as far as this user may see: one of the process group `likely` if
/// several do. None for an address of another machine.
pub fn listener_pid(addr: SocketAddr, likely: Option<i32>) -> Option<i32> {
    let inode = listener(addr)?.inode;
    let holds = |process: &Process| {
        process
            .fd()
            .is_ok_and(|fds| fds.flatten().any(|fd| fd.target == FDTarget::Socket(inode)))
    };
    // A number, and not a `Pid`: the group of a process that is just ending is -1.
    let is_likely = |process: &Process| process.stat().is_ok_and(|stat| Some(stat.pgrp) == likely);
    // One after the other: each holds a descriptor.
    let all = || all_processes().into_iter().flatten().flatten();
    let found = all().filter(is_likely).find(holds);
    Some(found.or_else(|| all().find(holds))?.pid())
}

fn listener(addr: SocketAddr) -> Option<TcpNetEntry> {
    let fits = |entry: &TcpNetEntry| {
        let local = entry.local_address;
        entry.state == TcpState::Listen
            && local.port() == addr.port()
            && match local.ip().to_canonical() {
                ip if !ip.is_unspecified() => ip == addr.ip(),
                IpAddr::V4(_) => addr.is_ipv4(),
                IpAddr::V6(_) => addr.is_ipv6() || is_taken(addr),
            }
    };
    if !is_here(addr) {
        return None;
    }
    // A machine may be without IPv6.
    let lists = [procfs::net::tcp, procfs::net::tcp6].into_iter();
    lists.flat_map(|list| list().unwrap_or_default()).find(fits)
}

/// Whether a listener for every IPv6 address takes IPv4 too, which the kernel's list does not say. To bind
/// shows it, and to the listener shows nothing.
fn is_taken(addr: SocketAddr) -> bool {
    let bound =
        Socket::new(Domain::IPV4, Type::STREAM, None).and_then(|socket| socket.bind(&addr.into()));
    bound.is_err_and(|err| err.kind() == ErrorKind::AddrInUse)
}

/// From now on a process that loses its parent, and descends from this one, becomes this one's child.
pub fn adopt_orphans() {
    set_child_subreaper(Some(getpid())).ok();
}

/// The children of this process that have not exited.
pub fn children() -> Vec<Pid> {
    let me = getpid().as_raw_pid();
    let all = all_processes().into_iter().flatten().flatten();
    all.filter_map(|process| process.stat().ok())
        .filter(|stat| stat.ppid == me && stat.state != 'Z')
        .filter_map(|stat| Pid::from_raw(stat.pid))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

    use super::*;

    #[test]
    fn usage_of_this_process_is_read() {
        let me = std::process::id() as i32;
        let usage = Usage::of(&[me], Look::Everything).unwrap();
        assert!(usage.threads >= 1, "{usage:?}");
        assert!(usage.rss > 100 * 1024, "{usage:?}");
        assert!(usage.virtual_bytes > usage.rss, "{usage:?}");
        assert!(usage.mappings > 10, "{usage:?}");
        assert!(usage.descriptors >= 3, "{usage:?}");
        assert!(usage.context_switches > 0, "{usage:?}");
    }

    #[test]
    fn a_listener_takes_the_addresses_that_it_is_for() {
        let any_ipv4 = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = any_ipv4.local_addr().unwrap().port();
        assert!(is_listening((Ipv4Addr::LOCALHOST, port).into()));
        assert!(!is_listening((Ipv6Addr::LOCALHOST, port).into()));

        // As a Java server does, in an IPv6 socket that takes IPv4 too.
        let socket = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
        let mapped: SocketAddr = "[::ffff:127.0.0.1]:0".parse().unwrap();
        if socket.set_only_v6(false).is_err() || socket.bind(&mapped.into()).is_err() {
            return;
        }
        socket.listen(1).unwrap();
        let mapped = TcpListener::from(socket);
        let port = mapped.local_addr().unwrap().port();
        assert!(is_listening((Ipv4Addr::LOCALHOST, port).into()));
    }

    #[test]
    fn a_listener_is_found_with_its_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        assert!(is_listening(addr));
        let me = std::process::id() as i32;
        assert_eq!(listener_pid(addr, None), Some(me));
        assert_eq!(listener_pid(addr, Some(1)), Some(me));
        drop(listener);
        assert!(!is_listening(addr));
        assert_eq!(listener_pid(addr, Some(me)), None);
    }
}
