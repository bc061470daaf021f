//! What is measured under one name: a server, or several that are one room, with the engine between them.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use crate::lab::target::contender::{Contender, Source};
use crate::lab::target::proc::Usage;
use crate::lab::target::process::{Server, ServerError};
use crate::server::shutdown::Done;

/// Servers that listen. They are stopped when this is dropped, unless they were running already.
#[derive(Debug)]
pub struct Site {
    name: String,
    servers: Vec<Server>,
    engine: Option<Server>,
}

impl Site {
    /// Starts what is to be started, and waits until all of it listens.
    ///
    /// # Errors
    /// As for [`Server::start`].
    pub fn start(contender: &Contender, time: Duration, shutdown: &Done) -> io::Result<Site> {
        let start = |contender: &Contender| Server::start(contender, time, shutdown);
        let (mut servers, mut engine) = (Vec::new(), None);
        match &contender.source {
            Source::Nodes(count) => {
                let started = start(&Contender::engine(*count))?;
                for n in 1..=*count {
                    servers.push(start(&Contender::node(n, *count, started.addr())?)?);
                }
                engine = Some(started);
            }
            Source::Running(addresses) => {
                for address in addresses {
                    servers.push(start(&Contender::running(vec![address.clone()]))?);
                }
            }
            Source::Command(_) | Source::CommandAt(..) => servers.push(start(contender)?),
        }
        Ok(Site {
            name: contender.name.clone(),
            servers,
            engine,
        })
    }

    /// Where the servers listen.
    pub fn addrs(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(Server::addr).collect()
    }

    /// What the servers are called.
    pub fn names(&self) -> Vec<String> {
        let names = self.servers.iter().map(Server::name);
        names.map(str::to_owned).collect()
    }

    /// The processes, where all of them could be found out.
    fn pids(&self) -> Option<Vec<i32>> {
        let all = self.servers.iter().chain(&self.engine);
        all.map(Server::pid).collect()
    }

    /// What all of them use now, as `look` sees each. A process of another user cannot be looked into; a
    /// round is worth something without it.
    pub fn usage(&self, look: fn(i32) -> io::Result<Usage>) -> Option<Usage> {
        let usages: io::Result<Vec<Usage>> = self.pids()?.into_iter().map(look).collect();
        usages.ok()?.into_iter().reduce(Usage::plus)
    }

    /// Fails if one of them has exited.
    ///
    /// # Errors
    /// It has.
    pub fn check(&mut self) -> io::Result<()> {
        let mut all = self.servers.iter_mut().chain(&mut self.engine);
        all.try_for_each(Server::check)
    }

    /// Makes an error of what they did.
    pub fn error(&self, kind: ErrorKind, what: &str) -> io::Error {
        let error = ServerError {
            server: self.name.clone(),
            what: what.to_owned(),
            last_words: self.last_words(),
        };
        io::Error::new(kind, error)
    }

    /// What the first of them that wrote something wrote last to its standard error, or rather the first
    /// line of an error there.
    pub fn last_words(&self) -> Option<String> {
        self.servers.iter().find_map(Server::last_words)
    }
}
