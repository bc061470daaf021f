//! The command line of `loadtest`.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, FromArgMatches, Subcommand};

use crate::cli;
use crate::lab::compare::Compare;
use crate::lab::limits::Limits;
use crate::lab::report::output::Outputs;
use crate::lab::results::threshold::Threshold;
use crate::lab::scenario::drive::RoundPlan;
use crate::lab::scenario::{self, SCENARIOS, Scenario};
use crate::lab::target::builtin::{self, Builtin};
use crate::lab::target::contender::Source;
use crate::lab::target::servers::Servers;
use crate::lab::target::supervise;
use crate::lab::values::{fail_if, positive, rule};

/// Load tester for the course's servers: chat room and echo
///
/// Starts our own server (--server adds others, --addr takes a running one), applies the load, checks
/// every answer, and prints throughput, latency, faults and what the server used.
#[derive(Debug, Subcommand)]
#[command(
    version,
    after_help = "Exit status:
  0    done
  1    failed: something could not be measured or written
  2    wrong usage
  99   a --fail-if rule was crossed
  130  interrupted by Ctrl-C; what was measured is printed and written"
)]
pub enum Command {
    /// A subcommand for each of [`SCENARIOS`].
    #[command(skip)]
    Measure(&'static Scenario, Box<Options>),
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
    Serve(Builtin),
    /// Starts a server that does not outlive the parent of this process.
    #[command(name = supervise::SUBCOMMAND, hide = true)]
    Supervise {
        #[arg(required = true, last = true)]
        words: Vec<OsString>,
    },
}

/// Options of the scenarios. Those without a default here have one in [`SCENARIOS`].
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Number of clients; each number of a list is measured
    #[arg(short, long, value_name = "N,N...", value_delimiter = ',', value_parser = positive())]
    pub clients: Vec<usize>,

    /// Rounds per server and number of clients; each starts the server anew, servers alternate
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = positive())]
    pub rounds: usize,

    #[command(flatten)]
    pub plan: RoundPlan,

    #[arg(long, value_name = "RULE", value_parser = rule, help = fail_if())]
    pub fail_if: Vec<Threshold>,

    #[command(flatten)]
    pub outputs: Outputs,

    #[command(flatten)]
    pub servers: Servers,

    /// Measure so many of our own servers as one room, with valkey-server or redis-server between them
    /// (feature engine)
    #[arg(long, value_name = "N", value_parser = positive(), conflicts_with_all = ["addr", "no_own"])]
    pub nodes: Option<usize>,

    /// Measure the built-in baseline too: one thread, one write per client and batch
    #[arg(long)]
    pub floor: bool,
}

/// Reads the command line. Wrong usage ends the program with status 2.
pub fn parse() -> Command {
    from(&mut std::env::args_os()).unwrap_or_else(|err| cli::usage(&err))
}

fn from(words: &mut dyn Iterator<Item = OsString>) -> Result<Command, clap::Error> {
    let matches = command().try_get_matches_from(words)?;
    let (name, given) = matches.subcommand().expect("there is always one");
    let conflict = |what| Err(command().error(ErrorKind::ArgumentConflict, what));
    let addrs = given.try_get_many::<Source>("addr");
    let addrs: Vec<_> = addrs.into_iter().flatten().flatten().collect();
    if name != "chat" && addrs.len() > 1 {
        return conflict(format!("--addr takes one server in {name}"));
    }
    for (i, addr) in addrs.iter().enumerate() {
        if addrs[..i].iter().any(|other| other.is_also(addr)) {
            return conflict(format!("--addr has {} twice", addr.name));
        }
    }
    let Some(scenario) = scenario::find(name) else {
        return Command::from_arg_matches(&matches);
    };
    let is_given = |id: &&str| given.value_source(id) == Some(ValueSource::CommandLine);
    if let Some(id) = scenario.without.split_whitespace().find(is_given) {
        let what = format!("--{} means nothing in {name}", id.replace('_', "-"));
        return Err(command().error(ErrorKind::UnknownArgument, what));
    }
    let options = Options::from_arg_matches(given)?;
    if options.nodes.is_some() && !cfg!(feature = "engine") {
        return conflict("--nodes needs a build with --features engine".to_owned());
    }
    match options.outputs.take_stdout() {
        Ok(_) => Ok(Command::Measure(scenario, Box::new(options))),
        Err(wrong) => conflict(wrong.to_owned()),
    }
}

fn command() -> clap::Command {
    let subcommand = |scenario: &Scenario| {
        let mut command = Options::augment_args(clap::Command::new(scenario.name))
            .about(scenario.about)
            .after_help(format!("Examples:\n  {}", scenario.examples));
        let defaults = scenario.defaults.split(' ');
        for (id, value) in defaults.filter_map(|word| word.split_once('=')) {
            command = command.mut_arg(id, |arg| arg.required(false).default_value(value));
        }
        for id in scenario.without.split(' ') {
            command = command.mut_arg(id, |arg| arg.hide(true));
        }
        command
    };
    let command = clap::Command::new("loadtest")
        .bin_name("loadtest")
        .arg_required_else_help(true)
        .subcommand_required(true)
        .subcommands(SCENARIOS.iter().map(subcommand));
    Command::augment_subcommands(command)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn churn(line: &str) -> Options {
        match from(&mut line.split(' ').map(OsString::from)).unwrap() {
            Command::Measure(_, options) => *options,
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
        assert_eq!(options.plan.duration, Duration::from_secs(3));
        assert_eq!(options.plan.rate, Some(200.0));
        assert_eq!(options.plan.size, 64);
        let options = churn("loadtest churn -c 1,2 -d 1.5s --rate max --size 100");
        assert_eq!(options.clients, [1, 2]);
        assert_eq!(options.plan.duration, Duration::from_millis(1500));
        assert_eq!(options.plan.rate, None);
        assert_eq!(options.plan.size, 100);
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
