//! Listening and dialling as Go's package `net` does.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};

use crate::error::context;

/// Go's default: probes after 15 s of silence and every 15 s from there, nine at most.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(15))
    .with_interval(Duration::from_secs(15))
    .with_retries(9);

/// Binds a listener to `addr` (`HOST:PORT`, or Go's `:PORT` for every address).
///
/// The backlog is the system's longest, as in Go; std's 128 refuses clients in a burst.
///
/// # Errors
/// The address is not one, is taken, or may not be bound.
pub fn listen(addr: &str) -> io::Result<TcpListener> {
    let bind = |addr: SocketAddr| {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        // Connections inherit both from their listener, and Go sets both on each: small writes leave
        // at once, and a peer that vanished without a word is noticed in the end.
        socket.set_tcp_nodelay(true)?;
        socket.set_tcp_keepalive(&KEEPALIVE)?;
        socket.bind(&addr.into())?;
        // The kernel cuts this down to net.core.somaxconn.
        socket.listen(i32::MAX)?;
        Ok(socket.into())
    };
    first(&any_host(addr), bind).map_err(context(format!("cannot listen on {addr}")))
}

/// Connects to `addr` (`HOST:PORT`, or Go's `:PORT` for this host).
///
/// Small writes leave at once, and a peer that vanished is noticed in the end, as in Go.
///
/// # Errors
/// The address is not one, or nobody answers there.
pub fn dial(addr: &str) -> io::Result<TcpStream> {
    let conn = first(&local_host(addr), TcpStream::connect)
        .map_err(context(format!("cannot connect to {addr}")))?;
    conn.set_nodelay(true)?;
    SockRef::from(&conn).set_tcp_keepalive(&KEEPALIVE)?;
    Ok(conn)
}

/// Binds a UDP socket to `addr` (`HOST:PORT`, or Go's `:PORT` for every address).
///
/// # Errors
/// The address is not one, is taken, or may not be bound.
pub fn listen_udp(addr: &str) -> io::Result<UdpSocket> {
    first(&any_host(addr), UdpSocket::bind).map_err(context(format!("cannot listen on {addr}")))
}

/// Makes a UDP socket that talks with `addr` alone.
///
/// # Errors
/// The address is not one, or no route leads there. That nobody listens there shows later.
pub fn dial_udp(addr: &str) -> io::Result<UdpSocket> {
    let connect = |to: SocketAddr| {
        let from = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let conn = UdpSocket::bind(from)?;
        conn.connect(to)?;
        Ok(conn)
    };
    first(&local_host(addr), connect).map_err(context(format!("cannot connect to {addr}")))
}

/// Reads as [`Read::read`] does, but is not ended by a signal, like Go's `Read`.
///
/// # Errors
/// The reading fails.
pub fn read(from: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buf) {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Reads until `buf` is full or the input ends, and returns how many bytes that are.
///
/// # Errors
/// The reading fails.
pub fn read_full(from: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buf.len() {
        match read(from, &mut buf[n..])? {
            0 => break,
            more => n += more,
        }
    }
    Ok(n)
}

/// The error for a peer that closed its end where more was to come, which Go calls `EOF`.
pub fn closed(what: &str) -> io::Error {
    context(what)(io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the other end closed the connection",
    ))
}

/// An address as its owner knows it: what comes over IPv4 to a socket for both has an IPv6 one there.
pub fn canonical(addr: SocketAddr) -> SocketAddr {
    match addr.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), addr.port()),
        IpAddr::V6(_) => addr,
    }
}

/// Tries every address that these stand for and returns the first success, or the last error.
fn first<T>(addrs: &[String], attempt: impl Fn(SocketAddr) -> io::Result<T>) -> io::Result<T> {
    let mut result = Err(io::Error::new(io::ErrorKind::NotFound, "no such address"));
    for addr in addrs {
        for addr in addr.to_socket_addrs()? {
            result = attempt(addr);
            if result.is_ok() {
                return result;
            }
        }
    }
    result
}

/// For `:PORT` the address for IPv4 and IPv6, and the one for a machine that has IPv4 alone.
fn any_host(addr: &str) -> Vec<String> {
    with_host(addr, &["[::]", "0.0.0.0"])
}

fn local_host(addr: &str) -> Vec<String> {
    with_host(addr, &["127.0.0.1", "[::1]"])
}

fn with_host(addr: &str, hosts: &[&str]) -> Vec<String> {
    match addr.starts_with(':') {
        true => hosts.iter().map(|host| format!("{host}{addr}")).collect(),
        false => vec![addr.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_every_address() {
        let listener = listen(":0").unwrap();
        let port = listener.local_addr().unwrap().port();
        dial(&format!("127.0.0.1:{port}")).unwrap();
        let (_, from) = listener.accept().unwrap();
        assert_eq!(canonical(from).ip().to_string(), "127.0.0.1");
        // A machine may have no IPv6.
        if listener.local_addr().unwrap().is_ipv6() {
            dial(&format!("[::1]:{port}")).unwrap();
        }
        dial(&format!(":{port}")).unwrap();
        let taken = listen(&format!(":{port}")).unwrap_err();
        assert!(taken.to_string().contains("in use"), "{taken}");
    }

    #[test]
    fn a_burst_finds_room_in_the_backlog() {
        let listener = listen("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        // Nobody accepts; std's backlog of 128 would drop those beyond it.
        let waiting: Vec<_> = (0..300)
            .map(|i| {
                TcpStream::connect_timeout(&addr, Duration::from_millis(500))
                    .unwrap_or_else(|err| panic!("connection {i}: {err}"))
            })
            .collect();
        // A connection that was dropped may look established to its client, but never comes here.
        listener.set_nonblocking(true).unwrap();
        for i in 0..waiting.len() {
            if let Err(err) = listener.accept() {
                panic!("connection {i} was dropped: {err}");
            }
        }
    }
}
