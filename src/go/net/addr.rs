//! Parsing, resolving and printing addresses.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};

use crate::system::{interface_index, interface_name};

/// Splits `HOST:PORT` as `net.SplitHostPort` does. An IPv6 address must be in brackets.
///
/// # Errors
/// One line that explains what is wrong.
pub fn split_host_port(addr: &str) -> Result<(&str, u16), String> {
    let (host, port) = addr
        .rsplit_once(':')
        .ok_or("expected HOST:PORT, such as 127.0.0.1:8000")?;
    let port = port
        .parse()
        .map_err(|_| "expected a port from 0 to 65535, as in 127.0.0.1:8000")?;
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = match bracketed {
        Some(host) => host,
        None if host.contains(':') => {
            return Err("an IPv6 address needs brackets, as in [::1]:8000".to_owned());
        }
        None => host,
    };
    if host.contains(['[', ']']) {
        return Err("brackets belong around an IPv6 address, as in [::1]:8000".to_owned());
    }
    Ok((host, port))
}

/// Resolves `addr` to all its addresses, in the order of the resolver. An empty host is `0.0.0.0`. An IPv4-mapped
/// IPv6 address becomes the IPv4 address, as in Go.
pub(super) fn resolve(addr: &str) -> io::Result<Vec<SocketAddr>> {
    let invalid = |why| io::Error::new(ErrorKind::InvalidInput, why);
    let (host, port) = split_host_port(addr).map_err(invalid)?;
    let addrs: Vec<SocketAddr> = if host.is_empty() {
        vec![(Ipv4Addr::UNSPECIFIED, port).into()]
    } else if let Some((ip, zone)) = zoned(host) {
        vec![SocketAddrV6::new(ip, port, 0, interface(zone)?).into()]
    } else {
        (host, port).to_socket_addrs()?.map(canonical).collect()
    };
    if addrs.is_empty() {
        return Err(io::Error::new(ErrorKind::NotFound, "no such address"));
    }
    Ok(addrs)
}

/// Whether `addr` is an IP address with a port, as [`Addr`] is printed.
pub fn is_literal(addr: &str) -> bool {
    split_host_port(addr)
        .is_ok_and(|(host, _)| host.parse::<IpAddr>().is_ok() || zoned(host).is_some())
}

/// Parses an IPv6 address with a zone, such as `fe80::1%eth0`.
fn zoned(host: &str) -> Option<(Ipv6Addr, &str)> {
    let (ip, zone) = host.rsplit_once('%')?;
    Some((ip.parse().ok()?, zone))
}

/// The index of a network interface, given its name or index.
fn interface(zone: &str) -> io::Result<u32> {
    let index = interface_index(zone).or_else(|| zone.parse().ok());
    index.ok_or_else(|| {
        io::Error::new(
            ErrorKind::NotFound,
            format!("there is no network interface {zone}"),
        )
    })
}

/// An address that is printed as Go's `net.Addr` is: the address of an IPv4 client of a dual-stack socket as an IPv4
/// address, and a zone as the name of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addr(SocketAddr);

impl Addr {
    /// The IP address.
    pub fn ip(&self) -> IpAddr {
        self.0.ip()
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.0.port()
    }
}

impl From<SocketAddr> for Addr {
    fn from(addr: SocketAddr) -> Addr {
        Addr(canonical(addr))
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let SocketAddr::V6(addr) = self.0
            && addr.scope_id() != 0
            && let Some(zone) = interface_name(addr.scope_id())
        {
            return write!(f, "[{}%{zone}]:{}", addr.ip(), addr.port());
        }
        self.0.fmt(f)
    }
}

fn canonical(addr: SocketAddr) -> SocketAddr {
    match addr.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), addr.port()),
        IpAddr::V6(_) => addr,
    }
}

/// The address at which this machine reaches a listener on `addr`: the loopback address if `addr` is unspecified.
pub fn loopback(addr: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        _ => return addr,
    };
    SocketAddr::new(ip, addr.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_split_as_in_go() {
        for (addr, host, port) in [
            ("127.0.0.1:8000", "127.0.0.1", 8000),
            ("localhost:0", "localhost", 0),
            ("[::1]:65535", "::1", 65535),
            ("[fe80::1%eth0]:80", "fe80::1%eth0", 80),
            (":8000", "", 8000),
            ("[]:8000", "", 8000),
        ] {
            assert_eq!(split_host_port(addr), Ok((host, port)), "{addr}");
        }
        for bad in [
            "",
            "localhost",
            "8000",
            "a:",
            "a:65536",
            "a:b",
            "::1]",
            "::1:8000",
            "[::1:80",
            "::1]:80",
            "[::1]80",
            "[::1]]:80",
            "[[::1]:80",
            "a[b]:80",
            "a:b:80",
        ] {
            assert!(split_host_port(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn literal_addresses_are_recognised() {
        for literal in ["127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80"] {
            assert!(is_literal(literal), "{literal}");
        }
        for other in ["", "localhost:80", ":80", "127.0.0.1", "Ann%lo:80"] {
            assert!(!is_literal(other), "{other}");
        }
    }

    #[test]
    fn literal_addresses_resolve_to_themselves() {
        for (addr, resolved) in [
            (":80", "0.0.0.0:80"),
            ("127.0.0.2:80", "127.0.0.2:80"),
            ("[::1]:80", "[::1]:80"),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80"),
            ("[::ffff:0.0.0.0]:80", "0.0.0.0:80"),
            ("[fe80::1%7]:80", "[fe80::1%7]:80"),
        ] {
            assert_eq!(
                resolve(addr).unwrap(),
                [resolved.parse().unwrap()],
                "{addr}"
            );
        }
    }

    #[test]
    fn ipv4_mapped_addresses_are_printed_as_ipv4() {
        for (addr, printed) in [
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80"),
            ("[::1]:80", "[::1]:80"),
            ("127.0.0.1:80", "127.0.0.1:80"),
        ] {
            let addr: SocketAddr = addr.parse().unwrap();
            assert_eq!(Addr::from(addr).to_string(), printed);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn zones_are_interface_names() {
        for text in ["[fe80::1%lo]:80", "[::1%lo]:80"] {
            let [SocketAddr::V6(addr)] = resolve(text).unwrap()[..] else {
                panic!("{text} is not one IPv6 address")
            };
            assert_eq!(addr.scope_id(), 1);
            assert_eq!(Addr::from(SocketAddr::V6(addr)).to_string(), text);
        }
        let err = resolve("[fe80::1%no such]:80").unwrap_err().to_string();
        assert!(err.contains("no network interface no such"), "{err}");
    }
}
