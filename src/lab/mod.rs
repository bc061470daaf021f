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

use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::cli;
use crate::server::shutdown;
use crate::system::raise_descriptor_limit;
use compare::Comparison;
use options::{Command, Plan, Scenario};
use report::table;
use run::{Outcome, Run, contenders};
use target::supervise;

/// A `--fail-if` was crossed.
const CROSSED: u8 = 99;

/// Ctrl-C came before the end, as from a shell.
const INTERRUPTED: u8 = 130;

/// The program `loadtest`.
pub fn main() -> ExitCode {
    let args = options::parse();
    if let Command::Supervise { words } = &args.command {
        return supervise::run(words);
    }
    let status = Cell::new(0);
    let code = cli::run(|| {
        let plan = match args.command {
            Command::Chat {
                common,
                load,
                senders,
            } => Plan::new(Scenario::Chat, common, Some(load), Some(senders)),
            Command::Echo { common, load } => Plan::new(Scenario::Echo, common, Some(load), None),
            Command::Idle { common } => Plan::new(Scenario::Idle, common, None, None),
            Command::Churn { common, load } => Plan::new(Scenario::Churn, common, Some(load), None),
            Command::Slow {
                common,
                load,
                senders,
                stalled,
            } => Plan::new(
                Scenario::Slow { stalled },
                common,
                Some(load),
                Some(senders),
            ),
            Command::Limits(limits) => return limits::show(&limits),
            Command::Serve { server, addr } => return server.run(addr),
            Command::Supervise { .. } => unreachable!("it has been run"),
            Command::Compare(compare) => {
                let Comparison {
                    tables,
                    warnings,
                    crossed,
                } = compare.run()?;
                cli::print(&tables)?;
                status.set(judge(&warnings, &crossed, &[]));
                return Ok(());
            }
        };
        status.set(measure(&plan)?);
        Ok(())
    });
    match status.get() {
        0 => code,
        status => ExitCode::from(status),
    }
}

/// Measures, writes everything and returns the exit status.
fn measure(plan: &Plan) -> io::Result<u8> {
    let common = &plan.common;
    let stdout_is_taken = match common.outputs.take_stdout() {
        Ok(taken) => taken,
        Err(wrong) => options::wrong_usage(wrong),
    };
    raise_descriptor_limit()?;
    let run = Run {
        plan,
        contenders: &contenders(&common.servers, common.floor, plan.scenario.protocol())?,
        shutdown: &shutdown::on_signal()?,
    };
    let outputs = common.outputs.open()?;
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
        let rules = common.fail_if.iter();
        crossed.extend(rules.flat_map(|rule| rule.crossed(&record, None)));
    }
    errors.extend(failed);
    Ok(match judge(warnings, &crossed, &errors) {
        _ if record.interrupted => INTERRUPTED,
        status => status,
    })
}

/// Tells what is wrong, and returns the exit status.
fn judge(warnings: &[String], crossed: &[String], errors: &[io::Error]) -> u8 {
    let warnings = warnings.iter();
    warnings.for_each(|warning| tell(format_args!("warning: {warning}\n")));
    let crossings = crossed.iter();
    crossings.for_each(|rule| tell(format_args!("error: {rule}\n")));
    errors
        .iter()
        .for_each(|err| tell(format_args!("error: {err}\n")));
    match (errors.is_empty(), crossed.is_empty()) {
        (false, _) => 1,
        (true, false) => CROSSED,
        (true, true) => 0,
    }
}

/// Prints on standard error. Where nobody can be told, the exit status remains.
fn tell(what: impl Display) {
    let _ = write!(io::stderr(), "{what}");
}
