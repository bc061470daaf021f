//! The servers under test.

pub mod contender;
pub mod floor;
pub mod proc;
pub mod process;
