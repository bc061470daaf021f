//! What a process uses, as far as this system shows it.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

use std::net::{SocketAddr, UdpSocket};

#[cfg(not(target_os = "linux"))]
pub use elsewhere::*;
#[cfg(target_os = "linux")]
pub use linux::*;

/// Whether an address is one of this machine's: only those can be bound to.
pub fn is_here(mut addr: SocketAddr) -> bool {
    addr.set_port(0);
    addr.ip().is_loopback() || UdpSocket::bind(addr).is_ok()
}

/// How closely a process is looked at: each level sees what the ones before it see, too.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Look {
    /// Quick, whatever the process has of threads.
    Quick,
    /// Mappings too: some milliseconds with thousands of threads.
    Mappings,
    /// Context switches too. With thousands of threads it takes a tenth of a second and more: not while load is
    /// on.
    Everything,
}

/// What processes use together at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
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
