//! Where there is no `/proc`, nothing is known of a process.

use std::env::consts::OS;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::process::Pid;

use super::{Look, Usage};
use crate::lab::results::record::Machine;

/// Why there are no figures of processes, where there are none.
pub const NO_FIGURES: Option<&str> =
    Some("this system has no /proc, so CPU, memory, threads and descriptors are not measured");

impl Usage {
    /// Not known.
    pub fn of(_pids: &[i32], _look: Look) -> Option<Usage> {
        None
    }
}

/// Describes this machine. What it does not reveal is empty or 0.
pub fn machine() -> Machine {
    Machine {
        cores: thread::available_parallelism().map_or(0, usize::from),
        kernel: OS.to_owned(),
        ..Machine::default()
    }
}

/// CPU seconds that all programs of this machine have used. Not known.
pub fn machine_cpu_seconds() -> f64 {
    0.0
}

/// Whether something listens on `addr`, which only a connection shows here.
pub fn is_listening(addr: SocketAddr) -> bool {
    TcpStream::connect_timeout(&addr, Duration::from_secs(1)).is_ok()
}

/// The process that listens on `addr`. Not known.
pub fn listener_pid(_addr: SocketAddr, _likely: Option<i32>) -> Option<i32> {
    None
}

/// Not possible here.
pub fn adopt_orphans() {}

/// Not known.
pub fn children() -> Vec<Pid> {
    Vec::new()
}
