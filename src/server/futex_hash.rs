//! The size of the kernel's futex hash, in which the sleeping threads of a process are kept.
//!
//! Linux gives a process four slots per CPU. With thousands of sleeping threads, each wake-up walks past hundreds
//! of them. A larger table makes a room of 5,000 clients twice as fast, and a room of 10,000 ten times as fast
//! (`benches/README.md`).

use std::ffi::c_ulong;
use std::io;

use log::debug;

use crate::server::limits::MaxClients;
use crate::server::system_limits::{available_memory, system_limits};
use crate::system::{self, raise_descriptor_limit};

/// The minimum number of slots, which take 256 KiB.
const MIN_SLOTS: usize = 4096;

/// The kernel's own ratio, before it limits the number by the CPUs.
const SLOTS_PER_THREAD: usize = 4;

/// Kernel memory per slot.
pub const BYTES_PER_SLOT: usize = 64;

/// The table may take one part in this many of the available memory.
const PART_OF_MEMORY: u64 = 1024;

const SET_SLOTS: c_ulong = 1;
const GET_SLOTS: c_ulong = 2;

/// Makes the table large enough for the threads of all clients. Call it before the first thread starts. Has no
/// effect before Linux 6.16, where all processes share one table.
pub fn enlarge(max_clients: MaxClients, threads_per_client: usize) {
    // The client limit depends on it. The accept loop raises it too, and logs a failure.
    raise_descriptor_limit().ok();
    let clients = match max_clients {
        MaxClients::Fixed(clients) => clients,
        MaxClients::Auto => system_limits(threads_per_client, 1)
            .first()
            .map_or(0, |limit| limit.clients()),
    };
    let threads = clients.saturating_mul(threads_per_client);
    let wanted = slots_for(threads, available_memory());
    match set_slots(wanted).and_then(|()| slots()) {
        Ok(slots) => debug!("futex hash: {slots} slots for at most {threads} threads"),
        Err(err) => debug!("futex hash: cannot set {wanted} slots: {err}"),
    }
}

/// The number of slots for so many threads: a power of two, because the kernel accepts nothing else. `memory` is what
/// is available, in bytes; without it the table gets its minimum size.
pub fn slots_for(threads: usize, memory: Option<u64>) -> usize {
    let most = memory.unwrap_or(0) / PART_OF_MEMORY / BYTES_PER_SLOT as u64;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let wanted = threads
        .saturating_mul(SLOTS_PER_THREAD)
        .clamp(MIN_SLOTS, most.max(MIN_SLOTS));
    match wanted.checked_next_power_of_two() {
        Some(slots) if slots <= most.max(MIN_SLOTS) => slots,
        _ => 1 << wanted.ilog2(),
    }
}

/// The number of slots of this process; 0 while it has one thread and has not set a number.
///
/// # Errors
/// The kernel has no table per process.
pub fn slots() -> io::Result<usize> {
    system::futex_hash(GET_SLOTS, 0)
}

fn set_slots(slots: usize) -> io::Result<()> {
    system::futex_hash(SET_SLOTS, slots as c_ulong).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn four_slots_per_thread_as_a_power_of_two() {
        for (threads, slots) in [
            (0, 4096),
            (30, 4096),
            (1_024, 4_096),
            (1_025, 8_192),
            (15_330, 65_536),
            (59_778, 262_144),
        ] {
            assert_eq!(slots_for(threads, Some(64 * GIB)), slots, "{threads}");
        }
    }

    #[test]
    fn table_is_limited_by_memory() {
        assert_eq!(slots_for(usize::MAX, Some(GIB)), 16_384);
        assert_eq!(slots_for(usize::MAX, Some(3 * GIB)), 32_768);
        assert_eq!(slots_for(usize::MAX, Some(1)), MIN_SLOTS);
        assert_eq!(slots_for(usize::MAX, None), MIN_SLOTS);
        assert!(slots_for(usize::MAX, Some(u64::MAX)).is_power_of_two());
    }

    #[test]
    fn kernel_accepts_the_slots_while_threads_sleep() {
        if let Err(err) = slots() {
            println!("skipped, this kernel has no futex hash for a process: {err}");
            return;
        }
        let (end, ends) = crossbeam_channel::bounded::<()>(0);
        std::thread::scope(|s| {
            for _ in 0..20 {
                s.spawn(|| ends.recv());
            }
            for wanted in [8_192, MIN_SLOTS] {
                set_slots(wanted).unwrap();
                assert_eq!(slots().unwrap(), wanted);
            }
            drop(end);
        });
    }
}
