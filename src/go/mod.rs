//! `go f()`: starts a thread where Go starts a goroutine. The modules are named after Go's packages.

pub mod fmt;
pub mod net;
pub mod os;
pub mod strings;
pub mod utf8;

use std::io;
use std::thread::{Builder, JoinHandle, Scope};

use crate::error::context;
use crate::system;

/// Stack size of a thread, in bytes. Go's stacks grow; ours do not, but only touched pages take memory, and no
/// thread here recurses.
const STACK: usize = 64 * 1024;

/// Starts `f` in a thread of the scope `s`, which joins the thread when it ends. The system shows the first 15
/// bytes of `name`.
///
/// # Errors
/// The thread limit of the system is reached. `std::thread::spawn` would panic.
pub fn go<'scope, F>(s: &'scope Scope<'scope, '_>, name: String, f: F) -> io::Result<()>
where
    F: FnOnce() + Send + 'scope,
{
    Builder::new()
        .name(name)
        .stack_size(STACK)
        .spawn_scoped(s, f)
        .map(drop)
        .map_err(context("cannot start a thread"))
}

/// Starts `f` in a thread that may outlive its caller.
///
/// # Errors
/// As for [`go`].
pub fn spawn(name: &str, f: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new()
        .name(name.to_owned())
        .spawn(f)
        .map_err(context("cannot start a thread"))
}

/// Puts the calling thread, and every thread that it starts, into SCHED_BATCH: a thread that is woken does not
/// preempt the thread that woke it, as with goroutines. Has no effect if the system has no such policy, or if the
/// process was started with another policy or a nice value.
pub fn use_batch_scheduling() {
    system::use_batch_scheduling();
}
