//! The load tester: what thread-per-client costs, on this machine, in figures that hold.

pub mod record;
