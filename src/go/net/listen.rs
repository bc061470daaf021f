//! Listening, as in Go's `net.Listen`.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use socket2::{Domain, Socket, Type};

use super::addr::resolve;
use super::keep_alive;
use crate::error::context;
use crate::system;

/// Binds a listener to `addr` (`HOST:PORT`, or Go's `:PORT` for every interface).
///
/// # Errors
/// The address is invalid, in use, or cannot be bound.
pub fn listen(addr: &str) -> io::Result<TcpListener> {
    let listen = || {
        let socket = bind(choose(&resolve(addr)?), tcp)?;
        // The kernel reduces this to net.core.somaxconn. std's 128 drops connections in a burst.
        socket.listen(i32::MAX)?;
        Ok(socket.into())
    };
    listen().map_err(context(format!("cannot listen on {addr}")))
}

/// Binds a UDP socket to `addr` (`HOST:PORT`, or Go's `:PORT` for every interface).
///
/// # Errors
/// The address is invalid, in use, or cannot be bound.
pub fn listen_udp(addr: &str) -> io::Result<UdpSocket> {
    let listen = || {
        let addr = choose(&resolve(addr)?);
        if !addr.ip().is_multicast() {
            return bind(addr, udp);
        }
        let every = match addr {
            SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        bind_one(SocketAddr::new(every, addr.port()), |domain| {
            let socket = udp(domain)?;
            socket.set_reuse_address(true)?;
            Ok(socket)
        })
    };
    listen()
        .map(UdpSocket::from)
        .map_err(context(format!("cannot listen on {addr}")))
}

/// The first IPv4 address, or else the first address.
fn choose(addrs: &[SocketAddr]) -> SocketAddr {
    let four = addrs.iter().find(|addr| addr.is_ipv4());
    *four.unwrap_or(&addrs[0])
}

fn tcp(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::STREAM, None)?;
    system::reuse_address(&socket)?;
    // Connections inherit both from their listener, and Go sets both on each.
    socket.set_tcp_nodelay(true)?;
    keep_alive(&socket);
    Ok(socket)
}

fn udp(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::DGRAM, None)?;
    socket.set_broadcast(true)?;
    Ok(socket)
}

/// Binds a new socket. If `addr` is unspecified, the socket is dual-stack, or IPv4 if the system has no IPv6.
fn bind(addr: SocketAddr, new: impl Fn(Domain) -> io::Result<Socket>) -> io::Result<Socket> {
    if !addr.ip().is_unspecified() {
        return bind_one(addr, new);
    }
    let both = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), addr.port());
    let four = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), addr.port());
    let Ok(socket) = new(Domain::IPV6) else {
        return bind_one(four, new);
    };
    if socket.set_only_v6(false).is_err() {
        return bind_one(four, new);
    }
    match socket.bind(&both.into()) {
        Err(err) if err.kind() == ErrorKind::AddrNotAvailable => bind_one(four, new),
        bound => bound.map(|()| socket),
    }
}

fn bind_one(addr: SocketAddr, new: impl Fn(Domain) -> io::Result<Socket>) -> io::Result<Socket> {
    let socket = new(Domain::for_address(addr))?;
    socket.bind(&addr.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use super::super::{Addr, dial, dial_udp};
    use super::*;

    fn has_ipv6() -> bool {
        TcpListener::bind("[::1]:0").is_ok()
    }

    #[test]
    fn unspecified_address_listens_on_both_families() {
        if !has_ipv6() {
            return;
        }
        for addr in [":0", "0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0"] {
            let tcp = listen(addr).unwrap();
            let port = tcp.local_addr().unwrap().port();
            let udp = listen_udp(addr).unwrap();
            udp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let udp_port = udp.local_addr().unwrap().port();
            for host in ["127.0.0.1", "[::1]", ""] {
                let conn = dial(&format!("{host}:{port}")).unwrap();
                let (_, from) = tcp.accept().unwrap();
                assert_eq!(
                    Addr::from(from),
                    conn.local_addr().unwrap().into(),
                    "{host} {addr}"
                );

                let conn = dial_udp(&format!("{host}:{udp_port}")).unwrap();
                conn.send(b"hello").unwrap();
                let (_, from) = udp.recv_from(&mut [0; 10]).unwrap();
                assert_eq!(
                    Addr::from(from),
                    conn.local_addr().unwrap().into(),
                    "{host} {addr}"
                );
            }
            for taken in [format!(":{port}"), format!("127.0.0.1:{port}")] {
                let err = listen(&taken).unwrap_err();
                assert_eq!(err.kind(), ErrorKind::AddrInUse, "{taken}: {err}");
            }
        }
    }

    #[test]
    fn port_in_use_by_one_family_is_not_shared() {
        if !has_ipv6() {
            return;
        }
        let six = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
        six.set_only_v6(true).unwrap();
        six.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into())
            .unwrap();
        six.listen(1).unwrap();
        let port = six.local_addr().unwrap().as_socket().unwrap().port();
        let err = listen(&format!("0.0.0.0:{port}")).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::AddrInUse, "{err}");
    }

    #[test]
    fn listener_on_a_name_uses_its_first_ipv4_address() {
        let addrs = ["[::1]:80", "127.0.0.1:80", "127.0.0.2:80"].map(|addr| addr.parse().unwrap());
        assert_eq!(choose(&addrs), addrs[1]);
        assert_eq!(choose(&addrs[..1]), addrs[0]);
    }

    #[test]
    fn udp_sockets_may_broadcast() {
        for socket in [
            listen_udp("127.0.0.1:0").unwrap(),
            listen_udp(":0").unwrap(),
            dial_udp("127.255.255.255:9").unwrap(),
        ] {
            assert!(socket.broadcast().unwrap());
        }
    }

    #[test]
    fn several_sockets_can_listen_on_a_multicast_address() {
        let first = listen_udp("224.0.0.251:0").unwrap();
        let addr = first.local_addr().unwrap();
        assert!(addr.ip().is_unspecified(), "{addr}");
        listen_udp(&format!("224.0.0.251:{}", addr.port())).unwrap();
    }

    #[test]
    fn burst_of_connections_fits_into_the_backlog() {
        let listener = listen("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        // Nobody accepts. std's backlog of 128 would drop the others.
        let waiting: Vec<_> = (0..300)
            .map(|i| {
                TcpStream::connect_timeout(&addr, Duration::from_millis(500))
                    .unwrap_or_else(|err| panic!("connection {i}: {err}"))
            })
            .collect();
        // A dropped connection may look established to its client, but accept never returns it.
        listener.set_nonblocking(true).unwrap();
        for i in 0..waiting.len() {
            if let Err(err) = listener.accept() {
                panic!("connection {i} was dropped: {err}");
            }
        }
    }
}
