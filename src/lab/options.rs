//! The command line of `loadtest`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::cli;
use crate::lab::compare::Compare;
use crate::lab::limits::Limits;
use crate::lab::load::protocol::Protocol;
use crate::lab::report::output::Outputs;
use crate::lab::results::threshold::Threshold;
use crate::lab::target::builtin::{self, Builtin};
use crate::lab::target::contender::Address;
use crate::lab::target::servers::Servers;
use crate::lab::target::supervise;
use crate::lab::values::{Rate, duration, fail_if, positive, rate, rule, senders, size};

/// Load tester for the course's servers: chat room and echo
///
/// Starts our own server (--server adds others, --addr takes a running one), applies the load, checks
/// every answer, and prints throughput, latency, faults and what the server used.
#[derive(Debug, Parser)]
#[command(
    name = "loadtest",
    version,
    after_help = "Exit status:
  0    done
  1    failed: something could not be measured or written
  2    wrong usage
  99   a --fail-if rule was crossed
  130  interrupted by Ctrl-C; what was measured is printed and written"
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Chat room: every message goes to every client
    #[command(after_help = "Examples:
  loadtest chat -c 10,100,1000 --floor --html report.html
  loadtest chat -c 100 --rate 1000 --fail-if 'p99>50ms' --fail-if 'lost>0'")]
    Chat(Options),
    /// Echo: each connection sends a line and waits for it in upper case
    #[command(after_help = "Examples:
  loadtest echo -c 1,100,1000 --floor
  loadtest echo --addr 127.0.0.1:9000 -c 100 --rate 10k --json run.json")]
    Echo(Options),
    /// Silent chat clients: memory, threads and descriptors per client
    #[command(after_help = "Examples:
  loadtest idle -c 100,1000
  loadtest idle -c 1000 --fail-if 'rss>64KiB'")]
    Idle(Options),
    /// Chat clients that connect, send one message and leave: what stays behind
    #[command(after_help = "Examples:
  loadtest churn -c 50 --rate 500 -d 10s
  loadtest churn --fail-if 'threads-left>0' --fail-if 'descriptors-left>0'")]
    Churn(Options),
    /// Slow consumers: the chat without and with clients that never read
    #[command(after_help = "Examples:
  loadtest slow --fail-if 'pause>1s'
  loadtest slow --stalled 5 --server 'mine=./my_chat {addr}' --html slow.html")]
    Slow(Options),
    /// Compare two saved runs
    #[command(after_help = "Examples:
  loadtest compare old.json new.json
  loadtest compare old.json new.json --fail-if 'p99>+10%' --fail-if 'lost>0'")]
    Compare(Compare),
    /// How many clients this machine supports, and how to raise the limits
    #[command(after_help = "Examples:
  loadtest limits
  loadtest limits --probe --echo -c 5000")]
    Limits(Limits),
    /// Runs a built-in server.
    #[command(name = builtin::SUBCOMMAND, hide = true)]
    Serve {
        server: Builtin,
        addr: SocketAddr,
        #[arg(long)]
        engine: Option<String>,
    },
    /// Starts a server that does not outlive the parent of this process.
    #[command(name = supervise::SUBCOMMAND, hide = true)]
    Supervise {
        #[arg(required = true, last = true)]
        words: Vec<OsString>,
    },
}

