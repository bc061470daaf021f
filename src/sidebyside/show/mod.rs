//! Showing: on a terminal and as pages.

pub mod check;
mod highlight;
pub mod html;
pub mod json;
pub mod pager;
mod rows;
mod sheet;
pub mod table;
pub mod terminal;
