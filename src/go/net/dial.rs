//! Dialling, as in Go's `net.Dial`.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use socket2::SockRef;

use super::addr::{loopback, resolve, split_host_port};
use super::keep_alive;
use crate::error::context;
use crate::go::spawn;

/// How long the addresses of the first family are tried before those of the other family are tried too.
const HEAD_START: Duration = Duration::from_millis(300);

/// Attempts for a dial that connects to its own socket.
const ATTEMPTS: usize = 3;

/// Connects to `addr` (`HOST:PORT`, or Go's `:PORT` for this host). As in Go there is no timeout but the system's: if
/// nothing answers, Linux gives up after about two minutes per address.
///
/// # Errors
/// The address is invalid, or the connection failed.
pub fn dial(addr: &str) -> io::Result<TcpStream> {
    let conn = targets(addr)
        .and_then(race)
        .map_err(context(format!("cannot connect to {addr}")))?;
    conn.set_nodelay(true)?;
    keep_alive(&SockRef::from(&conn));
    Ok(conn)
}

/// Makes a UDP socket that is connected to `addr`.
///
/// # Errors
/// The address is invalid, or there is no route to it. If nobody listens there, a later send or receive fails.
pub fn dial_udp(addr: &str) -> io::Result<UdpSocket> {
    targets(addr)
        .and_then(|addrs| one_by_one(&addrs, connect_udp))
        .map_err(context(format!("cannot connect to {addr}")))
}

/// The addresses to dial, at least one. An unspecified address means this host, as on Linux.
///
/// # Errors
/// The address is invalid, or its name is not known.
pub fn targets(addr: &str) -> io::Result<Vec<SocketAddr>> {
    let mut addrs: Vec<_> = resolve(addr)?.into_iter().map(loopback).collect();
    let port = addrs[0].port();
    // The listener may be reachable over the loopback address of only one family, so both are tried.
    match split_host_port(addr) {
        Ok(("", _)) => addrs.push((Ipv6Addr::LOCALHOST, port).into()),
        Ok((host, _)) if host.parse() == Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => {
            addrs.push((Ipv4Addr::LOCALHOST, port).into());
        }
        _ => {}
    }
    Ok(addrs)
}

/// Connects to the first address that answers. Addresses of the same family as the first one get a head start.
fn race(addrs: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let first = addrs[0].is_ipv4();
    let (primaries, fallbacks): (Vec<_>, Vec<_>) =
        addrs.into_iter().partition(|addr| addr.is_ipv4() == first);
    if fallbacks.is_empty() {
        return one_by_one(&primaries, connect);
    }

    // Room for both results, so that the thread that loses can exit, and its connection is closed.
    let (result, results) = bounded(2);
    start("primary", primaries, result.clone())?;
    let mut failed = match results.recv_timeout(HEAD_START) {
        Ok((_, Ok(conn))) => return Ok(conn),
        Ok((_, Err(err))) => Some(err),
        Err(_) => None,
    };
    start("fallback", fallbacks, result)?;
    for (family, result) in results {
        match result {
            Ok(conn) => return Ok(conn),
            // As in Go, the error of the first family is returned.
            Err(err) if family == "primary" => failed = Some(err),
            Err(_) => {}
        }
    }
    Err(failed.unwrap_or_else(|| ErrorKind::NotFound.into()))
}

