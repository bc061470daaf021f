//! The command line of `loadtest`.

use std::collections::HashSet;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::lab::compare::Compare;
use crate::lab::load::message;
use crate::lab::load::protocol::Protocol;
use crate::lab::report::output::Outputs;
use crate::lab::results::metric;
use crate::lab::results::threshold::Threshold;
use crate::lab::results::units::Unit;
use crate::lab::target::builtin::{self, Builtin};
use crate::lab::target::contender::{Address, Contender};
use crate::lab::target::supervise;

/// Load tester for the course's servers: chat room and echo
///
/// It starts our own server (or those of --server, or takes the running one of --addr), applies the
/// load, checks every answer, and prints throughput, latency, faults and what the server used.
///
/// Exit status:
///   0    done
///   1    failed: something could not be measured or written
///   2    wrong usage
///   99   a --fail-if rule was crossed
///   130  interrupted by Ctrl-C; what was measured until then is printed and written
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Chat room: every message goes to every client
    #[command(after_help = "\
Examples:
  loadtest chat -c 10,100,1000 --floor --html report.html
  loadtest chat -c 100 --rate 1000 -d 10s --fail-if 'p99>50ms' --fail-if 'lost>0'")]
    Chat {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        load: Load,
        #[command(flatten)]
        senders: Senders,
    },
    /// Echo: each connection sends a line and waits for it in upper case
    #[command(after_help = "\
Examples:
  loadtest echo -c 1,100,1000 --floor
  loadtest echo --addr 127.0.0.1:9000 -c 100 --rate 10k --json run.json")]
    Echo {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        load: Load,
    },
    /// Silent chat clients: memory, threads and descriptors per client
    #[command(after_help = "\
Examples:
  loadtest idle -c 100,1000
  loadtest idle -c 1000 --fail-if 'rss>64KiB'")]
    Idle {
        #[command(flatten)]
        common: Common,
    },
    /// Chat clients that connect, send one message and leave: what is left behind
    #[command(after_help = "\
Examples:
  loadtest churn -c 50 --rate 500 -d 10s
  loadtest churn --fail-if 'threads-left>0' --fail-if 'descriptors-left>0'")]
    Churn {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        load: Load,
    },
    /// Slow consumers: the chat without and with clients that never read
    #[command(after_help = "\
Examples:
  loadtest slow --fail-if 'pause>1s'
  loadtest slow --stalled 5 --server 'go=./target/originals/chat_server {addr}' --html slow.html")]
    Slow {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        load: Load,
        #[command(flatten)]
        senders: Senders,
        /// Clients that never read
        #[arg(long, default_value_t = 1, value_name = "N", value_parser = positive)]
        stalled: usize,
    },
    /// Compare two saved runs
    #[command(after_help = "\
Examples:
  loadtest compare old.json new.json
  loadtest compare old.json new.json --fail-if 'p99>+10%' --fail-if 'lost>0'")]
    Compare(Compare),
    /// How many clients this machine supports, and how to raise the limits
    #[command(after_help = "\
Examples:
  loadtest limits
  loadtest limits --probe --echo -c 5000")]
    Limits(Limits),
    /// Runs a built-in server.
    #[command(name = builtin::SUBCOMMAND, hide = true)]
    Serve { server: Builtin, addr: SocketAddr },
    /// Starts a server that does not outlive the parent of this process.
    #[command(name = supervise::SUBCOMMAND, hide = true)]
    Supervise {
        #[arg(required = true, last = true)]
        words: Vec<OsString>,
    },
}

/// A scenario that is measured in rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scenario {
    Chat,
    Echo,
    Idle,
    Churn,
    Slow { stalled: usize },
}

/// Options of every scenario. Those without a default here have one per scenario, in [`DEFAULTS`].
#[derive(Clone, Debug, clap::Args)]
pub struct Common {
    /// Number of clients; each number of a list is measured
    #[arg(short, long, value_name = "N,N...", value_delimiter = ',', value_parser = positive)]
    pub clients: Vec<usize>,

