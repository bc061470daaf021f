//! A whole run: every size, every round, every server in turn.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use super::chat;
use super::contender::{Contender, Protocol};
use super::machine::machine;
use super::options::Options;
use super::progress::Progress;
use super::record::{Point, Record, Round};
use super::server::Server;
use super::session::Session;
use super::stats;
use crate::shutdown::Shutdown;

/// The version of the record's shape.
pub const SCHEMA: u32 = 1;

/// Who is to be measured, in the order of the command line.
///
/// # Errors
/// Our own server is not there, two have one name, or one is not on this machine.
pub fn contenders(options: &Options, protocol: Protocol) -> io::Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    match options.addr {
        Some(addr) => contenders.push(Contender::running(addr)),
        None if !options.no_own => contenders.push(Contender::own(protocol)?),
        None => {}
    }
    contenders.extend(options.server.iter().cloned());
    if options.floor {
        contenders.push(Contender::floor(protocol)?);
    }
    let wrong = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    if contenders.is_empty() {
        return wrong("nothing to measure: --no-own needs --server or --floor".to_owned());
    }
    for (i, contender) in contenders.iter().enumerate() {
        let name = &contender.name;
        if contenders[..i].iter().any(|other| other.name == *name) {
            return wrong(format!(
                "two servers are called {name}: give each --server a name of its own"
            ));
        }
        let elsewhere = contender
            .fixed_addr()
            .filter(|addr| !addr.ip().is_loopback());
        if let (Some(addr), false) = (elsewhere, options.remote) {
            return wrong(format!(
                "{addr} is not on this machine; if the server is yours to load, add --remote"
            ));
        }
    }
    Ok(contenders)
}

/// Measures everything. What was measured before an error is in the record all the same.
pub fn run(
    options: &Options,
    contenders: &[Contender],
    shutdown: &Shutdown,
) -> (Record, io::Result<()>) {
    let mut record = Record {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("THREADLINE_COMMIT").map(str::to_owned),
        started: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()),
        command: std::env::args().collect(),
        machine: machine(),
        scenario: "chat".to_owned(),
        seed: options.seed,
        senders: Some(options.senders),
        size: options.size,
        rate: options.rate,
        duration: options.duration.unwrap_or_default().as_secs_f64(),
        servers: contenders
            .iter()
            .map(|contender| contender.name.clone())
            .collect(),
        points: Vec::new(),
        warnings: Vec::new(),
    };
    let progress = Progress::new(options.clients.len() * options.rounds * contenders.len());
    let result = measure(&mut record, options, contenders, shutdown, &progress);
    progress.finish();
    record.points.retain(|point| !point.rounds.is_empty());
    record.warnings = stats::warnings(&record);
    (record, result)
}

fn measure(
    record: &mut Record,
    options: &Options,
    contenders: &[Contender],
    shutdown: &Shutdown,
    progress: &Progress,
) -> io::Result<()> {
    for &clients in &options.clients {
        let first = record.points.len();
        record
            .points
            .extend(contenders.iter().map(|contender| Point {
                server: contender.name.clone(),
                clients,
                ..Point::default()
            }));
        for nth in 0..options.rounds {
            for (contender, point) in contenders.iter().zip(&mut record.points[first..]) {
                progress.begin(&contender.name, clients);
                // A server of its own for each round: what one round leaves behind, or breaks,
                // is not the next one's.
                let mut server = Server::start(contender)?;
                let mut session = Session::new(&mut server, shutdown, progress);
                let seed = options.seed.wrapping_add(nth as u64);
                let round = round(&mut session, options, clients, seed)?;
                progress.end(round.lost);
                point.rounds.push(round);
            }
        }
    }
    Ok(())
}

fn round(
    session: &mut Session<'_>,
    options: &Options,
    clients: usize,
    seed: u64,
) -> io::Result<Round> {
    chat::round(
        session,
        &chat::Plan {
            clients,
            senders: options.senders,
            stalled: 0,
            size: options.size,
            rate: options.rate,
            duration: options.duration.unwrap_or_default(),
            seed,
        },
    )
}
