//! Showing a comparison on the terminal and as pages.

pub mod highlight;
pub mod html;
pub mod hunks;
pub mod pager;
pub mod rows;
pub mod sheet;
pub mod table;
pub mod terminal;