    /// Duration of each round, such as 500ms, 1.5s or 1m
    #[arg(short, long, value_parser = crate::cli::duration)]
    pub duration: Duration,

    /// Rounds per server and number of clients. Each starts the server anew; servers alternate
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = positive)]
    pub rounds: usize,

    #[command(flatten)]
    pub servers: Servers,

    /// Measure the built-in baseline too: one thread, one write per client and batch
    #[arg(long)]
    pub floor: bool,

    #[command(flatten)]
    pub outputs: Outputs,

    #[arg(long, value_name = "RULE", value_parser = rule, help = fail_if())]
    pub fail_if: Vec<Threshold>,
}

/// Options of the scenarios that send.
#[derive(Clone, Debug, clap::Args)]
pub struct Load {
    /// Bytes per message, with its newline
    #[arg(long, value_name = "BYTES", value_parser = size)]
    pub size: usize,

    /// Messages (requests, visits) per second over all clients, at even times: latency counts from
    /// those times, even if a message had to wait. `max` sends the next when the last has come back
    #[arg(long, value_name = "N|max", value_parser = rate)]
    pub rate: Rate,

    /// Load before the measurement starts; nothing of it is in any figure [default: none]
    #[arg(long, value_name = "DURATION", value_parser = crate::cli::duration)]
    pub warm_up: Option<Duration>,

    /// Random seed for choosing senders and message contents
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}

/// The option of the scenarios where some clients send and all receive.
#[derive(Clone, Debug, clap::Args)]
pub struct Senders {
    /// Number of clients that send (all, if there are fewer)
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = senders)]
    pub senders: usize,
}

/// Which servers.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Servers")]
pub struct Servers {
    /// Measure a server that is running already, instead of our own
    #[arg(long, value_name = "HOST:PORT")]
    pub addr: Option<Address>,

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
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = crate::cli::duration)]
    pub start_timeout: Duration,
}

/// What `limits` is to do.
#[derive(Clone, Debug, clap::Args)]
pub struct Limits {
    /// Threads per client: 3 in the chat, 1 in the echo
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = positive)]
    pub threads: usize,

    /// Print the settings for this many clients, as one block to paste
    #[arg(long = "for", value_name = "N", value_parser = positive)]
    pub wanted: Option<usize>,

    /// Connect clients until no more are admitted, and print why
    #[arg(long)]
    pub probe: bool,

    /// Maximum number of clients of the probe
    #[arg(short, long, value_name = "N", default_value_t = 20_000, value_parser = positive)]
    pub clients: usize,

    /// Maximum duration of the probe
    #[arg(short, long, default_value = "60s", value_parser = crate::cli::duration)]
    pub duration: Duration,

    /// Probe the echo server instead of the chat
    #[arg(long)]
    pub echo: bool,

    #[command(flatten)]
    pub servers: Servers,
}

/// The value of `--rate`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// Closed loop: as fast as the server answers.
    Max,
    /// Open loop: this many per second.
    PerSecond(f64),
}

/// A run of a scenario, with nothing left open.
#[derive(Debug)]
pub struct Plan {
    pub scenario: Scenario,
    pub common: Common,
    pub load: Load,
    pub senders: usize,
}

impl Plan {
    /// Without `load` and `senders` nobody sends.
    pub fn new(
        scenario: Scenario,
        mut common: Common,
        load: Option<Load>,
        senders: Option<Senders>,
    ) -> Plan {
        let mut seen = HashSet::new();
        common.clients.retain(|&clients| seen.insert(clients));
        Plan {
            scenario,
            common,
            load: load.unwrap_or(Load {
                size: 0,
                rate: Rate::Max,
                warm_up: None,
                seed: 0,
            }),
            senders: senders.map_or(0, |senders| senders.senders),
        }
    }

    /// Messages per second in open loop.
    pub fn rate(&self) -> Option<f64> {
        match self.load.rate {
            Rate::PerSecond(rate) => Some(rate),
            Rate::Max => None,
        }
    }
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