type Outcome = (&'static str, io::Result<TcpStream>);

fn start(family: &'static str, addrs: Vec<SocketAddr>, result: Sender<Outcome>) -> io::Result<()> {
    let racer = move || {
        let _ = result.send((family, one_by_one(&addrs, connect)));
    };
    spawn(&format!("dial {family}"), racer).map(drop)
}

/// Tries the addresses in order. Returns the first success, or the first error.
///
/// # Errors
/// None succeeded.
pub fn one_by_one<T>(
    addrs: &[SocketAddr],
    attempt: impl Fn(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut first = None;
    for &addr in addrs {
        match attempt(addr) {
            Ok(conn) => return Ok(conn),
            Err(err) => first.get_or_insert(err),
        };
    }
    Err(first.unwrap_or_else(|| ErrorKind::NotFound.into()))
}

fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    not_to_itself(|| {
        let conn = TcpStream::connect(addr)?;
        let ends = (conn.local_addr(), conn.peer_addr());
        Ok((conn, ends))
    })
}

fn connect_udp(addr: SocketAddr) -> io::Result<UdpSocket> {
    let any = match addr {
        SocketAddr::V4(_) => "0.0.0.0:0",
        SocketAddr::V6(_) => "[::]:0",
    };
    // Go: dials again only for TCP, so a UDP socket can be connected to itself. Ours dials again for both.
    not_to_itself(|| {
        let conn = UdpSocket::bind(any)?;
        conn.set_broadcast(true)?;
        conn.connect(addr)?;
        let ends = (conn.local_addr(), conn.peer_addr());
        Ok((conn, ends))
    })
}

/// A connection, with its local and its remote address.
type WithEnds<T> = (T, (io::Result<SocketAddr>, io::Result<SocketAddr>));

/// Dials again if the socket was connected to itself, which happens if nobody listens on the dialled port and the
/// system chooses the same port as the local one. Also dials again if the system chose an address that is in use.
fn not_to_itself<T>(dial: impl Fn() -> io::Result<WithEnds<T>>) -> io::Result<T> {
    for attempt in 1..=ATTEMPTS {
        match dial() {
            Ok((_, (Ok(local), Ok(peer)))) if local == peer => {}
            Err(err) if err.kind() == ErrorKind::AddrNotAvailable && attempt < ATTEMPTS => {}
            dialled => return dialled.map(|(conn, _)| conn),
        }
    }
    // Go: returns a connection to itself after three attempts. Ours returns "connection refused".
    Err(ErrorKind::ConnectionRefused.into())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::net::TcpListener;
    use std::time::Instant;

    use socket2::{Domain, Socket, Type};

    use super::*;

    /// A listener whose backlog is full, so it does not answer, and the connections that fill it.
    fn deaf(addr: &str) -> Option<(SocketAddr, Socket, Vec<TcpStream>)> {
        let addr: SocketAddr = addr.parse().unwrap();
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None).unwrap();
        socket.bind(&addr.into()).ok()?;
        socket.listen(0).unwrap();
        let addr = socket.local_addr().unwrap().as_socket().unwrap();
        let limit = Duration::from_millis(200);
        let waiting =
            std::iter::from_fn(|| TcpStream::connect_timeout(&addr, limit).ok()).collect();
        Some((addr, socket, waiting))
    }

    /// An address on which nobody listens: the port was free a moment ago.
    fn nobody(ip: IpAddr) -> SocketAddr {
        TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap()
    }

    #[test]
    fn other_family_is_tried_when_the_first_does_not_answer() {
        let Some((dead, _listener, _waiting)) = deaf("[::1]:0") else {
            return; // a machine without IPv6
        };
        let alive = TcpListener::bind("127.0.0.1:0").unwrap();
        let start = Instant::now();
        let conn = race(vec![dead, alive.local_addr().unwrap()]).unwrap();
        assert!(conn.peer_addr().unwrap().is_ipv4());
        let took = start.elapsed();
        assert!(took >= HEAD_START, "the first family had {took:?}");
    }

    #[test]
    fn other_family_is_tried_at_once_when_the_first_refuses() {
        if TcpListener::bind("[::1]:0").is_err() {
            return;
        }
        let alive = TcpListener::bind("127.0.0.1:0").unwrap();
        let dead = nobody(Ipv6Addr::LOCALHOST.into());
        let conn = race(vec![dead, dead, alive.local_addr().unwrap()]).unwrap();
        assert!(conn.peer_addr().unwrap().is_ipv4());
        let err = race(vec![dead, nobody(Ipv4Addr::LOCALHOST.into())]).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn addresses_of_one_family_are_tried_in_order() {
        let alive = TcpListener::bind("127.0.0.1:0").unwrap();
        let addrs = vec![
            nobody(Ipv4Addr::LOCALHOST.into()),
            alive.local_addr().unwrap(),
        ];
        race(addrs).unwrap();
    }

    #[test]
    fn first_error_is_returned() {
        let tried: Vec<SocketAddr> = ["127.0.0.1:1", "127.0.0.1:2"]
            .map(|a| a.parse().unwrap())
            .into();
        let result = one_by_one(&tried, |addr| -> io::Result<()> {
            Err(io::Error::other(addr.to_string()))
        });
        assert_eq!(result.unwrap_err().to_string(), "127.0.0.1:1");
    }

    #[test]
    fn connection_to_itself_is_dialled_again_and_then_refused() {
        let [one, other]: [SocketAddr; 2] =
            ["127.0.0.1:1", "127.0.0.1:2"].map(|a| a.parse().unwrap());
        for (itself, result) in [
            (0, Ok(1)),
            (2, Ok(3)),
            (3, Err(ErrorKind::ConnectionRefused)),
        ] {
            let dials = Cell::new(0);
            let conn = not_to_itself(|| {
                dials.set(dials.get() + 1);
                let peer = if dials.get() <= itself { one } else { other };
                Ok((dials.get(), (Ok(one), Ok(peer))))
            });
            assert_eq!(
                conn.map_err(|err| err.kind()),
                result,
                "{itself} times itself"
            );
        }
    }

    #[test]
    fn unspecified_address_connects_to_this_host() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]"] {
            let conn = dial(&format!("{host}:{port}")).unwrap();
            assert!(conn.peer_addr().unwrap().ip().is_loopback());
        }
    }
}
