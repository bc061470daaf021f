//! What is measured under one name: a server, or several that are one room, with the engine between them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::lab::target::contender::{Contender, Source};
use crate::lab::target::proc::{Look, Usage};
use crate::lab::target::process::{Server, ServerError};
use crate::server::shutdown::Done;

/// Servers that listen. They are stopped when this is dropped, unless they were running already.
#[derive(Debug)]
pub struct Site {
    name: String,
    pub servers: Vec<Server>,
    engine: Option<Server>,
}

impl Site {
    /// Starts what is to be started, and waits until all of it listens.
    ///
    /// # Errors
    /// As for [`Server::start`].
    pub fn start(contender: &Contender, time: Duration, shutdown: &Done) -> io::Result<Site> {
        let start = |source: &Source| Server::start(source, time, shutdown);
        let engine = contender.engine.as_ref().map(start).transpose()?;
        let mut servers = Vec::new();
        for source in &contender.servers {
            let mut source = source.clone();
            if let Some(engine) = &engine {
                let url = format!("redis://{}", engine.addr);
                source.words.extend(["--engine".to_owned(), url]);
            }
            servers.push(start(&source)?);
        }
        Ok(Site {
            name: contender.name.clone(),
            servers,
            engine,
        })
    }

    fn all(&self) -> impl Iterator<Item = &Server> {
        self.servers.iter().chain(&self.engine)
    }

    /// Where the servers listen.
    pub fn addrs(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(|server| server.addr).collect()
    }

    /// What all of them use now. A process of another user cannot be looked into; a round is worth something
    /// without it.
    pub fn usage(&self, look: Look) -> Option<Usage> {
        let pids: Option<Vec<i32>> = self.all().map(|server| server.pid).collect();
        Usage::of(&pids?, look)
    }

    /// Fails if one of them has exited.
    ///
    /// # Errors
    /// It has.
    pub fn check(&self) -> io::Result<()> {
        self.all().try_for_each(Server::check)
    }

    /// Makes an error of what they did.
    pub fn error(&self, what: &str) -> io::Error {
        ServerError::of(&self.name, what, self.last_words())
    }

    /// What the first of them that wrote something wrote last to its standard error, or rather the first
    /// line of an error there.
    pub fn last_words(&self) -> Option<String> {
        self.servers.iter().find_map(Server::last_words)
    }
}
