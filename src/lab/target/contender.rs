//! Who is measured: our own server, those of `--server`, one that is running already, the floor.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;

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
    /// Started with these words, `{addr}` in them replaced by a free address.
    Command(Vec<String>),
    /// Started with these words; it is known to listen on this address.
    CommandAt(SocketAddr, Vec<String>),
    /// Running already at this address; neither started nor stopped.
    Running(SocketAddr),
}

/// What a server is to talk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Protocol {
    /// The chat room.
    Chat,
    /// The upper-casing echo.
    Echo,
}

const PLACE: &str = "{addr}";

impl Contender {
    /// Our own server, which is looked for beside this program.
    ///
    /// # Errors
    /// It is not there; the error says how to build it.
    pub fn own(protocol: Protocol) -> io::Result<Contender> {
        let program = match protocol {
            Protocol::Chat => "chat_server",
            Protocol::Echo => "tcp_concurrent_server",
        };
        let path = beside(program)?;
        if !path.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!(
                    "there is no {} to load: build it with `cargo build --release --bins`, or name a \
                     server with --addr or --server and --no-own",
                    path.display()
                ),
            ));
        }
        Ok(Contender {
            name: "threadline".to_owned(),
            source: Source::Command(vec![path.display().to_string(), PLACE.to_owned()]),
        })
    }

    /// The built-in server: this program itself, started with its hidden subcommand.
    ///
    /// # Errors
    /// This program cannot find itself.
    pub fn floor(protocol: Protocol) -> io::Result<Contender> {
        let mut words = vec![
            std::env::current_exe()?.display().to_string(),
            "floor".to_owned(),
            PLACE.to_owned(),
        ];
        if protocol == Protocol::Echo {
            words.push("--echo".to_owned());
        }
        Ok(Contender {
            name: FLOOR.to_owned(),
            source: Source::Command(words),
        })
    }

    /// The server that is running at `addr`.
    pub fn running(addr: SocketAddr) -> Contender {
        Contender {
            name: addr.to_string(),
            source: Source::Running(addr),
        }
    }

    /// The address of a server that is running or listens where it listens.
    pub fn fixed_addr(&self) -> Option<SocketAddr> {
        match self.source {
            Source::Command(_) => None,
            Source::CommandAt(addr, _) | Source::Running(addr) => Some(addr),
        }
    }

    /// The address for a new start of this server: its own, or a free one on loopback.
    pub(crate) fn next_addr(&self) -> io::Result<SocketAddr> {
        match self.fixed_addr() {
            Some(addr) => Ok(addr),
            // The port is free again when the listener is dropped. Linux hands out another one to
            // whoever asks for any port next, so that a clash is unlikely.
            None => TcpListener::bind(("127.0.0.1", 0))?.local_addr(),
        }
    }

    /// The words to start it with at `addr`; none for one that is running already.
    pub(crate) fn words(&self, addr: SocketAddr) -> Option<Vec<String>> {
        match &self.source {
            Source::Command(words) | Source::CommandAt(_, words) => Some(
                words
                    .iter()
                    .map(|word| word.replace(PLACE, &addr.to_string()))
                    .collect(),
            ),
            Source::Running(_) => None,
        }
    }
}

/// The name of the built-in server in tables.
const FLOOR: &str = "floor";

/// Whether a name in a record is that of the built-in server, in `slow` with what follows it.
pub fn is_floor(name: &str) -> bool {
    name.split(',').next() == Some(FLOOR)
}

fn beside(program: &str) -> io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(program))
}

impl FromStr for Contender {
    type Err = String;

    /// Reads `NAME=COMMAND` or `NAME@HOST:PORT=COMMAND`.
    fn from_str(text: &str) -> Result<Contender, String> {
        let (name, command) = text
            .split_once('=')
            .ok_or("expected NAME=COMMAND or NAME@HOST:PORT=COMMAND")?;
        let (name, addr) = match name.split_once('@') {
            Some((name, addr)) => (name, Some(resolve(addr)?)),
            None => (name, None),
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
        let source = match addr {
            Some(addr) => Source::CommandAt(addr, words),
            None if words.iter().any(|word| word.contains(PLACE)) => Source::Command(words),
            None => {
                return Err(format!(
                    "the command does not say where to listen: put {PLACE} into it, or give the \
                     address where it listens anyway: {name}@127.0.0.1:8000={command}"
                ));
            }
        };
        Ok(Contender {
            name: name.to_owned(),
            source,
        })
    }
}

/// Reads `HOST:PORT`, for clap.
///
/// # Errors
/// One line that says what is wrong.
pub fn resolve(text: &str) -> Result<SocketAddr, String> {
    // Go's `:8000`, and the address of a server that listens on every address.
    let host = if text.starts_with(':') {
        "127.0.0.1"
    } else {
        ""
    };
    let addr = format!("{host}{text}")
        .to_socket_addrs()
        .map_err(|err| format!("{text:?} is no address such as 127.0.0.1:8000: {err}"))?
        .min_by_key(|addr| addr.is_ipv6())
        .ok_or_else(|| format!("{text:?} stands for no address"))?;
    Ok(match addr {
        SocketAddr::V4(addr) if addr.ip().is_unspecified() => {
            (Ipv4Addr::LOCALHOST, addr.port()).into()
        }
        SocketAddr::V6(addr) if addr.ip().is_unspecified() => {
            (Ipv6Addr::LOCALHOST, addr.port()).into()
        }
        addr => addr,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn servers_read_as_people_write_them() {
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
    }

    #[test]
    fn an_address_to_listen_on_is_one_to_connect_to() {
        for (text, expected) in [
            ("127.0.0.1:8000", "127.0.0.1:8000"),
            (":8000", "127.0.0.1:8000"),
            ("0.0.0.0:8000", "127.0.0.1:8000"),
            ("[::]:8000", "[::1]:8000"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(resolve(text), Ok(expected.parse().unwrap()), "{text}");
        }
        for bad in ["", "8000", "localhost", "127.0.0.1:99999"] {
            assert!(resolve(bad).is_err(), "{bad:?} was taken for an address");
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
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
