//! A whole run: every size, every round, every server in turn.

use std::io::{self, ErrorKind};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::lab::options::{Options, Scenario};
use crate::lab::progress::Progress;
use crate::lab::results::record::{Failure, Point, Record, Round, SCHEMA};
use crate::lab::results::warnings;
use crate::lab::scenario::drive::RoundPlan;
use crate::lab::scenario::session::Session;
use crate::lab::scenario::{chat, churn, echo};
use crate::lab::target::contender::Contender;
use crate::lab::target::proc::{self, machine};
use crate::lab::target::process::ServerError;
use crate::lab::target::site::Site;
use crate::server::shutdown::{Done, is_closed};

/// One run of a scenario.
#[derive(Debug)]
pub struct Run<'a> {
    pub scenario: Scenario,
    pub options: &'a Options,
    pub contenders: &'a [Contender],
    /// Closed by Ctrl-C.
    pub shutdown: &'a Done,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub record: Record,
    /// What went wrong, one for each server that failed.
    pub errors: Vec<io::Error>,
    /// Whether any server was started, so that there is something to report.
    pub is_result: bool,
}

/// What one line of a table is about.
#[derive(Debug)]
struct Row<'a> {
    name: String,
    contender: &'a Contender,
    stalled: usize,
    failed: Option<Failure>,
}

