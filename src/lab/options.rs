//! The command line of `loadtest`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use super::contender::{self, Contender};
use super::message;

/// Shows what thread-per-client costs on this machine
///
/// Loads a server of the course's protocols, checks every answer, and tells how fast, how evenly and
/// at what cost it went. Without --addr, our own server beside this program is measured; --server and
/// --floor add others to compare it with.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub scenario: Scenario,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum Scenario {
    /// Everyone in a chat room hears everyone [defaults: -c 10,100,1000 -d 2s]
    Chat(Options),
    /// The built-in server that --floor measures.
    #[command(hide = true)]
    Floor {
        /// Where to listen
        addr: SocketAddr,
        /// Speak the echo's protocol instead of the chat's
        #[arg(long)]
        echo: bool,
    },
}

/// What all scenarios share.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Clients; a list is measured one after the other
    #[arg(short, long, value_name = "N,N...", value_delimiter = ',', value_parser = positive)]
    pub clients: Vec<usize>,

    /// How long each round is driven (500ms, 10s, 1m)
    #[arg(short, long, value_parser = crate::cli::duration)]
    pub duration: Option<Duration>,

    /// Clients that speak
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = senders)]
    pub senders: usize,

    /// Bytes of a message with its line end
    #[arg(long, default_value_t = 64, value_name = "BYTES", value_parser = size)]
    pub size: usize,

    /// Messages a second over all senders, at even times; latency then counts from those times, even
    /// if a message had to wait before it could be sent [default: each sender sends its next when it
    /// has its last back]
    #[arg(long, value_name = "N", value_parser = rate)]
    pub rate: Option<f64>,

    /// Rounds for each server and number of clients, each with a server started afresh; servers take
    /// turns
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = positive)]
    pub rounds: usize,

    /// Chooses who speaks, and the letters
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,

    /// Measure a server that is running already, instead of our own
    #[arg(long, value_name = "HOST:PORT", value_parser = contender::resolve)]
    pub addr: Option<SocketAddr>,

    /// Measure this server too: NAME=COMMAND with {addr} where the address is to stand, or
    /// NAME@HOST:PORT=COMMAND for one that listens where it listens; may be given several times
    #[arg(long, value_name = "NAME=COMMAND")]
    pub server: Vec<Contender>,

    /// Measure the floor too: one thread, one write for each client and burst
    #[arg(long)]
    pub floor: bool,

    /// Leave our own server out
    #[arg(long)]
    pub no_own: bool,

    /// Allow targets that are not on this machine; load only what is yours
    #[arg(long)]
    pub remote: bool,

    /// Write all raw figures to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a number from 1 on".to_owned()),
        Ok(n) => Ok(n),
    }
}

fn senders(text: &str) -> Result<usize, String> {
    match positive(text)? {
        n if n > message::SENDERS => Err(format!("at most {} are possible", message::SENDERS)),
        n => Ok(n),
    }
}

fn size(text: &str) -> Result<usize, String> {
    let sizes = message::SHORTEST..=message::LONGEST;
    match text.parse() {
        Ok(n) if sizes.contains(&n) => Ok(n),
        _ => Err(format!(
            "expected {} to {} bytes: a message holds its number, and the room passes on no more in \
             one piece",
            sizes.start(),
            sizes.end()
        )),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("expected a number of messages a second, above 0".to_owned()),
    }
}
