//! A whole run: every size, every round, every server in turn.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::lab::machine::machine;
use crate::lab::options::{Plan, Scenario, Servers};
use crate::lab::progress::Progress;
use crate::lab::results::record::{Point, Record, Round, SCHEMA};
use crate::lab::results::stats;
use crate::lab::scenario::chat;
use crate::lab::scenario::churn;
use crate::lab::scenario::echo;
use crate::lab::scenario::idle;
use crate::lab::scenario::session::Session;
use crate::lab::target::contender::{Contender, Protocol};
use crate::lab::target::process::Server;
use crate::server::shutdown::Done;

/// Who is to be measured, in the order of the command line.
///
/// # Errors
/// Our own server is not there, two have one name, or one is not on this machine.
pub fn contenders(
    servers: &Servers,
    floor: bool,
    protocol: Protocol,
) -> io::Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    match servers.addr {
        Some(addr) => contenders.push(Contender::running(addr)),
        None if !servers.no_own => contenders.push(Contender::own(protocol)?),
        None => {}
    }
    contenders.extend(servers.server.iter().cloned());
    if floor {
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
        if let (Some(addr), false) = (elsewhere, servers.remote) {
            return wrong(format!(
                "{addr} is not on this machine; if the server is yours to load, add --remote"
            ));
        }
    }
    Ok(contenders)
}

/// One run of a scenario.
#[derive(Debug)]
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub contenders: &'a [Contender],
    /// The way out.
    pub shutdown: &'a Done,
}

/// What one line of a table is about.
#[derive(Debug)]
struct Row<'a> {
    name: String,
    contender: &'a Contender,
    stalled: usize,
}

impl Run<'_> {
    /// Measures everything. What was measured before an error is in the record all the same.
    pub fn measure(&self) -> (Record, io::Result<()>) {
        let Plan {
            scenario,
            common: options,
            load,
            senders,
        } = self.plan;
        let rows = self.rows();
        let mut record = Record {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("THREADLINE_COMMIT").map(str::to_owned),
            started: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            command: std::env::args_os()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            machine: machine(),
            scenario: scenario.name().to_owned(),
            seed: load.seed,
            senders: (*senders > 0).then_some(*senders),
            size: load.size,
            rate: self.plan.rate(),
            duration: options.duration.as_secs_f64(),
            warm_up: 0.0,
            rounds: options.rounds,
            interrupted: false,
            servers: rows.iter().map(|row| row.name.clone()).collect(),
            points: Vec::new(),
            warnings: Vec::new(),
        };
        let progress = Progress::new(options.clients.len() * options.rounds * rows.len());
        let mut notes = Vec::new();
        let mut result = Ok(());
        for &clients in &options.clients {
            let mut points: Vec<Point> = rows
                .iter()
                .map(|row| Point {
                    server: row.name.clone(),
                    clients,
                    stalled: row.stalled,
                    rounds: Vec::new(),
                    failed: None,
                })
                .collect();
            result = self.sweep(&mut points, &rows, &progress, &mut notes);
            points.retain(|point| !point.rounds.is_empty());
            record.points.extend(points);
            if result.is_err() {
                break;
            }
        }
        progress.finish();
        record.warnings = stats::warnings(&record);
        record.warnings.append(&mut notes);
        if cfg!(debug_assertions) {
            record.warnings.push(
                "this is a debug build, and slow: build with `cargo build --release --bins`"
                    .to_owned(),
            );
        }
        (record, result)
    }

    /// Every server; in `slow`, its room as it is and with clients that never read.
    fn rows(&self) -> Vec<Row<'_>> {
        let stalled: &[usize] = match self.plan.scenario {
            Scenario::Slow { stalled } => &[0, stalled],
            _ => &[0],
        };
        self.contenders
            .iter()
            .flat_map(|contender| {
                stalled.iter().map(move |&stalled| Row {
                    name: match stalled {
                        0 => contender.name.clone(),
                        n => format!("{}, {n} stalled", contender.name),
                    },
                    contender,
                    stalled,
                })
            })
            .collect()
    }

    /// All rounds at one number of clients; the servers take turns, so that what changes on the
    /// machine in the meantime meets them all.
    fn sweep(
        &self,
        points: &mut [Point],
        rows: &[Row<'_>],
        progress: &Progress,
        notes: &mut Vec<String>,
    ) -> io::Result<()> {
        for nth in 0..self.plan.common.rounds {
            for (point, row) in points.iter_mut().zip(rows) {
                progress.begin(&row.name, point.clients);
                // A server of its own for each round: what one round leaves behind, or breaks, is
                // not the next one's.
                let mut server = Server::start(row.contender)?;
                let mut session = Session::new(&mut server, self.shutdown, progress);
                let seed = self.plan.load.seed.wrapping_add(nth as u64);
                let round = self.round(&mut session, point, seed)?;
                if round.connected < point.clients && nth == 0 && !server.said().is_empty() {
                    notes.push(format!("{} said{}", point.server, server.said()));
                }
                progress.end(round.lost);
                point.rounds.push(round);
            }
        }
        Ok(())
    }

    fn round(&self, session: &mut Session<'_>, point: &Point, seed: u64) -> io::Result<Round> {
        let (clients, rate) = (point.clients, self.plan.rate());
        let duration = self.plan.common.duration;
        let size = self.plan.load.size;
        match self.plan.scenario {
            Scenario::Chat | Scenario::Slow { .. } => chat::round(
                session,
                &chat::Plan {
                    clients,
                    senders: self.plan.senders,
                    stalled: point.stalled,
                    size,
                    rate,
                    duration,
                    seed,
                },
            ),
            Scenario::Echo => echo::round(
                session,
                &echo::Plan {
                    clients,
                    size,
                    rate,
                    duration,
                    seed,
                },
            ),
            Scenario::Idle => idle::round(session, clients, duration),
            Scenario::Churn => churn::round(
                session,
                &churn::Plan {
                    clients,
                    size,
                    rate,
                    duration,
                    seed,
                },
            ),
        }
    }
}
