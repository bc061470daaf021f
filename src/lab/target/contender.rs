//! The servers to measure: our own, those of `--server`, a running one, the floor.

use std::fmt::{self, Display};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::str::FromStr;

use crate::lab::results::record::FLOOR;
use crate::lab::target::builtin::Builtin;
use crate::lab::target::proc::is_here;

/// A server to be measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Contender {
    /// What tables call it.
    pub name: String,
    /// How it is had.
    pub source: Source,
}

/// How a server is had.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Started with these words, `{addr}` and `{port}` in them replaced by those of a free address.
    Command(Vec<String>),
    /// Started with these words; it is known to listen on this address.
    CommandAt(Address, Vec<String>),
    /// Running already at these addresses, as one room if they are several; neither started nor stopped.
    Running(Vec<Address>),
    /// So many of our own chat servers, which share one room through an engine that is started too.
    Nodes(usize),
}

/// An address as it was written, and all that it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    text: String,
    addrs: Vec<SocketAddr>,
}

const ADDR: &str = "{addr}";
const PORT: &str = "{port}";

impl Contender {
    /// A server that is built into this program.
    ///
    /// # Errors
    /// This program cannot find itself.
    pub fn builtin(name: &str, server: Builtin) -> io::Result<Contender> {
        Ok(Contender {
            name: name.to_owned(),
            source: Source::Command(server.words(ADDR)?),
        })
    }

    /// The servers that are running at these addresses.
    pub fn running(addresses: Vec<Address>) -> Contender {
        let name = |address: &Address| match address.addrs[..] {
            [addr] => addr.to_string(),
            _ => address.text.clone(),
        };
        let names: Vec<_> = addresses.iter().map(name).collect();
        Contender {
            name: names.join("+"),
            source: Source::Running(addresses),
        }
    }

    /// So many of our own chat servers as one room.
    pub fn nodes(count: usize) -> Contender {
        Contender {
            name: match count {
                1 => "1 node".to_owned(),
                n => format!("{n} nodes"),
            },
            source: Source::Nodes(count),
        }
    }

    /// One of the servers of [`Source::Nodes`].
    pub(crate) fn node(n: usize, count: usize, engine: SocketAddr) -> io::Result<Contender> {
        let mut words = Builtin::Chat.words(ADDR)?;
        words.extend(["--engine".to_owned(), format!("redis://{engine}")]);
        Ok(Contender {
            name: format!("node {n} of {count}"),
            source: Source::Command(words),
        })
    }

    /// The engine between them. It writes nothing to disk.
    pub(crate) fn engine(count: usize) -> Contender {
        let programs = ["valkey-server", "redis-server"];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_installed = |program: &&&str| {
            std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        };
        let program = programs.iter().find(is_installed).unwrap_or(&programs[1]);
        let words = [program, "--bind", "127.0.0.1", "--port", PORT];
        let nothing_to_disk = ["--save", "", "--appendonly", "no"];
        let words = words.into_iter().chain(nothing_to_disk);
        Contender {
            name: format!("engine of {count} nodes"),
            source: Source::Command(words.map(str::to_owned).collect()),
        }
    }

    /// An address that is not on this machine.
    pub fn remote(&self) -> Option<SocketAddr> {
        let addresses = match &self.source {
            Source::Command(_) | Source::Nodes(_) => &[][..],
            Source::CommandAt(address, _) => std::slice::from_ref(address),
            Source::Running(addresses) => addresses,
        };
        let mut addrs = addresses.iter().flat_map(|address| &address.addrs);
        addrs.find(|addr| !is_here(**addr)).copied()
    }

    /// Where a new start of this server may listen: its own addresses, or a free one on loopback.
    pub(crate) fn next_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        match &self.source {
            Source::CommandAt(address, _) => Ok(address.addrs.clone()),
            Source::Running(addresses) => Ok(addresses[0].addrs.clone()),
            Source::Nodes(_) => Ok(Vec::new()),
            Source::Command(words) => {
                // The port is free again when the listener is dropped. Linux gives the next bind to port 0
                // another one, so a clash is unlikely.
                let addr = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
                // A server that knows only the port may listen on either.
                let six = (Ipv6Addr::LOCALHOST, addr.port()).into();
                match words.iter().any(|word| word.contains(ADDR)) {
                    true => Ok(vec![addr]),
                    false => Ok(vec![addr, six]),
                }
            }
        }
    }

    /// The words to start it with at `addr`; none for one that is running already.
    pub(crate) fn words(&self, addr: SocketAddr) -> Option<Vec<String>> {
        let (addr, port) = (addr.to_string(), addr.port().to_string());
        match &self.source {
            Source::Command(words) | Source::CommandAt(_, words) => Some(
                words
                    .iter()
                    .map(|word| word.replace(ADDR, &addr).replace(PORT, &port))
                    .collect(),
            ),
            Source::Running(_) | Source::Nodes(_) => None,
        }
    }
}

impl FromStr for Contender {
    type Err = String;

