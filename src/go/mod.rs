//! `go f()`: starting a thread where Go starts a goroutine.

pub mod fmt;
pub mod net;
pub mod os;
pub mod strings;
pub mod utf8;

use std::io;
use std::thread::{Builder, Scope};

use crate::system;

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
    system::use_batch_scheduling();
}
