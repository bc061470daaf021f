//! The options that choose the servers to measure.

use std::io::{self, ErrorKind};
use std::time::Duration;

use crate::lab::load::protocol::Protocol;
use crate::lab::target::contender::{Contender, Source};
use crate::lab::target::proc::is_here;
use crate::lab::target::process::check_free;
use crate::lab::values::duration;

/// Which servers.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Servers")]
pub struct Servers {
    /// Measure a server that is running already, instead of our own; in chat also several that are one
    /// room, as A+B+C
    #[arg(long, value_name = "HOST:PORT", value_delimiter = '+')]
    pub addr: Vec<Source>,

    /// Start and measure this server too: NAME=COMMAND with {addr} or {port} where it is to listen, or
    /// NAME@HOST:PORT=COMMAND for one with a fixed address. Repeatable
    #[arg(long, value_name = "NAME=COMMAND")]
    pub server: Vec<Contender>,

    /// Do not measure our own server
    #[arg(long)]
    pub no_own: bool,

    /// Allow servers that are not on this machine; load only what is yours
    #[arg(long)]
    pub remote: bool,

    /// How long a server may take from its start until it listens
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub start_timeout: Duration,
}

impl Servers {
    /// The servers to measure, in the order of the command line.
    ///
    /// # Errors
    /// There is none, two have the same name, one is not on this machine, or its address is taken.
    pub fn contenders(
        &self,
        nodes: Option<usize>,
        floor: bool,
        protocol: Protocol,
    ) -> io::Result<Vec<Contender>> {
        let mut contenders = Vec::new();
        if !self.addr.is_empty() {
            contenders.push(Contender::of(self.addr.clone()));
        } else if let Some(count) = nodes {
            contenders.push(Contender::nodes(count));
        } else if !self.no_own {
            contenders.push(Contender::builtin(protocol, false));
        }
        contenders.extend(self.server.iter().cloned());
        if floor {
            contenders.push(Contender::builtin(protocol, true));
        }
        let wrong = |what: String| Err(io::Error::new(ErrorKind::InvalidInput, what));
        if contenders.is_empty() {
            return wrong("nothing to measure: --no-own needs --server or --floor".to_owned());
        }
        for (i, Contender { name, servers, .. }) in contenders.iter().enumerate() {
            if contenders[..i].iter().any(|other| other.name == *name) {
                return wrong(format!(
                    "two servers are called {name}: give each --server a name of its own"
                ));
            }
            for server in servers {
                let away = server.addrs.iter().find(|addr| !is_here(**addr));
                if let (Some(addr), false) = (away, self.remote) {
                    return wrong(format!(
                        "{addr} is not on this machine; if the server is yours to load, add --remote"
                    ));
                }
                if !server.words.is_empty() {
                    check_free(name, &server.addrs)?;
                }
            }
        }
        Ok(contenders)
    }
}