/// Options of the scenarios. Those without a default here have one per scenario, in [`SCENARIOS`].
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Number of clients; each number of a list is measured
    #[arg(short, long, value_name = "N,N...", value_delimiter = ',', value_parser = positive())]
    pub clients: Vec<usize>,

    /// Duration of each round, such as 500ms, 1.5s or 1m
    #[arg(short, long, value_parser = duration)]
    pub duration: Duration,

    /// Rounds per server and number of clients; each starts the server anew, servers alternate
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = positive())]
    pub rounds: usize,

    /// Load before the measurement starts; nothing of it is in any figure
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub warm_up: Option<Duration>,

    /// Number of clients that send (all, if there are fewer)
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = senders())]
    pub senders: usize,

    /// Clients that never read
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = positive())]
    pub stalled: usize,

    /// Bytes per message, with its newline
    #[arg(long, value_name = "BYTES", value_parser = size())]
    pub size: usize,

    /// Messages (requests, visits) per second over all clients, at even times: latency counts from
    /// those times, even if a message had to wait. `max` sends the next when the last has come back
    #[arg(long, value_name = "N|max", value_parser = rate)]
    pub rate: Rate,

    /// Random seed for choosing senders and message contents
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,

    #[arg(long, value_name = "RULE", value_parser = rule, help = fail_if())]
    pub fail_if: Vec<Threshold>,

    #[command(flatten)]
    pub outputs: Outputs,

    #[command(flatten)]
    pub servers: Servers,

    /// Measure the built-in baseline too: one thread, one write per client and batch
    #[arg(long)]
    pub floor: bool,
}

/// A scenario that is measured in rounds, by its name on the command line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scenario {
    Chat,
    Echo,
    Idle,
    Churn,
    Slow,
}

impl Scenario {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        SCENARIOS[self as usize].0
    }

    /// The protocol of its servers.
    pub fn protocol(self) -> Protocol {
        match self {
            Scenario::Echo => Protocol::Echo,
            _ => Protocol::Chat,
        }
    }
}

/// The scenarios, and `limits`: their defaults, with which they end within 30 seconds, and the options that
/// mean nothing in them.
const SCENARIOS: [(&str, &str, &str); 6] = [
    (
        "chat",
        "clients=10,100,1000 duration=2s size=64 rate=max",
        "stalled",
    ),
    (
        "echo",
        "clients=1,100,1000 duration=2s size=64 rate=max",
        "senders stalled nodes",
    ),
    (
        "idle",
        "clients=100,1000 duration=1s size=64 rate=max",
        "senders stalled size rate warm_up seed nodes",
    ),
    (
        "churn",
        "clients=50 duration=3s size=64 rate=200",
        "senders stalled nodes",
    ),
    (
        "slow",
        "clients=100 duration=3s size=2048 rate=max",
        "nodes",
    ),
    ("limits", "", "nodes"),
];

/// Reads the command line. Wrong usage ends the program with status 2.
pub fn parse() -> Args {
    from(&mut std::env::args_os()).unwrap_or_else(|err| cli::usage(&err))
}

/// Ends the program as clap does for wrong usage.
pub fn wrong_usage(what: &str) -> ! {
    command().error(ErrorKind::ArgumentConflict, what).exit()
}

fn from(words: &mut dyn Iterator<Item = OsString>) -> Result<Args, clap::Error> {
    let matches = command().try_get_matches_from(words)?;
    let scenario = |(name, given)| Some((SCENARIOS.iter().find(|entry| entry.0 == name)?, given));
    if let Some(((name, _, without), given)) = matches.subcommand().and_then(scenario) {
        let is_given = |id: &&str| given.value_source(id) == Some(ValueSource::CommandLine);
        if let Some(id) = without.split_whitespace().find(is_given) {
            let what = format!("--{} means nothing in {name}", id.replace('_', "-"));
            return Err(command().error(ErrorKind::UnknownArgument, what));
        }
        let conflict = |what| Err(command().error(ErrorKind::ArgumentConflict, what));
        let addrs: Vec<&Address> = given.get_many("addr").into_iter().flatten().collect();
        if *name != "chat" && addrs.len() > 1 {
            return conflict(format!("--addr takes one server in {name}"));
        }
        for (i, addr) in addrs.iter().enumerate() {
            if addrs[..i].iter().any(|other| other.is_also(addr)) {
                return conflict(format!("--addr has {addr} twice"));
            }
        }
        if is_given(&"nodes") && !cfg!(feature = "engine") {
            return conflict("--nodes needs a build with --features engine".to_owned());
        }
    }
    Args::from_arg_matches(&matches)
}

