//! The load generator: clients, protocol, recorder.

pub mod client;
pub mod clients;
pub mod delivery;
pub mod message;
pub mod protocol;
pub mod recorder;
mod schedule;
mod steps;
#[cfg(target_os = "linux")]
mod timer;
