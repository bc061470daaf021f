//! Helpers that several tests share.
#![allow(dead_code, reason = "each test uses its own part of this")]

pub(crate) mod browser;
pub(crate) mod ended;
pub(crate) mod figures;
pub(crate) mod nobody;
pub(crate) mod program;
pub(crate) mod random;
pub(crate) mod signal;
pub(crate) mod user;
pub(crate) mod wait;
