//! The load tester: what thread-per-client costs, on this machine, in figures that hold.

pub mod charts;
mod distribution;
mod finding;
pub mod html;
mod plot;
pub mod record;
mod summary;
mod units;
