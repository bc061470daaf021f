//! The loop that drives every scenario: sends what is due, hands out what comes, and ends when all has
//! come or is given up.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::time::Duration;

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::message::{MEASURED, WARM_UP};
use crate::lab::load::recorder::Recorder;
use crate::lab::results::record::Round;
use crate::lab::scenario::login::TURN;
use crate::lab::scenario::session::Session;

/// What a round is to do.
#[derive(Clone, Debug)]
pub struct RoundPlan {
    /// Clients; in `churn` the most at one time.
    pub clients: usize,
    /// How many of them send, in the chat.
    pub senders: usize,
    /// Clients beside them that never read.
    pub stalled: usize,
    /// Bytes of a message.
    pub size: usize,
    /// Messages per second over all clients; none is a closed loop.
    pub rate: Option<f64>,
    /// How long messages are sent.
    pub duration: Duration,
    /// How long they are sent before that, for nothing.
    pub warm_up: Duration,
    /// Chooses the senders and the letters.
    pub seed: u64,
}

/// What a scenario does with its clients.
pub trait Load {
    /// Starts anew, with messages that begin with `mark`.
    fn begin(&mut self, mark: u8, clients: &mut Clients);

    /// How many take turns in sending.
    fn turns(&self) -> usize;

    /// Messages `due` have become due. Returns whether to go on without waiting.
    ///
    /// # Errors
    /// No connection can be made.
    fn send(
        &mut self,
        due: Range<u64>,
        clients: &mut Clients,
        recorder: &mut Recorder,
    ) -> io::Result<bool>;

    /// Something happened to a client.
    ///
    /// # Errors
    /// As for [`Client::addr`].
    fn handle(
        &mut self,
        number: usize,
        client: &mut Client,
        event: Event<'_>,
        recorder: &mut Recorder,
    ) -> io::Result<()>;

    /// What was sent and may still come.
    fn outstanding(&self) -> u64;

    /// Clients that are in.
    fn present(&self) -> usize;

    /// Nothing more comes: counts what was sent, and what never came.
    fn finish(&mut self, recorder: &mut Recorder);
}

/// Warms up and measures.
///
/// # Errors
/// As for [`Session::tick`]. Ctrl-C is none while the round is measured: it cuts it short.
pub fn measure(
    load: &mut impl Load,
    clients: &mut Clients,
    session: &mut Session<'_>,
    plan: &RoundPlan,
) -> io::Result<Round> {
    if !plan.warm_up.is_zero() {
        load.begin(WARM_UP, clients);
        let warm_up = drive(load, clients, session, plan.rate, plan.warm_up)?;
        if warm_up.cut_short {
            return Err(ErrorKind::Interrupted.into());
        }
    }
    load.begin(MEASURED, clients);
    session.begin();
    let round = drive(load, clients, session, plan.rate, plan.duration)?;
    session.end(load.present());
    Ok(round)
}

fn drive(
    load: &mut impl Load,
    clients: &mut Clients,
    session: &mut Session<'_>,
    rate: Option<f64>,
    duration: Duration,
) -> io::Result<Round> {
    let mut recorder = Recorder::start(rate, duration);
    let mut sent = 0;
    loop {
        let now = recorder.now();
        let due = match recorder.schedule() {
            Some(schedule) => schedule.due(now),
            None => load.turns() as u64,
        };
        let at_once = load.send(sent..due, clients, &mut recorder)?;
        sent = due;
        if let Some(schedule) = recorder.schedule()
            && let Some(delay) = schedule.wait(now, due)
        {
            clients.wake_in(delay)?;
        }
        let timeout = if at_once { Duration::ZERO } else { TURN };
        clients.poll(Some(timeout), |number, client, event| {
            load.handle(number, client, event, &mut recorder)
        })?;
        let now = recorder.now();
        let deliveries = recorder.counts.deliveries;
        match session.tick(recorder.instant(now), load.present(), deliveries) {
            Err(err) if err.kind() == ErrorKind::Interrupted => recorder.cut_short(now),
            result => result?,
        }
        let outstanding = load.outstanding();
        if outstanding > 0 {
            recorder.still_waiting(now);
        }
        // What was due at the last moment is still to be sent.
        let all_sent = recorder.schedule().is_none_or(|all| all.due(now) <= sent);
        if !recorder.is_sending(now) && (outstanding == 0 && all_sent || recorder.is_over(now)) {
            load.finish(&mut recorder);
            return Ok(recorder.round(now));
        }
    }
}
