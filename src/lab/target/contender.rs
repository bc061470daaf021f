//! The servers to measure: our own, those of `--server`, a running one, the floor.

use std::env;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::str::FromStr;

use crate::go::net;
use crate::lab::load::protocol::Protocol;
use crate::lab::results::record::{FLOOR, is_floor};
use crate::lab::target::builtin;
use crate::units;

/// What is measured under one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Contender {
    /// What tables call it.
    pub name: String,
    /// A server, or several that are one room.
    pub servers: Vec<Source>,
    /// What our servers share the room through. It is started before them.
    pub engine: Option<Source>,
}

/// How a server is had.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// What errors call it.
    pub name: String,
    /// Where it is known to listen, on one of these. None: on a free address that it is started with.
    pub addrs: Vec<SocketAddr>,
    /// The words to start it with, `{addr}` and `{port}` in them for where it is to listen. None if it is
    /// running already; it is not stopped then either.
    pub words: Vec<String>,
}

const ADDR: &str = "{addr}";
const PORT: &str = "{port}";

impl Contender {
    /// These servers; several are one room.
    pub fn of(servers: Vec<Source>) -> Contender {
        let names: Vec<_> = servers.iter().map(|server| &server.name[..]).collect();
        Contender {
            name: names.join("+"),
            servers,
            engine: None,
        }
    }

    /// Our own server, or the floor.
    pub fn builtin(protocol: Protocol, is_floor: bool) -> Contender {
        let name = if is_floor { FLOOR } else { "threadline" };
        let words = builtin::words(protocol, is_floor, ADDR);
        Contender::of(vec![Source::started(name.to_owned(), words)])
    }

    /// So many of our own chat servers, which share one room through an engine that is started too.
    pub fn nodes(count: usize) -> Contender {
        let node = |n| {
            let words = builtin::words(Protocol::Chat, false, ADDR);
            Source::started(format!("node {n} of {count}"), words)
        };
        Contender {
            name: units::count(count, "node"),
            engine: Some(engine(count)),
            servers: (1..=count).map(node).collect(),
        }
    }
}

/// The engine between nodes. It writes nothing to disk.
fn engine(count: usize) -> Source {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_installed =
        |program| env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let program = match is_installed("valkey-server") {
        true => "valkey-server",
        false => "redis-server",
    };
    let command = format!("{program} --bind 127.0.0.1 --port {PORT} --save '' --appendonly no");
    let words = shell_words::split(&command).expect("the quotes are closed");
    Source::started(format!("engine of {count} nodes"), words)
}

impl Source {
    fn started(name: String, words: Vec<String>) -> Source {
        Source {
            name,
            addrs: Vec::new(),
            words,
        }
    }

    /// Whether both stand for the same server.
    pub fn is_also(&self, other: &Source) -> bool {
        self.addrs.iter().any(|addr| other.addrs.contains(addr))
    }

    /// Where a new start of this server may listen: its own addresses, or a free one on loopback.
    pub fn next_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        if !self.addrs.is_empty() {
            return Ok(self.addrs.clone());
        }
        // The port is free again when the listener is dropped. Linux gives the next bind to port 0
        // another one, so a clash is unlikely.
        let addr = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        // A server that knows only the port may listen on either.
        let six = (Ipv6Addr::LOCALHOST, addr.port()).into();
        match self.words.iter().any(|word| word.contains(ADDR)) {
            true => Ok(vec![addr]),
            false => Ok(vec![addr, six]),
        }
    }

    /// The words to start it with at `addr`.
    pub fn words_at(&self, addr: SocketAddr) -> Vec<String> {
        let (addr, port) = (addr.to_string(), addr.port().to_string());
        let fill = |word: &String| word.replace(ADDR, &addr).replace(PORT, &port);
        self.words.iter().map(fill).collect()
    }
}

impl FromStr for Contender {
    type Err = String;

    /// Reads `NAME=COMMAND` or `NAME@HOST:PORT=COMMAND`.
    fn from_str(text: &str) -> Result<Contender, String> {
        let (name, command) = text
            .split_once('=')
            .ok_or("expected NAME=COMMAND or NAME@HOST:PORT=COMMAND")?;
        let (name, addrs) = match name.split_once('@') {
            Some((name, address)) => (name, address.parse::<Source>()?.addrs),
            None => (name, Vec::new()),
        };
        if name.is_empty() {
            return Err("the name before the = is missing".to_owned());
        }
        if is_floor(name) {
            return Err(format!(
                "{name} is the name of the built-in server, see --floor"
            ));
        }
        let words = shell_words::split(command).map_err(|err| format!("{command:?}: {err}"))?;
        if words.is_empty() {
            return Err("the command after the = is missing".to_owned());
        }
        let has_place = |word: &String| word.contains(ADDR) || word.contains(PORT);
        if addrs.is_empty() && !words.iter().any(has_place) {
            return Err(format!(
                "the command does not say where to listen: put {ADDR} or {PORT} into it, or give \
                 the address where it listens anyway: {name}@127.0.0.1:8000={command}"
            ));
        }
        let name = name.to_owned();
        Ok(Contender::of(vec![Source { name, addrs, words }]))
    }
}

impl FromStr for Source {
    type Err = String;

    /// Reads the `HOST:PORT` of a server that is running already, or Go's `:PORT` for this host. The address of
    /// one that listens on every address stands for loopback.
    fn from_str(text: &str) -> Result<Source, String> {
        let addrs = net::targets(text)
            .map_err(|err| format!("{text:?} is no address such as 127.0.0.1:8000: {err}"))?;
        let name = match addrs[..] {
            [addr] => addr.to_string(),
            _ => text.to_owned(),
        };
        let words = Vec::new();
        Ok(Source { name, addrs, words })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_parsed_as_people_write_them() {
        let mine: Contender = "mine='./my chat' --listen {addr}".parse().unwrap();
        assert_eq!(mine.name, "mine");
        let addr = "127.0.0.1:7".parse().unwrap();
        let [mine] = &mine.servers[..] else {
            panic!("{mine:?}");
        };
        assert_eq!(
            mine.words_at(addr),
            ["./my chat", "--listen", "127.0.0.1:7"]
        );
        assert_eq!(mine.next_addrs().unwrap().len(), 1);

        let go: Contender = "go@127.0.0.1:8000=./chat -x=y".parse().unwrap();
        let listens_on = go.servers[0].next_addrs().unwrap();
        assert_eq!(listens_on, ["127.0.0.1:8000".parse().unwrap()]);
        assert_eq!(go.servers[0].words_at(addr), ["./chat", "-x=y"]);

        let port: Contender = "mine=./chat -p {port}".parse().unwrap();
        assert_eq!(port.servers[0].words_at(addr), ["./chat", "-p", "7"]);
        let listens_on = port.servers[0].next_addrs().unwrap();
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
            let server: Source = text.parse().unwrap();
            assert_eq!(server.addrs[0], expected.parse().unwrap(), "{text}");
        }
        for bad in ["", "8000", "localhost", "127.0.0.1:99999"] {
            assert!(bad.parse::<Source>().is_err(), "{bad:?} was taken");
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
