//! What people read: tables, charts, the page.

pub mod axis;
pub mod charts;
pub mod distribution;
pub mod finding;
pub mod html;
pub mod output;
pub mod plot;
pub mod table;
