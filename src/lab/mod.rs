//! The load tester: what one OS thread per client costs on this machine.
//!
//! | folder | contents |
//! |---|---|
//! | `options` | the command line |
//! | `target` | the servers under test: started, watched, stopped, looked at in `/proc` |
//! | `load` | the generator: clients on one thread, protocol, delivery log, latency recorder |
//! | `scenario` | one file per scenario, and what a round has at hand |
//! | `run` | all sizes and rounds, the servers alternately; `limits` is a command of its own |
//! | `results` | the record, and what is calculated from it |
//! | `report` | tables, charts, the page |

mod compare;
mod limits;
mod load;
mod options;
mod progress;
pub mod report;
pub mod results;
mod run;
mod scenario;
mod target;
mod values;

use std::cell::Cell;
use std::collections::HashSet;
use std::io;
use std::process::ExitCode;

use crate::cli;
use crate::server::shutdown;
use crate::system::raise_descriptor_limit;
use options::{Command, Options, Scenario};
use report::table;
use report::verdict::{tell, verdict};
use run::{Outcome, Run};
use target::supervise;

/// Ctrl-C came before the end, as from a shell.
const INTERRUPTED: u8 = 130;

/// The program `loadtest`.
pub fn main() -> ExitCode {
    let command = options::parse().command;
    if let Command::Supervise { words } = &command {
        return supervise::run(words);
    }
    let status = Cell::new(0);
    let code = cli::run(|| {
        status.set(match command {
            Command::Chat(options) => measure(Scenario::Chat, options)?,
            Command::Echo(options) => measure(Scenario::Echo, options)?,
            Command::Idle(options) => measure(Scenario::Idle, options)?,
            Command::Churn(options) => measure(Scenario::Churn, options)?,
            Command::Slow(options) => measure(Scenario::Slow, options)?,
            Command::Compare(compare) => compare.run()?,
            Command::Limits(limits) => match limits::show(&limits) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => INTERRUPTED,
                result => return result,
            },
            Command::Serve {
                server,
                addr,
                engine,
            } => return server.run(addr, engine.as_deref()),
            Command::Supervise { .. } => unreachable!("it has been run"),
        });
        Ok(())
    });
    match status.get() {
        0 => code,
        status => ExitCode::from(status),
    }
}

/// Measures, writes everything and returns the exit status.
fn measure(scenario: Scenario, mut options: Options) -> io::Result<u8> {
    let mut seen = HashSet::new();
    options.clients.retain(|&clients| seen.insert(clients));
    let stdout_is_taken = match options.outputs.take_stdout() {
        Ok(taken) => taken,
        Err(wrong) => options::wrong_usage(wrong),
    };
    raise_descriptor_limit()?;
    let run = Run {
        scenario,
        options: &options,
        contenders: &options
            .servers
            .contenders(options.floor, scenario.protocol())?,
        shutdown: &shutdown::on_signal()?,
    };
    let outputs = match options.outputs.open(run.shutdown) {
        Err(err) if err.kind() == io::ErrorKind::Interrupted => return Ok(INTERRUPTED),
        outputs => outputs?,
    };
    let Outcome {
        record,
        errors: failed,
        is_result,
    } = run.measure();
    let mut errors = match is_result {
        true => outputs.write(&record),
        false => Vec::new(),
    };
    let (mut warnings, mut crossed): (&[String], _) = (&[], Vec::new());
    if record.points.iter().any(|point| !point.rounds.is_empty()) {
        let tables = table::text(&record);
        if stdout_is_taken {
            tell(&tables);
        } else {
            errors.extend(cli::print(&tables).err());
        }
        warnings = &record.warnings;
        let rules = options.fail_if.iter();
        crossed.extend(rules.flat_map(|rule| rule.crossed(&record, None)));
    }
    errors.extend(failed);
    Ok(match verdict(warnings, &crossed, &errors) {
        _ if record.interrupted => INTERRUPTED,
        status => status,
    })
}
