//! What a process uses, as far as this system shows it.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

#[cfg(not(target_os = "linux"))]
pub use elsewhere::*;
#[cfg(target_os = "linux")]
pub use linux::*;

/// Whether an address is one of this machine's: it is reached from itself then.
pub fn is_here(addr: SocketAddr) -> bool {
    let source = Socket::new(Domain::for_address(addr), Type::DGRAM, None).and_then(|socket| {
        socket.connect(&addr.into())?;
        socket.local_addr()
    });
    let source = source.ok().and_then(|source| source.as_socket());
    addr.ip().is_loopback() || source.is_some_and(|source| source.ip() == addr.ip())
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