fn command() -> clap::Command {
    SCENARIOS.iter().fold(
        Args::command().bin_name("loadtest"),
        |command, (name, defaults, without)| {
            command.mut_subcommand(name, |mut scenario| {
                for (option, value) in defaults.split(' ').filter_map(|word| word.split_once('=')) {
                    scenario =
                        scenario.mut_arg(option, |arg| arg.required(false).default_value(value));
                }
                let without = without.split_whitespace();
                without.fold(scenario, |scenario, id| {
                    scenario.mut_arg(id, |arg| arg.hide(true))
                })
            })
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn churn(line: &str) -> Options {
        let args = from(&mut line.split(' ').map(OsString::from)).unwrap();
        match args.command {
            Command::Churn(options) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn options_replace_defaults() {
        let options = churn("loadtest churn");
        assert_eq!(options.clients, [50]);
        assert_eq!(options.duration, Duration::from_secs(3));
        assert_eq!(options.rate, Some(200.0));
        assert_eq!(options.size, 64);
        let options = churn("loadtest churn -c 1,2 -d 1.5s --rate max --size 100");
        assert_eq!(options.clients, [1, 2]);
        assert_eq!(options.duration, Duration::from_millis(1500));
        assert_eq!(options.rate, None);
        assert_eq!(options.size, 100);
    }

    #[test]
    fn scenarios_are_in_the_order_of_their_table() {
        for scenario in [
            Scenario::Chat,
            Scenario::Echo,
            Scenario::Idle,
            Scenario::Churn,
            Scenario::Slow,
        ] {
            let name = format!("{scenario:?}").to_lowercase();
            assert_eq!(scenario.name(), name);
            assert!(command().find_subcommand(name).is_some());
        }
    }

    #[test]
    fn only_the_chat_takes_several_servers() {
        let several = |scenario: &str| {
            let line = format!("loadtest {scenario} --addr 127.0.0.1:1+127.0.0.1:2");
            from(&mut line.split(' ').map(OsString::from))
        };
        assert!(several("chat").is_ok());
        for scenario in ["echo", "idle", "churn", "slow", "limits"] {
            let err = several(scenario).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::ArgumentConflict, "{scenario}");
        }
    }

    #[test]
    fn a_server_of_a_room_is_given_once() {
        for twice in ["127.0.0.1:1+127.0.0.1:1", ":1+[::1]:2+127.0.0.1:1"] {
            let line = format!("loadtest chat --addr {twice}");
            let err = from(&mut line.split(' ').map(OsString::from)).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::ArgumentConflict, "{twice}");
            assert!(err.to_string().contains("127.0.0.1:1 twice"), "{err}");
        }
    }

    #[cfg(not(feature = "engine"))]
    #[test]
    fn a_build_without_an_engine_says_what_nodes_need() {
        let line = "loadtest chat --nodes 2";
        let err = from(&mut line.split(' ').map(OsString::from)).unwrap_err();
        assert!(err.to_string().contains("--features engine"), "{err}");
    }

    #[test]
    fn numbers_out_of_their_range_are_rejected() {
        for (option, bad) in [
            ("--size", &["0", "13", "4097", "x", "-1", "1e3"][..]),
            ("--senders", &["0", "65537", "x"]),
            (
                "--clients",
                &["0", "1000001", "5,0", "", "18446744073709551616"],
            ),
            ("--rounds", &["0", "1000001"]),
        ] {
            for value in bad {
                let words = ["loadtest", "chat", option, value].map(OsString::from);
                let err = from(&mut words.into_iter()).unwrap_err();
                assert_eq!(err.exit_code(), 2, "{option} {value}");
            }
        }
    }

    #[test]
    fn options_without_meaning_in_a_scenario_are_rejected() {
        for line in [
            "idle --size 64",
            "idle --rate 5",
            "echo --senders 2",
            "chat --stalled 1",
            "idle --warm-up 1s",
            "echo --nodes 2",
            "slow --nodes 2",
            "limits --nodes 2",
        ] {
            let words = format!("loadtest {line}");
            let err = from(&mut words.split(' ').map(OsString::from)).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::UnknownArgument, "{line}");
        }
    }
}