    /// Reads `NAME=COMMAND` or `NAME@HOST:PORT=COMMAND`.
    fn from_str(text: &str) -> Result<Contender, String> {
        let (name, command) = text
            .split_once('=')
            .ok_or("expected NAME=COMMAND or NAME@HOST:PORT=COMMAND")?;
        let (name, address) = match name.split_once('@') {
            Some((name, address)) => (name, Some(address.parse()?)),
            None => (name, None),
        };
        if name.is_empty() {
            return Err("the name before the = is missing".to_owned());
        }
        if name.split(',').next() == Some(FLOOR) {
            return Err(format!(
                "{name} is the name of the built-in server, see --floor"
            ));
        }
        let words = shell_words::split(command).map_err(|err| format!("{command:?}: {err}"))?;
        if words.is_empty() {
            return Err("the command after the = is missing".to_owned());
        }
        let has_place = |word: &String| word.contains(ADDR) || word.contains(PORT);
        let source = match address {
            Some(address) => Source::CommandAt(address, words),
            None if words.iter().any(has_place) => Source::Command(words),
            None => {
                return Err(format!(
                    "the command does not say where to listen: put {ADDR} or {PORT} into it, or give \
                     the address where it listens anyway: {name}@127.0.0.1:8000={command}"
                ));
            }
        };
        Ok(Contender {
            name: name.to_owned(),
            source,
        })
    }
}

impl Address {
    /// Whether both stand for the same server.
    pub fn is_also(&self, other: &Address) -> bool {
        self.addrs.iter().any(|addr| other.addrs.contains(addr))
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Address {
    type Err = String;

    /// Reads `HOST:PORT`, or Go's `:PORT` for this host. The address of a server that listens on every
    /// address stands for loopback.
    fn from_str(text: &str) -> Result<Address, String> {
        let host = if text.starts_with(':') {
            "localhost"
        } else {
            ""
        };
        let local = |addr: SocketAddr| match addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, addr.port()).into(),
            IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, addr.port()).into(),
            // An IPv4 address in the form of an IPv6 one.
            IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => {
                (ip.to_canonical(), addr.port()).into()
            }
            _ => addr,
        };
        let found = format!("{host}{text}")
            .to_socket_addrs()
            .map_err(|err| format!("{text:?} is no address such as 127.0.0.1:8000: {err}"))?;
        let mut addrs: Vec<SocketAddr> = found.map(local).collect();
        addrs.sort_by_key(SocketAddr::is_ipv6);
        addrs.dedup();
        if addrs.is_empty() {
            return Err(format!("{text:?} stands for no address"));
        }
        Ok(Address {
            text: text.to_owned(),
            addrs,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn servers_are_parsed_as_people_write_them() {
        let mine: Contender = "mine='./my chat' --listen {addr}".parse().unwrap();
        assert_eq!(mine.name, "mine");
        assert_eq!(
            mine.source,
            Source::Command(words(&["./my chat", "--listen", "{addr}"]))
        );
        let addr = "127.0.0.1:7".parse().unwrap();
        assert_eq!(
            mine.words(addr),
            Some(words(&["./my chat", "--listen", "127.0.0.1:7"]))
        );

        let go: Contender = "go@127.0.0.1:8000=./chat -x=y".parse().unwrap();
        assert_eq!(
            go.source,
            Source::CommandAt(
                "127.0.0.1:8000".parse().unwrap(),
                words(&["./chat", "-x=y"])
            )
        );

        let port: Contender = "mine=./chat -p {port}".parse().unwrap();
        assert_eq!(port.words(addr), Some(words(&["./chat", "-p", "7"])));
        let listens_on = port.next_addrs().unwrap();
        let ips: Vec<_> = listens_on
            .iter()
            .map(|addr| addr.ip().to_string())
            .collect();
        assert_eq!(ips, ["127.0.0.1", "::1"], "it may listen on either");
    }

    #[test]
    fn address_to_listen_on_becomes_one_to_connect_to() {
        for (text, expected) in [
            ("127.0.0.1:8000", "127.0.0.1:8000"),
            (":8000", "127.0.0.1:8000"),
            ("0.0.0.0:8000", "127.0.0.1:8000"),
            ("[::]:8000", "[::1]:8000"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.addrs[0], expected.parse().unwrap(), "{text}");
        }
        for bad in ["", "8000", "localhost", "127.0.0.1:99999"] {
            assert!(bad.parse::<Address>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn invalid_server_is_rejected() {
        for (bad, why) in [
            ("mine", "expected NAME=COMMAND"),
            ("=./chat {addr}", "name"),
            ("floor=./chat {addr}", "--floor"),
            ("mine=", "command after"),
            ("mine=./chat", "{addr}"),
            ("mine='./chat {addr}", "quote"),
            ("mine@nowhere=./chat", "nowhere"),
        ] {
            let err = bad.parse::<Contender>().unwrap_err();
            assert!(err.contains(why), "{bad:?} gave {err:?}");
        }
    }
}
