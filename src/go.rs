//! `go f()`: starting a thread where Go starts a goroutine.

use std::io;
use std::thread::{Builder, Scope};

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
