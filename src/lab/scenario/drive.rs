//! The loop that drives every scenario: sends what is due, hands out what comes, and ends when all has
//! come or is given up.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::time::Duration;

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::message::{Format, LONGEST, MEASURED, SENDERS, SHORTEST, WARM_UP};
use crate::lab::load::recorder::Recorder;
use crate::lab::results::record::Round;
use crate::lab::scenario::login::{TURN, nobody_left};
use crate::lab::scenario::session::Session;
use crate::lab::values::{Rate, duration, positive, rate, within};

/// What a round is to do. Options without a default here have one in the scenarios that they mean
/// something in.
#[derive(Clone, Debug, clap::Args)]
pub struct RoundPlan {
    /// Clients; in `churn` the most at one time.
    #[arg(skip)]
    pub clients: usize,

    /// Duration of each round, such as 500ms, 1.5s or 1m
    #[arg(short, long, value_parser = duration)]
    pub duration: Duration,

    /// Load before the measurement starts; nothing of it is in any figure
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub warm_up: Option<Duration>,

    /// Number of clients that send (all, if there are fewer)
    #[arg(long, value_name = "N", value_parser = within(1, SENDERS))]
    pub senders: Option<usize>,

    /// Clients that never read
    #[arg(long, value_name = "N", value_parser = positive())]
    pub stalled: Option<usize>,

    /// Bytes per message, with its newline
    // A message holds its number, and the room passes on no more in one piece.
    #[arg(long, value_name = "BYTES", default_value = "64", value_parser = within(SHORTEST, LONGEST))]
    pub size: usize,

    /// Messages (requests, visits) per second over all clients, at even times: latency counts from
    /// those times, even if a message had to wait. `max` sends the next when the last has come back
    #[arg(long, value_name = "N|max", default_value = "max", value_parser = rate)]
    pub rate: Rate,

    /// Random seed for choosing senders and message contents
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}

/// What a scenario does with its clients.
pub trait Load {
    /// Starts anew, with messages of this format.
    fn begin(&mut self, format: Format, clients: &mut Clients);

    /// Messages `due` have become due; in a closed loop all are from the start. Returns whether to go on
    /// without waiting.
    fn send(&mut self, due: Range<u64>, clients: &mut Clients, rec: &mut Recorder) -> bool;

    /// Something happened to a client.
    fn handle(&mut self, number: usize, client: &mut Client, event: Event<'_>, rec: &mut Recorder);

    /// What was sent and may still come.
    fn outstanding(&self) -> u64;

    /// Whether the round is over if no client is in.
    fn needs_clients(&self) -> bool {
        true
    }

    /// Nothing more comes: counts what was sent, and what never came.
    fn finish(&mut self, clients: &Clients, rec: &mut Recorder);
}

/// Warms up and measures.
///
/// # Errors
/// As for [`Session::tick`], or all clients are gone. Ctrl-C is no error while the round is measured: it
/// cuts it short.
pub fn measure(
    load: &mut impl Load,
    session: &mut Session<'_>,
    plan: &RoundPlan,
) -> io::Result<Round> {
    if let Some(warm_up) = plan.warm_up
        && drive(load, session, plan, WARM_UP, warm_up)?.cut_short
    {
        return Err(ErrorKind::Interrupted.into());
    }
    session.begin();
    let round = drive(load, session, plan, MEASURED, plan.duration)?;
    session.end();
    Ok(round)
}

fn drive(
    load: &mut impl Load,
    session: &mut Session<'_>,
    plan: &RoundPlan,
    mark: u8,
    duration: Duration,
) -> io::Result<Round> {
    let format = Format::new(mark, plan.size, plan.seed);
    load.begin(format, &mut session.clients);
    let mut rec = Recorder::start(plan.rate, duration);
    rec.counts.connected = session.clients.inside;
    let mut sent = 0;
    loop {
        let clients = &mut session.clients;
        let now = rec.now();
        let due = rec.schedule.due_until(now).unwrap_or(u64::MAX);
        let at_once = load.send(sent..due, clients, &mut rec);
        sent = due;
        let timeout = match rec.schedule.at(due) {
            _ if at_once => Duration::ZERO,
            Some(at) => Duration::from_nanos(at.saturating_sub(now)).min(TURN),
            None => TURN,
        };
        clients.poll(Some(timeout), |number, client, event| {
            load.handle(number, client, event, &mut rec);
        })?;
        let now = rec.now();
        match session.tick(rec.instant(now), rec.counts.deliveries) {
            Err(err) if err.kind() == ErrorKind::Interrupted => rec.cut_short(now),
            result => result?,
        }
        if session.clients.inside == 0 && load.needs_clients() && !session.is_interrupted() {
            return Err(nobody_left(session));
        }
        let outstanding = load.outstanding();
        if outstanding > 0 {
            rec.still_waiting(now);
        }
        // What was due at the last moment is still to be sent.
        let all_sent = rec.schedule.due_until(now).is_none_or(|due| due <= sent);
        if !rec.schedule.is_sending(now) && (outstanding == 0 && all_sent || rec.is_over(now)) {
            rec.counts.dropped = session.clients.dropped;
            load.finish(&session.clients, &mut rec);
            return Ok(rec.round(now));
        }
    }
}
