//! The load tester: what thread-per-client costs on this machine.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use threadline::lab::contender::Protocol;
use threadline::lab::options::{Args, Options, Scenario};
use threadline::lab::{floor, run, table};
use threadline::{ceilings, cli, fmt, shutdown};

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(|| match args.scenario {
        Scenario::Chat(options) => measure(options),
        Scenario::Floor { addr, echo } => {
            floor::run(addr, if echo { Protocol::Echo } else { Protocol::Chat })
        }
    })
}

fn measure(mut options: Options) -> io::Result<()> {
    ceilings::raise_descriptor_limit()?;
    let shutdown = shutdown::on_signal()?;
    if options.clients.is_empty() {
        options.clients = vec![10, 100, 1000];
    }
    options
        .duration
        .get_or_insert(std::time::Duration::from_secs(2));
    let contenders = run::contenders(&options, Protocol::Chat)?;
    let json = options.json.as_ref().map(File::create).transpose()?;
    let (record, result) = run::run(&options, &contenders, &shutdown);
    fmt::print(table::tables_of(&record))?;
    for warning in &record.warnings {
        log::warn!("{warning}");
    }
    if let Some(mut json) = json {
        serde_json::to_writer_pretty(&mut json, &record)?;
        json.write_all(b"\n")?;
    }
    result
}
