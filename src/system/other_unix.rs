//! What macOS and the BSDs lack of what Linux has.

use std::ffi::c_ulong;
use std::io::{self, ErrorKind};

/// Only Linux has batch work.
pub fn use_batch_scheduling() {}

/// Which signals were ignored at the start is shown without unsafe code by Linux alone.
///
/// # Errors
/// None.
pub fn block_ignored_signals() -> io::Result<()> {
    Ok(())
}

/// How many threads this user may have. Not known.
pub fn user_thread_limit() -> Option<u64> {
    None
}

/// Only Linux has such a table.
///
/// # Errors
/// Always.
pub fn futex_hash(_operation: c_ulong, _slots: c_ulong) -> io::Result<usize> {
    Err(ErrorKind::Unsupported.into())
}
