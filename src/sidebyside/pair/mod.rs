//! Pairing the lines.

pub mod align;
pub mod compare;
pub mod keys;
pub mod language;
pub mod score;
pub mod statement;
