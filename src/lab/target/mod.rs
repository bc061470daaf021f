//! The servers under test.

pub mod builtin;
pub mod contender;
pub mod floor;
pub mod proc;
pub mod process;
pub mod servers;
pub mod site;
pub mod supervise;
