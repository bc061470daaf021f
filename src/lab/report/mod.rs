//! What people read: tables, charts, the page, files.

pub(crate) mod axis;
pub mod charts;
pub(crate) mod distribution;
pub(crate) mod export;
pub mod html;
pub(crate) mod output;
pub(crate) mod plot;
pub(crate) mod table;
pub(crate) mod timeline;
pub(crate) mod verdict;
pub(crate) mod words;
