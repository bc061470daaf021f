//! The machine that a run ran on.

use std::fs;
use std::thread;

use procfs::{CpuInfo, Current, Meminfo};

use crate::lab::results::record::Machine;

/// Describes this machine. What it does not tell is empty or 0.
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
