//! Reading: the course's text, its listings and our sources, down to tokens.

pub mod article;
pub mod listings;
pub mod names;
pub mod notes;
pub mod programs;
pub mod source;
pub mod tokens;
