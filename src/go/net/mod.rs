//! Listening and dialling as Go's package `net` does, which is more than the system call:
//!
//! - Dual stack: `:PORT`, `0.0.0.0:PORT` and `[::]:PORT` listen for IPv4 and IPv6, TCP and UDP, whatever
//!   `bindv6only` says. Without IPv6 they listen for IPv4.
//! - Family order: a name that stands for several addresses is listened on at its first IPv4 address, and
//!   nowhere else.
//! - Racing: to dial such a name, the addresses of the first one's family are tried in turn; after 300 ms, or
//!   when they have failed, the others are tried too. The first connection wins.
//! - Self-connection: a dial in the range of local ports can meet its own socket, if nobody listens there. It is
//!   closed and dialled again, and refused in the end.
//! - Broadcast: UDP sockets may send to broadcast addresses.
//! - Multicast: UDP that listens on a multicast address listens on the port for every address.
//! - Zones: `[fe80::1%eth0]:PORT` listens and dials there.
//! - Small writes leave at once, a peer that vanished is noticed by keepalive probes, and the backlog is the
//!   system's longest.
//!
//! What Go does and this does not: port names such as `:http`.

mod addr;
mod dial;
mod listen;
mod read;

use std::time::Duration;

use socket2::TcpKeepalive;

pub use addr::{Addr, is_literal, loopback, split_host_port};
pub use dial::{dial, dial_udp};
pub use listen::{listen, listen_udp};
pub use read::{closed, read, read_full};

/// Go's default: probes after 15 s of silence and every 15 s from there, nine at most.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(15))
    .with_interval(Duration::from_secs(15))
    .with_retries(9);
