//! The servers that are built into `loadtest`: our own, and the floor. Each runs in a process of its own,
//! which is this program with a hidden subcommand.

use std::io;
use std::net::SocketAddr;

use clap::ValueEnum;

use crate::go::{net, use_batch_scheduling};
use crate::lab::load::protocol::Protocol;
use crate::lab::target::floor;
use crate::lab::target::supervise::{take_name, this_program};
use crate::server::limits::Limits;
use crate::server::{futex_hash, shutdown};
use crate::{chat, tcp};

/// The hidden subcommand of `loadtest`.
pub const SUBCOMMAND: &str = "serve";

/// A server that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Builtin {
    /// Our chat room, as `chat_server` runs it.
    Chat,
    /// Our echo server, as `tcp_concurrent_server` runs it.
    Echo,
    /// The floor, as a chat room.
    FloorChat,
    /// The floor, as an echo server.
    FloorEcho,
}

impl Builtin {
    /// Our own server of this protocol.
    pub fn own(protocol: Protocol) -> Builtin {
        match protocol {
            Protocol::Chat => Builtin::Chat,
            Protocol::Echo => Builtin::Echo,
        }
    }

    /// The floor of this protocol.
    pub fn floor(protocol: Protocol) -> Builtin {
        match protocol {
            Protocol::Chat => Builtin::FloorChat,
            Protocol::Echo => Builtin::FloorEcho,
        }
    }

    /// The words that start it at `addr`.
    ///
    /// # Errors
    /// This program cannot find itself.
    pub fn words(self, addr: &str) -> io::Result<Vec<String>> {
        let program = this_program()?.display().to_string();
        let words = [SUBCOMMAND, &self.name(), addr];
        Ok([program]
            .into_iter()
            .chain(words.map(str::to_owned))
            .collect())
    }

    fn name(self) -> String {
        let value = self.to_possible_value().expect("none is hidden");
        value.get_name().to_owned()
    }

    /// Serves on `addr` until SIGTERM; a chat room shares it through this engine, if there is one.
    ///
    /// # Errors
    /// It cannot listen there, the kernel gives no more descriptors, or the engine does not answer.
    pub fn run(self, addr: SocketAddr, engine: Option<&str>) -> io::Result<()> {
        take_name(&self.name());
        let limits = Limits::default();
        if self == Builtin::Chat {
            futex_hash::enlarge(limits.max_clients, chat::THREADS_PER_CLIENT);
        }
        let addr = addr.to_string();
        if matches!(self, Builtin::Chat | Builtin::Echo) {
            use_batch_scheduling();
        }
        match self {
            Builtin::Chat => {
                let shutdown = shutdown::on_signal()?;
                let mut options = chat::Options::default();
                if let Some(url) = engine {
                    options.share_through(url)?;
                }
                chat::run(net::listen(&addr)?, options, shutdown)
            }
            Builtin::Echo => {
                let shutdown = shutdown::on_signal()?;
                tcp::run(net::listen(&addr)?, &limits, shutdown)
            }
            Builtin::FloorChat => floor::run(net::listen(&addr)?, Protocol::Chat),
            Builtin::FloorEcho => floor::run(net::listen(&addr)?, Protocol::Echo),
        }
    }
}
