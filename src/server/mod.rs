//! What the servers share.

pub mod accept;
pub mod ceilings;
pub mod conn;
pub mod shutdown;
pub mod spin;
