//! Figures: what was recorded and what is worked out of it. No I/O.

pub mod metric;
pub mod record;
pub mod stats;
pub mod threshold;
pub mod units;
