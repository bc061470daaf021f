//! What people read: tables, charts, the page.

pub(crate) mod axis;
pub mod chart;
pub mod charts;
pub(crate) mod distribution;
pub(crate) mod finding;
pub mod html;
pub(crate) mod output;
pub(crate) mod plot;
pub(crate) mod table;
