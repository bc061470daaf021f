//! Ends the waiting for sockets, to the microsecond. The timeout of a poll is whole milliseconds.

#[cfg(any(test, not(target_os = "linux")))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::Timer;
#[cfg(target_os = "linux")]
pub use linux::Timer;
