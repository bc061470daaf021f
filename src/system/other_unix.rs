//! Replacements for Linux functions on macOS and the BSDs.

use std::ffi::c_ulong;
use std::io::{self, ErrorKind};

/// Does nothing: only Linux has SCHED_BATCH.
pub fn use_batch_scheduling() {}

/// Does nothing: only on Linux can safe code find out which signals were ignored at the start.
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

/// Fails: only Linux has such a table.
///
/// # Errors
/// Always.
pub fn futex_hash(_operation: c_ulong, _slots: c_ulong) -> io::Result<usize> {
    Err(ErrorKind::Unsupported.into())
}
