//! What differs between systems, and nothing else: the rest of this crate has no `#[cfg]` for it, but in the
//! load tester. Every system has a module with the same functions; what it lacks does nothing there.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(all(unix, not(target_os = "linux")))]
mod other_unix;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod unix_streams;
#[cfg(windows)]
mod windows;
#[cfg(any(windows, test))]
mod windows_names;

#[cfg(target_os = "linux")]
pub use linux::*;
#[cfg(all(unix, not(target_os = "linux")))]
pub use other_unix::*;
#[cfg(unix)]
pub use unix::*;
#[cfg(unix)]
pub use unix_streams::*;
#[cfg(windows)]
pub use windows::*;