    /// The protocol of its servers.
    pub fn protocol(self) -> Protocol {
        match self {
            Scenario::Echo => Protocol::Echo,
            _ => Protocol::Chat,
        }
    }
}

/// Defaults of each scenario; with them it ends within 30 seconds.
const DEFAULTS: [(&str, &str); 5] = [
    ("chat", "clients=10,100,1000 duration=2s size=64 rate=max"),
    ("echo", "clients=1,100,1000 duration=2s size=64 rate=max"),
    ("idle", "clients=100,1000 duration=1s"),
    ("churn", "clients=50 duration=3s size=64 rate=200"),
    ("slow", "clients=100 duration=3s size=2048 rate=max"),
];

/// Reads the command line. Wrong usage ends the program with status 2.
pub fn parse() -> Args {
    from(&mut std::env::args_os()).unwrap_or_else(|err| err.exit())
}

/// Ends the program as clap does for wrong usage.
pub fn wrong_usage(what: &str) -> ! {
    command().error(ErrorKind::ArgumentConflict, what).exit()
}

fn from(words: &mut dyn Iterator<Item = OsString>) -> Result<Args, clap::Error> {
    Args::from_arg_matches(&command().try_get_matches_from(words)?)
}

fn command() -> clap::Command {
    let mut command = Args::command();
    for (scenario, defaults) in DEFAULTS {
        command = command.mut_subcommand(scenario, |scenario| {
            let defaults = defaults.split(' ').filter_map(|word| word.split_once('='));
            defaults.fold(scenario, |scenario, (option, value)| {
                scenario.mut_arg(option, |arg| arg.required(false).default_value(value))
            })
        });
    }
    command
}

fn fail_if() -> String {
    format!(
        "Exit with status 99 if a figure crosses this: 'p99>50ms', 'lost>0', 'rate<100k', \
         'rss>40KiB' (per client). Repeatable. Judged is the median of the rounds, and the worst round \
         for max, pause, lost and other faults. What was not measured counts as crossed. Figures: {}",
        metric::names()
    )
}

/// A rule for one run.
fn rule(text: &str) -> Result<Threshold, String> {
    match text.parse::<Threshold>()? {
        rule if rule.is_change() => {
            Err("a change in % needs two runs: see `loadtest compare`".to_owned())
        }
        rule => Ok(rule),
    }
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
    match (text, Unit::Number.parse(text)) {
        ("max", _) => Ok(Rate::Max),
        (_, Ok(rate)) if rate > 0.0 && rate <= MOST => Ok(Rate::PerSecond(rate)),
        _ => Err(format!(
            "expected messages per second, above 0 and up to {MOST}, such as 200 or 10k; or max"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Plan {
        let args = from(&mut line.split(' ').map(OsString::from)).unwrap();
        match args.command {
            Command::Churn { common, load } => Plan::new(Scenario::Churn, common, Some(load), None),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn options_replace_defaults() {
        let Plan { common, load, .. } = plan("loadtest churn");
        assert_eq!(common.clients, [50]);
        assert_eq!(common.duration, Duration::from_secs(3));
        assert_eq!(load.rate, Rate::PerSecond(200.0));
        assert_eq!(load.size, 64);
        let Plan { common, load, .. } =
            plan("loadtest churn -c 1,2,1 -d 1.5s --rate max --size 100");
        assert_eq!(common.clients, [1, 2]);
        assert_eq!(common.duration, Duration::from_millis(1500));
        assert_eq!(load.rate, Rate::Max);
        assert_eq!(load.size, 100);
    }

    #[test]
    fn options_without_meaning_in_a_scenario_are_rejected() {
        for line in [
            "idle --size 64",
            "idle --rate 5",
            "echo --senders 2",
            "chat --stalled 1",
        ] {
            let words = format!("loadtest {line}");
            let err = from(&mut words.split(' ').map(OsString::from)).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::UnknownArgument, "{line}");
        }
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
