//! Reading the article and our sources.

pub mod article;
pub mod listings;
pub mod names;
pub mod notes;
pub mod programs;
pub mod source;
pub mod tokens;
