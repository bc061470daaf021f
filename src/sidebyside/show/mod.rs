//! Showing: on a terminal and as pages.

mod highlight;
pub mod html;
pub mod pager;
mod rows;
mod sheet;
pub mod table;
pub mod terminal;
