//! Functions for Linux only.

use std::ffi::{c_int, c_ulong};
use std::fs;
use std::io;

use nix::sys::signal::{SigSet, Signal};
use rustix::process::{Resource, getpriority_process, getrlimit, getuid};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id, thread_schedule_policy,
};

/// Puts the calling thread, and every thread that it starts, into SCHED_BATCH. Has no effect if the process was
/// started with another policy or a nice value.
pub fn use_batch_scheduling() {
    // The crate also sets the nice value. Its priority 48 of 99 is the nice value 0.
    if getpriority_process(None) == Ok(0)
        && matches!(
            thread_schedule_policy(),
            Ok(ThreadSchedulePolicy::Normal(
                NormalThreadSchedulePolicy::Other
            ))
        )
    {
        let priority = ThreadPriority::Crossplatform(48.try_into().expect("it is under 100"));
        let _ = set_thread_priority_and_policy(
            thread_native_id(),
            priority,
            ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Batch),
        );
    }
}

/// Blocks the signals that were ignored when this program started, in this thread and all later ones. `nohup` makes
/// programs ignore SIGHUP, and a script makes its background programs ignore SIGINT.
///
/// # Errors
/// They cannot be blocked.
pub fn block_ignored_signals() -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default();
    let ignored: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]
        .into_iter()
        .filter(|&signal| mask & 1 << (signal as u32 - 1) != 0)
        .collect();
    Ok(ignored.thread_block()?)
}

/// How many threads this user may have. None for root, which has no limit.
pub fn user_thread_limit() -> Option<u64> {
    match getuid().is_root() {
        true => None,
        false => getrlimit(Resource::Nproc).current,
    }
}

/// Gets or sets the number of slots in the kernel's futex hash of this process.
///
/// # Errors
/// The kernel has no table per process, or does not accept this number.
#[expect(unsafe_code, reason = "no safe crate has this call")]
pub fn futex_hash(operation: c_ulong, slots: c_ulong) -> io::Result<usize> {
    const PR_FUTEX_HASH: c_int = 78;
    const UNUSED: c_ulong = 0;
    // SAFETY: both operations take numbers, no pointers, and the kernel checks them. The kernel moves sleeping
    // threads to the new table itself, so the program behaves as before.
    let answer = unsafe { libc::prctl(PR_FUTEX_HASH, operation, slots, UNUSED, UNUSED) };
    usize::try_from(answer).map_err(|_| io::Error::last_os_error())
}
