//! The command line of `loadtest`.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::lab::load::message;
use crate::lab::results::metric::Metric;
use crate::lab::results::threshold::Threshold;
use crate::lab::target::contender::{self, Contender, Protocol};

/// Shows what thread-per-client costs on this machine
///
/// Loads a server of the course's protocols, checks every answer, and tells how fast, how evenly and
/// at what cost it went. Without --addr, our own server beside this program is started and measured;
/// --server and --floor add others to compare it with. Exit status: 0 done, 1 failed, 2 wrong usage,
/// 99 a --fail-if was crossed.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everyone in the chat room hears everyone [-c 10,100,1000 -d 2s]
    Chat(Options),
    /// Each connection has one request in flight, and gets it back in upper case [-c 1,100,1000 -d 2s]
    Echo(Options),
    /// Everyone is in the room and says nothing: what a client takes [-c 100,1000 -d 1s]
    Idle(Options),
    /// Visitors come, say one thing and leave: what they leave behind [-c 50 -d 3s --rate 200]
    Churn(Options),
    /// The chat without and with clients that never read: what the others notice [-c 100 -d 3s --size
    /// 2048]
    Slow {
        #[allow(missing_docs)]
        #[command(flatten)]
        options: Options,
        /// Clients that never read
        #[arg(long, default_value_t = 1, value_name = "N", value_parser = positive)]
        stalled: usize,
    },
    /// How many clients this machine carries, and what to raise to carry more
    Limits(Limits),
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

/// A scenario that is measured in rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Scenario {
    Chat,
    Echo,
    Idle,
    Churn,
    Slow { stalled: usize },
}

/// What the measured scenarios share.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Clients; a list is measured one after the other
    #[arg(short, long, value_name = "N,N...", value_delimiter = ',', value_parser = positive)]
    pub clients: Vec<usize>,

    /// How long each round is driven (500ms, 10s, 1m)
    #[arg(short, long, value_parser = crate::cli::duration)]
    pub duration: Option<Duration>,

    /// Clients that speak, in chat and slow; all of them where there are fewer
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = senders)]
    pub senders: usize,

    /// Bytes of a message with its line end [default: 64; slow: 2048]
    #[arg(long, value_name = "BYTES", value_parser = size)]
    pub size: Option<usize>,

    /// Messages (requests, visits) a second over all clients, at even times; latency then counts from
    /// those times, even if a message had to wait before it could be sent. `max` sends the next when
    /// the last has come back [default: max; churn: 200]
    #[arg(long, value_name = "N|max", value_parser = rate)]
    pub rate: Option<Rate>,

    /// Rounds for each server and number of clients, each with a server started afresh; servers take
    /// turns
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = positive)]
    pub rounds: usize,

    /// Chooses who speaks, and the letters
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,

    #[allow(missing_docs)]
    #[command(flatten)]
    pub servers: Servers,

    /// Measure the floor too: one thread, one write for each client and burst
    #[arg(long)]
    pub floor: bool,

    /// Write all raw figures to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Write one page with charts to this file; it needs nothing but itself
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Write each chart of that page to a file of its own in this directory: chat-deliveries.svg and
    /// so on
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,

    /// What a figure must not cross, for exit status 99; the help names the figures.
    #[arg(long, value_name = "RULE", help = fail_if())]
    pub fail_if: Vec<Threshold>,
}

/// Which servers.
#[derive(Clone, Debug, clap::Args)]
pub struct Servers {
    /// Measure a server that is running already, instead of our own
    #[arg(long, value_name = "HOST:PORT", value_parser = contender::resolve)]
    pub addr: Option<SocketAddr>,

    /// Measure this server too: NAME=COMMAND with {addr} where the address is to stand, or
    /// NAME@HOST:PORT=COMMAND for one that listens where it listens; may be given several times
    #[arg(long, value_name = "NAME=COMMAND")]
    pub server: Vec<Contender>,

    /// Leave our own server out
    #[arg(long)]
    pub no_own: bool,

    /// Allow targets that are not on this machine; load only what is yours
    #[arg(long)]
    pub remote: bool,
}

