//! Listening and dialling as in Go's package `net`, which does more than the system calls:
//!
//! - Dual stack: `:PORT`, `0.0.0.0:PORT` and `[::]:PORT` listen for IPv4 and IPv6, TCP and UDP, whatever
//!   `bindv6only` says. Without IPv6 they listen for IPv4.
//! - Family order: to listen on a name with several addresses, only its first IPv4 address is used.
//! - Racing (happy eyeballs): to dial such a name, the addresses of the first one's family are tried in order.
//!   After 300 ms, or when they have failed, the others are tried too. The first connection wins.
//! - Self-connection: if nobody listens on a port in the local port range, a dial can connect to its own socket.
//!   Such a connection is closed and dialled again, at most three times.
//! - Broadcast: UDP sockets may send to broadcast addresses.
//! - Multicast: a UDP listener on a multicast address listens on the port of every address.
//! - Zones: `[fe80::1%eth0]:PORT` works for listening and dialling.
//! - TCP options: no delay for small writes, keepalive probes against peers that vanished, and the longest backlog
//!   that the system allows.
//!
//! Go also has port names such as `:http`, and listens with Multipath TCP where the system has it; this module
//! does not.

mod addr;
mod dial;
mod listen;
mod read;

use std::time::Duration;

use socket2::{Socket, TcpKeepalive};

pub use addr::{Addr, is_literal, loopback, split_host_port};
pub use dial::{dial, dial_udp, one_by_one, targets};
pub use listen::{listen, listen_udp};
pub use read::{closed, read, read_full, recv};

/// Go's default: a probe after 15 s without data, then every 15 s, at most nine.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(15))
    .with_interval(Duration::from_secs(15))
    .with_retries(9);

/// Errors are ignored, as in Go: some systems lack some of these options, and the connection works without them.
fn keep_alive(socket: &Socket) {
    let _ = socket.set_tcp_keepalive(&KEEPALIVE);
}
