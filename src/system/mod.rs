//! Everything that differs between operating systems. Only this module and the load tester have a `#[cfg]` for a
//! system. Every system has the same functions; those that it does not support do nothing.

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