impl Run<'_> {
    /// Measures everything. A server that fails takes no part in what remains; Ctrl-C ends the round
    /// as far as it got.
    pub fn measure(&self) -> Outcome {
        let (scenario, options) = (self.scenario, self.options);
        let mut rows = self.rows();
        let mut outcome = Outcome {
            record: Record {
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
                seed: options.seed,
                senders: matches!(scenario, Scenario::Chat | Scenario::Slow)
                    .then_some(options.senders),
                size: options.size,
                rate: options.rate,
                duration: options.duration.as_secs_f64(),
                warm_up: options.warm_up.unwrap_or_default().as_secs_f64(),
                rounds: options.rounds,
                interrupted: false,
                servers: rows.iter().map(|row| row.name.clone()).collect(),
                points: Vec::new(),
                warnings: Vec::new(),
            },
            errors: Vec::new(),
            is_result: false,
        };
        let progress = Progress::new(options.clients.len() * options.rounds * rows.len());
        for &clients in &options.clients {
            let points = self.sweep(clients, &mut rows, &progress, &mut outcome);
            let is_known = |point: &Point| !point.rounds.is_empty() || point.failed.is_some();
            (outcome.record.points).extend(points.into_iter().filter(is_known));
        }
        progress.finish();
        let notes = std::mem::take(&mut outcome.record.warnings);
        outcome.record.warnings = warnings::warnings(&outcome.record);
        outcome.record.warnings.extend(notes);
        if cfg!(debug_assertions) {
            outcome.record.warnings.push(
                "this is a debug build, and slow: build with `cargo build --release --bins`"
                    .to_owned(),
            );
        }
        let no_figures = proc::NO_FIGURES.map(str::to_owned);
        outcome.record.warnings.extend(no_figures);
        outcome
    }

    /// Every server; in `slow`, its room as it is and with clients that never read.
    fn rows(&self) -> Vec<Row<'_>> {
        let stalled: &[usize] = match self.scenario {
            Scenario::Slow => &[0, self.options.stalled],
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
                    failed: None,
                })
            })
            .collect()
    }

    /// All rounds at one number of clients; the servers take turns, so that what changes on the
    /// machine in the meantime meets them all.
    fn sweep(
        &self,
        clients: usize,
        rows: &mut [Row<'_>],
        progress: &Progress,
        outcome: &mut Outcome,
    ) -> Vec<Point> {
        let mut rounds: Vec<Vec<Round>> = rows.iter().map(|_| Vec::new()).collect();
        'rounds: for nth in 0..self.options.rounds {
            for (row, rounds) in rows.iter_mut().zip(&mut rounds) {
                if row.failed.is_some() {
                    progress.end(0);
                    continue;
                }
                // Pressed between two rounds, it cuts none short.
                let (round, failed) = match is_closed(self.shutdown) {
                    true => (None, Some(ErrorKind::Interrupted.into())),
                    false => self.round(row, clients, nth, progress, outcome),
                };
                progress.end(round.as_ref().map_or(0, |round| round.lost));
                rounds.extend(round);
                match failed {
                    Some(err) if err.kind() == ErrorKind::Interrupted => {
                        outcome.record.interrupted = true;
                        break 'rounds;
                    }
                    Some(err) => {
                        row.failed = Some(failure(&err, &row.contender.name, clients, nth));
                        outcome.errors.push(err);
                    }
                    None => {}
                }
            }
        }
        let points = rows.iter().zip(rounds).map(|(row, rounds)| Point {
            server: row.name.clone(),
            clients,
            stalled: row.stalled,
            rounds,
            failed: row.failed.clone(),
        });
        points.collect()
    }

    /// What was measured, and what went wrong: a server may die when its clients leave.
    fn round(
        &self,
        row: &Row<'_>,
        clients: usize,
        nth: usize,
        progress: &Progress,
        outcome: &mut Outcome,
    ) -> (Option<Round>, Option<io::Error>) {
        let options = self.options;
        progress.begin(&row.name, clients);
        // Each round starts the server anew, so that nothing it leaves behind or breaks affects the next.
        let start = Site::start(row.contender, options.servers.start_timeout, self.shutdown);
        let mut server = match start {
            Ok(server) => server,
            Err(err) => return (None, Some(err)),
        };
        outcome.is_result = true;
        let mut session = Session::new(&mut server, self.shutdown, progress);
        let plan = RoundPlan {
            clients,
            senders: match self.scenario {
                Scenario::Idle => 0,
                _ => options.senders,
            },
            stalled: row.stalled,
            size: options.size,
            rate: options.rate,
            duration: options.duration,
            warm_up: options.warm_up.unwrap_or_default(),
            seed: options.seed.wrapping_add(nth as u64),
        };
        let round = match self.scenario {
            Scenario::Echo => echo::round(&mut session, &plan),
            Scenario::Churn => churn::round(&mut session, &plan),
            Scenario::Chat | Scenario::Slow | Scenario::Idle => chat::round(&mut session, &plan),
        };
        let (mut notes, died) = (std::mem::take(&mut session.notes), session.died.take());
        let few = matches!(&round, Ok(round) if round.connected < clients);
        if few && notes.is_empty() {
            let said = format!("{} said", row.name);
            let is_known = |warning: &String| warning.starts_with(&said);
            if let (Some(words), false) = (
                server.last_words(),
                outcome.record.warnings.iter().any(is_known),
            ) {
                // Without what our own log puts before a line.
                let line = words
                    .split_once("] ")
                    .filter(|(log, _)| log.starts_with('['));
                notes.push(format!(
                    "{said}: {}",
                    line.map_or(words.as_str(), |(_, line)| line)
                ));
            }
        }
        for note in notes {
            if !outcome.record.warnings.contains(&note) {
                outcome.record.warnings.push(note);
            }
        }
        match round {
            Ok(round) if round.cut_short => (Some(round), Some(ErrorKind::Interrupted.into())),
            Ok(round) => (Some(round), died),
            Err(err) => (None, Some(err)),
        }
    }
}

fn failure(err: &io::Error, name: &str, clients: usize, nth: usize) -> Failure {
    let known = err
        .get_ref()
        .and_then(|err| err.downcast_ref::<ServerError>());
    Failure {
        clients,
        round: nth + 1,
        what: match known {
            Some(known) if known.server == name => known.what.clone(),
            // One of several servers.
            Some(known) => format!("{} {}", known.server, known.what),
            None => err.to_string(),
        },
        last_words: known.and_then(|known| known.last_words.clone()),
    }
}
