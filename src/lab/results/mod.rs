//! Figures: what was recorded and what is worked out of it. No I/O.

pub(crate) mod metric;
pub mod record;
pub(crate) mod stats;
pub(crate) mod threshold;
pub(crate) mod warnings;
