//! Pairing: which line of ours does what a line of the listing does.

mod align;
pub mod compare;
mod idioms;
mod keys;
mod language;
mod score;
mod statement;
