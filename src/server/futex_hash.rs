//! The table in which the kernel keeps the sleeping threads of a process.
//!
//! Linux gives a process four slots per CPU. With thousands of threads that sleep, each wake-up walks past
//! hundreds of them: a larger table makes a room of 5,000 clients twice as fast, and one of 10,000 ten times
//! (`benches/README.md`).

use std::ffi::c_ulong;
use std::io;

use log::debug;

use crate::server::accept::MaxClients;
use crate::server::system_limits::{available_memory, system_limits};
use crate::system::{self, raise_descriptor_limit};

/// Slots that every server gets, which take 256 KiB.
const MIN_SLOTS: usize = 4096;

/// The kernel's own choice, where the number of CPUs does not limit it.
const SLOTS_PER_THREAD: usize = 4;

/// What a slot takes of the kernel's memory.
pub const BYTES_PER_SLOT: usize = 64;

/// The part of the available memory that the table may take.
const PART_OF_MEMORY: u64 = 1024;

const SET_SLOTS: c_ulong = 1;
const GET_SLOTS: c_ulong = 2;

/// Makes the table large enough for the threads of all clients. To be called before the first thread starts.
/// Kernels before Linux 6.16 have one table for the whole machine, and keep it.
pub fn make_room(max_clients: MaxClients, threads_per_client: usize) {
    // Part of the client limit. The accept loop does it too, and logs a failure.
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
        Err(err) => debug!("futex hash: the system does not take {wanted} slots: {err}"),
    }
}

/// How many slots a process with so many threads asks for: a power of two, as the kernel takes no other.
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

/// How many slots the kernel has for this process; 0 while it has one thread and has asked for none.
///
/// # Errors
/// The kernel has no such tables.
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
    fn memory_bounds_the_table() {
        assert_eq!(slots_for(usize::MAX, Some(GIB)), 16_384);
        assert_eq!(slots_for(usize::MAX, Some(3 * GIB)), 32_768);
        assert_eq!(slots_for(usize::MAX, Some(1)), MIN_SLOTS);
        assert_eq!(slots_for(usize::MAX, None), MIN_SLOTS);
        assert!(slots_for(usize::MAX, Some(u64::MAX)).is_power_of_two());
    }

    #[test]
    fn kernel_takes_the_slots_while_threads_sleep() {
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
