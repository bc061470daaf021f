//! What every server needs: accepting, connections, shutdown, limits.

pub mod accept;
pub mod conn;
pub mod futex_hash;
pub mod limits;
pub mod shutdown;
pub mod spin;
pub mod system_limits;
pub mod telnet;
