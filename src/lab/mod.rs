//! The load tester: what one OS thread per client costs on this machine.
//!
//! | folder | contents |
//! |---|---|
//! | `options` | the command line |
//! | `target` | the servers under test: started, watched, stopped, looked at in `/proc` |
//! | `load` | the generator: clients on one thread, protocol, delivery log, latency recorder |
//! | `scenario` | the scenarios, one file per kind of load, and what a round has at hand |
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

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use crate::cli;
use crate::server::shutdown;
use crate::system::raise_descriptor_limit;
use options::{Command, Options};
use report::table;
use report::verdict::{tell, verdict};
use scenario::Scenario;
use target::supervise;

/// Ctrl-C came before the end, as from a shell.
const INTERRUPTED: u8 = 130;

/// The program `loadtest`.
pub fn main() -> ExitCode {
    let command = options::parse();
    let mut status = 0;
    let code = cli::run(|| {
        let result = match command {
            Command::Measure(scenario, options) => measure(scenario, &options),
            Command::Compare(compare) => compare.run(),
            Command::Limits(limits) => limits::show(&limits),
            Command::Serve(server) => server.run().map(|()| 0),
            Command::Supervise { words } => supervise::run(&words).map(|()| 0),
        };
        status = match result {
            Err(err) if err.kind() == ErrorKind::Interrupted => INTERRUPTED,
            result => result?,
        };
        Ok(())
    });
    match status {
        0 => code,
        status => status.into(),
    }
}

/// Measures, writes everything and returns the exit status.
///
/// # Errors
/// Nothing can be measured or written, or Ctrl-C was pressed (`Interrupted`).
fn measure(scenario: &Scenario, options: &Options) -> io::Result<u8> {
    raise_descriptor_limit()?;
    let servers = &options.servers;
    let contenders = servers.contenders(options.nodes, options.floor, scenario.protocol)?;
    let shutdown = shutdown::on_signal()?;
    let files = options.outputs.open(&shutdown)?;
    let run = run::measure(scenario, options, &contenders, &shutdown);
    let record = &run.record;
    let mut errors = match run.is_result {
        true => options.outputs.write(files, record),
        false => Vec::new(),
    };
    let (mut warnings, mut crossed): (&[String], _) = (&[], Vec::new());
    if record.points.iter().any(|point| !point.rounds.is_empty()) {
        let tables = table::text(record);
        match options.outputs.take_stdout() {
            Ok(true) => tell(&tables),
            _ => errors.extend(cli::print(&tables).err()),
        }
        warnings = &record.warnings;
        let rules = options.fail_if.iter();
        crossed.extend(rules.flat_map(|rule| rule.crossed(record, None)));
    }
    errors.extend(run.errors);
    let status = verdict(warnings, &crossed, &errors);
    match record.interrupted {
        true => Err(ErrorKind::Interrupted.into()),
        false => Ok(status),
    }
}
