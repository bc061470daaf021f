//! `go f()`: starting a thread where Go starts a goroutine.

pub mod fmt;
pub mod net;
pub mod os;
pub mod strings;
pub mod utf8;

use std::io;
use std::thread::{Builder, Scope};

#[cfg(target_os = "linux")]
use rustix::process::getpriority_process;
#[cfg(target_os = "linux")]
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id, thread_schedule_policy,
};

/// Bytes of stack that a thread gets. Go's stacks grow; ours do not, but only pages that were
/// touched cost memory, and no thread here recurses.
const STACK: usize = 64 * 1024;

/// Starts `f` in a thread of the scope `s`, which joins it before it ends. The system shows the
/// first 15 bytes of `name`.
///
/// # Errors
/// The system has no thread left. `std::thread::spawn` would panic there.
pub fn go<'scope, F>(s: &'scope Scope<'scope, '_>, name: String, f: F) -> io::Result<()>
where
    F: FnOnce() + Send + 'scope,
{
    Builder::new()
        .name(name)
        .stack_size(STACK)
        .spawn_scoped(s, f)?;
    Ok(())
}

/// Makes the calling thread, and every thread that it starts, batch work: when one of them is woken, it
/// waits for its turn and does not interrupt the thread that woke it, as a goroutine does not. Without
/// effect where the system has no such thing, or where the process was given a policy or a nice value.
pub fn use_batch_scheduling() {
    #[cfg(target_os = "linux")]
    // The crate sets the nice value too; to this one, the priority 48 of 99 translates into 0.
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
