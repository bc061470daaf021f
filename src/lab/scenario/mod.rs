//! One file per scenario, and what they share.

pub mod chat;
pub mod churn;
pub mod drive;
pub mod echo;
pub mod login;
pub mod session;