/// What `limits` is to do.
#[derive(Clone, Debug, clap::Args)]
pub struct Limits {
    /// Threads that a client takes: 3 in the chat, 1 in the echo
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = positive)]
    pub threads: usize,

    /// Connect clients until no more are let in, and say what it was
    #[arg(long)]
    pub probe: bool,

    /// Most clients that the probe connects
    #[arg(short, long, value_name = "N", default_value_t = 20_000, value_parser = positive)]
    pub clients: usize,

    /// How long the probe may last
    #[arg(short, long, default_value = "60s", value_parser = crate::cli::duration)]
    pub duration: Duration,

    /// Probe the echo server instead of the chat
    #[arg(long)]
    pub echo: bool,

    #[allow(missing_docs)]
    #[command(flatten)]
    pub servers: Servers,
}

/// The value of `--rate`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// Closed loop: as fast as the server answers.
    Max,
    /// Open loop: this many a second.
    PerSecond(f64),
}

impl Scenario {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::Chat => "chat",
            Scenario::Echo => "echo",
            Scenario::Idle => "idle",
            Scenario::Churn => "churn",
            Scenario::Slow { .. } => "slow",
        }
    }

    /// What its servers talk.
    pub fn protocol(self) -> Protocol {
        match self {
            Scenario::Echo => Protocol::Echo,
            _ => Protocol::Chat,
        }
    }

    /// Puts this scenario's defaults where the command line says nothing; with them it ends within
    /// 30 seconds.
    pub fn complete(self, options: &mut Options) {
        let (clients, seconds): (&[usize], u64) = match self {
            Scenario::Chat => (&[10, 100, 1000], 2),
            Scenario::Echo => (&[1, 100, 1000], 2),
            Scenario::Idle => (&[100, 1000], 1),
            Scenario::Churn => (&[50], 3),
            Scenario::Slow { .. } => (&[100], 3),
        };
        if options.clients.is_empty() {
            options.clients = clients.to_vec();
        }
        let mut seen = HashSet::new();
        options.clients.retain(|&clients| seen.insert(clients));
        options.duration.get_or_insert(Duration::from_secs(seconds));
        options.size.get_or_insert(match self {
            Scenario::Slow { .. } => 2048,
            _ => 64,
        });
        options.rate.get_or_insert(match self {
            Scenario::Churn => Rate::PerSecond(200.0),
            _ => Rate::Max,
        });
    }
}

fn fail_if() -> String {
    let names = Metric::ALL.map(|(_, name, _)| name);
    format!(
        "Exit with status 99 if a figure crosses this, such as 'p99>50ms', 'lost>0', 'rate<100k', \
         'rss>40KiB' (a client); may be given several times. Figures: {}",
        names.join(", ")
    )
}

/// The most of anything that is counted. It is more than a machine carries or anyone waits for, and
/// sums and products of it still fit.
const MOST: usize = 1_000_000;

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=MOST) => Ok(n),
        _ => Err(format!("expected a number from 1 to {MOST}")),
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

fn rate(text: &str) -> Result<Rate, String> {
    const MOST: f64 = 1e7;
    match (text, text.parse::<f64>()) {
        ("max", _) => Ok(Rate::Max),
        (_, Ok(rate)) if rate > 0.0 && rate <= MOST => Ok(Rate::PerSecond(rate)),
        _ => Err(format!(
            "expected a number a second, above 0 and up to {MOST}, or max"
        )),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn defaults_give_way_to_options() {
        let parse = |line: &str| match Args::parse_from(line.split(' ')).command {
            Command::Churn(mut options) => {
                Scenario::Churn.complete(&mut options);
                options
            }
            other => panic!("{other:?}"),
        };
        let options = parse("loadtest churn");
        assert_eq!(options.clients, [50]);
        assert_eq!(options.rate, Some(Rate::PerSecond(200.0)));
        assert_eq!(options.size, Some(64));
        let options = parse("loadtest churn -c 1,2,1 -d 500ms --rate max --size 100");
        assert_eq!(options.clients, [1, 2]);
        assert_eq!(options.duration, Some(Duration::from_millis(500)));
        assert_eq!(options.rate, Some(Rate::Max));
        assert_eq!(options.size, Some(100));
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        for bad in ["0", "-5", "many", "1e9", "inf", "NaN"] {
            assert!(rate(bad).is_err(), "{bad:?} was taken for a rate");
        }
        for bad in ["0", "13", "4097", "x"] {
            assert!(size(bad).is_err(), "{bad:?} was taken for a size");
        }
        for bad in ["0", "65537", "x"] {
            assert!(senders(bad).is_err(), "{bad:?} was taken for senders");
        }
    }
}
