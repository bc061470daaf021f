//! Addresses at which nobody listens. They stay reserved while the socket is open, so that no other test can get
//! them.

use std::iter;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// A TCP address that refuses connections.
pub(crate) fn tcp() -> (Socket, String) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    // Bound, but not listening.
    socket.bind(&any_port.into()).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, addr.to_string())
}

/// A UDP address at which datagrams are refused.
pub(crate) fn udp() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    // A connected socket takes nothing from anybody else.
    socket.connect("127.0.0.1:9").unwrap();
    let addr = socket.local_addr().unwrap();
    (socket, addr)
}

/// A TCP address that answers no connection, neither with yes nor with no, and what keeps it so.
pub(crate) fn deaf() -> (String, Socket, Vec<TcpStream>) {
    let (socket, addr) = tcp();
    socket.listen(0).unwrap();
    let to = addr.parse().unwrap();
    let limit = Duration::from_millis(200);
    // Until there is no more room for those that nobody accepts.
    let waiting = iter::from_fn(|| TcpStream::connect_timeout(&to, limit).ok()).collect();
    (addr, socket, waiting)
}
