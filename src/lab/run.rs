//! A whole run: every size, every round, every server in turn.

use std::collections::HashSet;
use std::io::{self, ErrorKind};

use crate::lab::options::Options;
use crate::lab::progress::Progress;
use crate::lab::results::record::{Failure, Point, Record, SCHEMA};
use crate::lab::results::warnings;
use crate::lab::scenario::Scenario;
use crate::lab::scenario::drive::RoundPlan;
use crate::lab::scenario::session::Session;
use crate::lab::target::contender::Contender;
use crate::lab::target::proc::{self, machine};
use crate::lab::target::process::ServerError;
use crate::server::shutdown::{Done, is_closed};

/// A run of a scenario, and what came of it.
#[derive(Debug)]
pub struct Run<'a> {
    scenario: &'a Scenario,
    options: &'a Options,
    shutdown: &'a Done,
    progress: Progress,
    pub record: Record,
    /// What went wrong, one for each server that failed.
    pub errors: Vec<io::Error>,
    /// Whether any server was started, so that there is something to report.
    pub is_result: bool,
}

/// What one line of a table is about, at one number of clients after the other.
type Row<'a> = (&'a Contender, Point);

/// Measures everything. A server that fails takes no part in what remains; Ctrl-C, which closes
/// `shutdown`, ends the round as far as it got.
pub fn measure<'a>(
    scenario: &'a Scenario,
    options: &'a Options,
    contenders: &[Contender],
    shutdown: &'a Done,
) -> Run<'a> {
    let mut clients = options.clients.clone();
    let mut seen = HashSet::new();
    clients.retain(|&clients| seen.insert(clients));
    let mut rows = rows(contenders, options.plan.stalled);
    let mut run = Run {
        scenario,
        options,
        shutdown,
        progress: Progress::new(clients.len() * options.rounds * rows.len()),
        record: Record {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("THREADLINE_COMMIT").map(str::to_owned),
            started: jiff::Timestamp::now().as_second() as u64,
            command: std::env::args_os()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            machine: machine(),
            scenario: scenario.name.to_owned(),
            seed: options.plan.seed,
            senders: options.plan.senders,
            size: options.plan.size,
            rate: options.plan.rate,
            duration: options.plan.duration.as_secs_f64(),
            warm_up: options.plan.warm_up.unwrap_or_default().as_secs_f64(),
            rounds: options.rounds,
            servers: rows.iter().map(|(_, point)| point.server.clone()).collect(),
            ..Record::default()
        },
        errors: Vec::new(),
        is_result: false,
    };
    for clients in clients {
        for (_, point) in &mut rows {
            point.clients = clients;
            point.rounds.clear();
        }
        let ended = run.sweep(&mut rows);
        let points = rows.iter().map(|(_, point)| point);
        let known = points.filter(|point| !point.rounds.is_empty() || point.failed.is_some());
        run.record.points.extend(known.cloned());
        if ended.is_err() {
            run.record.interrupted = true;
            break;
        }
    }
    run.progress.finish();
    let mut warnings = warnings::warnings(&run.record);
    warnings.append(&mut run.record.warnings);
    if cfg!(debug_assertions) {
        let slow = "this is a debug build, and slow: build with `cargo build --release --bins`";
        warnings.push(slow.to_owned());
    }
    warnings.extend(proc::NO_FIGURES.map(str::to_owned));
    run.record.warnings = warnings;
    run
}

/// Every server; in `slow`, its room as it is and with clients that never read.
fn rows(contenders: &[Contender], stalled: Option<usize>) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for contender in contenders {
        for stalled in [0].into_iter().chain(stalled) {
            let server = match stalled {
                0 => contender.name.clone(),
                n => format!("{}, {n} stalled", contender.name),
            };
            let point = Point {
                server,
                stalled,
                ..Point::default()
            };
            rows.push((contender, point));
        }
    }
    rows
}

impl Run<'_> {
    /// All rounds at one number of clients; the servers take turns, so that what changes on the
    /// machine in the meantime meets them all.
    ///
    /// # Errors
    /// Ctrl-C was pressed.
    fn sweep(&mut self, rows: &mut [Row<'_>]) -> io::Result<()> {
        for nth in 0..self.options.rounds {
            for (contender, point) in &mut *rows {
                if point.failed.is_none()
                    && let Err(err) = self.round(contender, point, nth)
                {
                    if err.kind() == ErrorKind::Interrupted {
                        return Err(err);
                    }
                    point.failed = Some(failure(&err, &contender.name, point.clients, nth));
                    self.errors.push(err);
                }
                let round = point.rounds.get(nth);
                self.progress.end(round.map_or(0, |round| round.lost));
            }
        }
        Ok(())
    }

    /// Adds a round to those of the point.
    ///
    /// # Errors
    /// The server failed, perhaps only when its clients left, or Ctrl-C was pressed (`Interrupted`).
    fn round(&mut self, contender: &Contender, point: &mut Point, nth: usize) -> io::Result<()> {
        // Pressed between two rounds, it cuts none short.
        if is_closed(self.shutdown) {
            return Err(ErrorKind::Interrupted.into());
        }
        let options = self.options;
        self.progress.begin(&point.server, point.clients);
        // Each round starts the server anew, so that nothing it leaves behind or breaks affects the next.
        let time = options.servers.start_timeout;
        let mut session = Session::start(contender, time, self.shutdown, &self.progress)?;
        self.is_result = true;
        let plan = RoundPlan {
            clients: point.clients,
            stalled: Some(point.stalled),
            seed: options.plan.seed.wrapping_add(nth as u64),
            ..options.plan.clone()
        };
        let round = (self.scenario.round)(&mut session, &plan);
        let mut notes = session.notes;
        let warnings = &mut self.record.warnings;
        let is_short = matches!(&round, Ok(round) if round.connected < point.clients);
        let said = format!("{} said: ", point.server);
        let is_known = warnings.iter().any(|known| known.starts_with(&said));
        if is_short
            && notes.is_empty()
            && !is_known
            && let Some(words) = session.server.last_words()
        {
            // Without what our own log puts before a line.
            let line = words
                .strip_prefix('[')
                .and_then(|rest| rest.split_once("] "));
            notes.push(said + line.map_or(&*words, |(_, line)| line));
        }
        notes.retain(|note| !warnings.contains(note));
        warnings.extend(notes);
        let round = round?;
        let cut_short = round.cut_short;
        point.rounds.push(round);
        match cut_short {
            true => Err(ErrorKind::Interrupted.into()),
            // It may have died when its clients left.
            false => session.server.check(),
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
