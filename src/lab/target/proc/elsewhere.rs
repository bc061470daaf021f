//! Where there is no `/proc`, nothing is known of a process.

use std::env::consts::OS;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::Usage;
use crate::lab::results::record::Machine;

/// Why there are no figures of processes, where there are none.
pub const NO_FIGURES: Option<&str> =
    Some("this system has no /proc, so CPU, memory, threads and descriptors are not measured");

impl Usage {
    /// Everything.
    ///
    /// # Errors
    /// Always.
    pub fn of(_pid: i32) -> io::Result<Usage> {
        Err(ErrorKind::Unsupported.into())
    }

    /// All but the context switches.
    ///
    /// # Errors
    /// Always.
    pub fn with_mappings(_pid: i32) -> io::Result<Usage> {
        Err(ErrorKind::Unsupported.into())
    }

    /// All but context switches and mappings.
    ///
    /// # Errors
    /// Always.
    pub fn quick(_pid: i32) -> io::Result<Usage> {
        Err(ErrorKind::Unsupported.into())
    }
}

/// Describes this machine. What it does not reveal is empty or 0.
pub fn machine() -> Machine {
    Machine {
        cpu: String::new(),
        cores: thread::available_parallelism().map_or(0, usize::from),
        kernel: OS.to_owned(),
        memory: 0,
    }
}

/// CPU seconds that all programs of this machine have used since it started.
///
/// # Errors
/// Always.
pub fn machine_cpu_seconds() -> io::Result<f64> {
    Err(ErrorKind::Unsupported.into())
}

/// Whether something listens on `addr`, which only a connection shows here.
///
/// # Errors
/// None.
pub fn is_listening(addr: SocketAddr) -> io::Result<bool> {
    Ok(TcpStream::connect_timeout(&addr, Duration::from_secs(1)).is_ok())
}

/// The process that listens on `addr`. Not known.
pub fn listener_pid(_addr: SocketAddr, _likely: Option<i32>) -> Option<i32> {
    None
}

/// Not possible here.
pub fn adopt_orphans() {}

/// Nothing was adopted.
pub fn kill_children() {}
