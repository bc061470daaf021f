//! Pairing: which line of ours does what a line of the listing does.

mod acts;
mod align;
pub mod compare;
pub mod cover;
mod idioms;
mod keys;
mod language;
mod score;
mod stages;
mod statement;
pub mod truth;
