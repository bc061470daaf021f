//! The servers that are built into `loadtest`: our own, and the floor. Each runs in a process of its own,
//! which is this program with a hidden subcommand.

use std::io;
use std::net::SocketAddr;

use crate::go::{net, use_batch_scheduling};
use crate::lab::load::protocol::Protocol;
use crate::lab::results::record::FLOOR;
use crate::lab::target::floor;
use crate::lab::target::supervise::{take_name, this_program};
use crate::server::limits::Limits;
use crate::server::{futex_hash, shutdown};
use crate::{chat, tcp};

/// The hidden subcommand of `loadtest`.
pub const SUBCOMMAND: &str = "serve";

/// A server that is built in: our chat room as `chat_server` runs it, unless options say otherwise.
#[derive(Debug, clap::Args)]
pub struct Builtin {
    addr: SocketAddr,

    /// Our echo server, as `tcp_concurrent_server` runs it
    #[arg(long)]
    echo: bool,

    /// The floor instead of ours
    #[arg(long)]
    floor: bool,

    /// What the room is shared through
    #[arg(long)]
    engine: Option<String>,
}

/// The words that start our own server, or the floor, at `addr`.
pub fn words(protocol: Protocol, is_floor: bool, addr: &str) -> Vec<String> {
    let mut words = vec![this_program(), SUBCOMMAND.to_owned(), addr.to_owned()];
    words.extend((protocol == Protocol::Echo).then(|| "--echo".to_owned()));
    words.extend(is_floor.then(|| "--floor".to_owned()));
    words
}

impl Builtin {
    /// Serves until SIGTERM.
    ///
    /// # Errors
    /// It cannot listen there, the kernel gives no more descriptors, or the engine does not answer.
    pub fn run(self) -> io::Result<()> {
        let addr = self.addr.to_string();
        let (protocol, name) = match self.echo {
            true => (Protocol::Echo, "echo"),
            false => (Protocol::Chat, "chat"),
        };
        if self.floor {
            take_name(FLOOR);
            return floor::run(net::listen(&addr)?, protocol);
        }
        take_name(name);
        let limits = Limits::default();
        if protocol == Protocol::Chat {
            futex_hash::enlarge(limits.max_clients, chat::THREADS_PER_CLIENT);
        }
        use_batch_scheduling();
        let shutdown = shutdown::on_signal()?;
        let mut options = chat::Options::default();
        if let Some(url) = &self.engine {
            options.share_through(url)?;
        }
        let listener = net::listen(&addr)?;
        match protocol {
            Protocol::Chat => chat::run(listener, options, shutdown),
            Protocol::Echo => tcp::run(listener, &limits, shutdown),
        }
    }
}
