//! The load tester: what thread-per-client costs on this machine.

use std::cell::Cell;
use std::io;
use std::process::ExitCode;

use clap::Parser;
use threadline::cli;
use threadline::lab::limits;
use threadline::lab::options::{Args, Command, Limits, Options, Scenario};
use threadline::lab::report::output::Outputs;
use threadline::lab::report::table;
use threadline::lab::run::{Run, contenders};
use threadline::lab::target::contender::Protocol;
use threadline::lab::target::floor;
use threadline::server::ceilings;
use threadline::server::shutdown;

fn main() -> ExitCode {
    let args = Args::parse();
    let crossed = Cell::new(false);
    let code = cli::run(|| match args.command {
        Command::Chat(options) => measure(Scenario::Chat, options, &crossed),
        Command::Echo(options) => measure(Scenario::Echo, options, &crossed),
        Command::Idle(options) => measure(Scenario::Idle, options, &crossed),
        Command::Churn(options) => measure(Scenario::Churn, options, &crossed),
        Command::Slow { options, stalled } => {
            measure(Scenario::Slow { stalled }, options, &crossed)
        }
        Command::Limits(limits) => show_limits(&limits),
        Command::Floor { addr, echo: true } => floor::run(addr, Protocol::Echo),
        Command::Floor { addr, echo: false } => floor::run(addr, Protocol::Chat),
    });
    if crossed.get() {
        return ExitCode::from(99);
    }
    code
}

fn measure(scenario: Scenario, mut options: Options, crossed: &Cell<bool>) -> io::Result<()> {
    scenario.complete(&mut options);
    ceilings::raise_descriptor_limit()?;
    let shutdown = shutdown::on_signal()?;
    let run = Run {
        scenario,
        options: &options,
        contenders: &contenders(&options.servers, options.floor, scenario.protocol())?,
        shutdown: &shutdown,
    };
    // Opened before measuring, so that a wrong path is known at once.
    let outputs = Outputs::open(&options)?;
    let (record, result) = run.measure();
    outputs.write(&record)?;
    let mut printed = Ok(());
    if !record.points.is_empty() {
        printed = cli::print(&table::tables_of(&record));
        record
            .warnings
            .iter()
            .for_each(|warning| log::warn!("{warning}"));
    }
    result.and(printed)?;
    for threshold in &options.fail_if {
        for sentence in threshold.crossed(&record) {
            log::error!("{sentence}");
            crossed.set(true);
        }
    }
    Ok(())
}

fn show_limits(limits: &Limits) -> io::Result<()> {
    ceilings::raise_descriptor_limit()?;
    cli::print(&limits::table(
        limits.threads,
        &ceilings::ceilings(limits.threads, 1),
    ))?;
    if limits.probe {
        cli::print(&limits::probe(limits, &shutdown::on_signal()?)?.to_string())?;
    }
    Ok(())
}
