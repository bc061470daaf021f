//! Scenario `churn`: visitors come, say one thing, hear it, and leave; what stays behind?

use std::io;
use std::ops::Range;

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::message::{Format, MEASURED};
use crate::lab::load::protocol::{self, Lines};
use crate::lab::load::recorder::Recorder;
use crate::lab::results::record::Round;
use crate::lab::scenario::drive::{Load, RoundPlan, measure};
use crate::lab::scenario::login::generator_itself;
use crate::lab::scenario::session::Session;

struct Churn<'a> {
    plan: &'a RoundPlan,
    format: Format,
    /// By number of the client.
    visits: Vec<Visit>,
    /// Numbers of clients that are away.
    free: Vec<usize>,
    /// Clients that left in this turn, and may come again in the next.
    leaving: Vec<usize>,
    /// Visits that were due.
    due: u64,
    begun: u64,
    ended: u64,
    inside: usize,
    most_inside: usize,
    dropped: u64,
    /// The most clients at one time, and why they are fewer than asked for.
    places: usize,
    refusal: Option<io::Error>,
    message: Vec<u8>,
}

/// One visitor.
#[derive(Debug, Default)]
struct Visit {
    /// When it was to come.
    at: u64,
    number: u32,
    lines: Lines,
    login: Vec<u8>,
    prefix: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    Away,
    Coming,
    Inside,
}

/// Drives one round.
///
/// # Errors
/// No visitor gets through, the server dies, or Ctrl-C came before the measurement.
pub fn round(session: &mut Session<'_>, plan: &RoundPlan) -> io::Result<Round> {
    let mut clients = Clients::new(session.addr())?;
    let mut load = Churn {
        plan,
        format: Format::new(MEASURED, plan.size, plan.seed),
        visits: Vec::new(),
        free: Vec::new(),
        leaving: Vec::new(),
        due: 0,
        begun: 0,
        ended: 0,
        inside: 0,
        most_inside: 0,
        dropped: 0,
        places: plan.clients,
        refusal: None,
        message: Vec::new(),
    };
    session.watch_peak();
    let round = measure(&mut load, &mut clients, session, plan)?;
    drop(clients);
    session.notes.extend(load.refusal.map(generator_itself));
    if round.deliveries == 0 && !round.cut_short {
        return Err(session.error("let no visitor hear itself (does it speak the chat protocol?)"));
    }
    session.finish(round)
}

impl Churn<'_> {
    fn read(&mut self, number: usize, client: &mut Client, bytes: &[u8], recorder: &mut Recorder) {
        let now = recorder.now();
        let mut said = None;
        let visit = &mut self.visits[number];
        let (format, message) = (&self.format, &mut self.message);
        visit.lines.cut(bytes, |line| match visit.state {
            State::Coming if line == visit.login => {
                visit.state = State::Inside;
                self.inside += 1;
                self.most_inside = self.most_inside.max(self.inside);
                format.write(number as u32, visit.number, message);
                client.send(message);
            }
            // Another of this address may have been there before: it is the number that counts.
            State::Inside => match format.read(line) {
                Some((prefix, sender, nth, is_whole))
                    if (sender, nth) == (number as u32, visit.number) =>
                {
                    said.get_or_insert(is_whole && prefix == visit.prefix);
                }
                _ => {}
            },
            _ => {}
        });
        let at = visit.at;
        match said {
            Some(true) => recorder.record(now, at),
            Some(false) => {
                recorder.counts.damaged += 1;
                recorder.lose(at, 1);
            }
            None => return,
        }
        recorder.delivered(now, u64::from(said == Some(true)));
        client.close();
        self.leave(number);
    }

    fn leave(&mut self, number: usize) {
        let visit = &mut self.visits[number];
        self.inside -= usize::from(visit.state == State::Inside);
        visit.state = State::Away;
        self.leaving.push(number);
        self.ended += 1;
    }
}

impl Load for Churn<'_> {
    fn begin(&mut self, mark: u8, clients: &mut Clients) {
        self.format = Format::new(mark, self.plan.size, self.plan.seed);
        clients.all().iter_mut().for_each(Client::close);
        self.visits
            .iter_mut()
            .for_each(|visit| visit.state = State::Away);
        self.free = (0..self.visits.len()).collect();
        self.leaving.clear();
        (self.due, self.begun, self.ended) = (0, 0, 0);
        (self.inside, self.most_inside) = (0, 0);
    }

    /// The most at one time: in a closed loop, whoever leaves is followed by the next at once.
    fn turns(&self) -> usize {
        self.plan.clients
    }

    fn send(
        &mut self,
        due: Range<u64>,
        clients: &mut Clients,
        recorder: &mut Recorder,
    ) -> io::Result<bool> {
        let now = recorder.now();
        let was_idle = self.outstanding() == 0;
        self.free.append(&mut self.leaving);
        if recorder.schedule().is_some() {
            self.due = due.end;
        } else if recorder.is_sending(now) {
            self.due = self.ended + self.places as u64;
        }
        while self.begun < self.due {
            let number = match self.free.pop() {
                Some(number) => {
                    clients.reconnect(number)?;
                    number
                }
                None if self.visits.len() < self.places => match clients.connect() {
                    Ok(number) => {
                        self.visits.push(Visit::default());
                        number
                    }
                    Err(err) if self.visits.is_empty() => return Err(err),
                    // No descriptor, no port: it goes on with those there are.
                    Err(err) => {
                        self.places = self.visits.len();
                        self.refusal = Some(err);
                        break;
                    }
                },
                None => break,
            };
            let at = recorder.due(now, self.begun, 0, 1).unwrap_or(now);
            if was_idle && self.begun == self.ended {
                recorder.awake(at);
            }
            self.begun += 1;
            self.visits[number] = Visit {
                at,
                number: self.visits[number].number + 1,
                state: State::Coming,
                ..Visit::default()
            };
        }
        Ok(false)
    }

    fn handle(
        &mut self,
        number: usize,
        client: &mut Client,
        event: Event<'_>,
        recorder: &mut Recorder,
    ) -> io::Result<()> {
        let visit = &mut self.visits[number];
        match event {
            Event::Connected => {
                let addr = client.addr()?;
                visit.login = protocol::login(addr);
                visit.prefix = protocol::prefix(addr);
            }
            Event::Bytes(bytes) => self.read(number, client, bytes, recorder),
            Event::Closed if visit.state != State::Away => {
                recorder.lose(visit.at, 1);
                self.dropped += 1;
                self.leave(number);
            }
            Event::Closed | Event::Writable => {}
        }
        Ok(())
    }

    /// Those who wait for a place as well.
    fn outstanding(&self) -> u64 {
        self.due - self.ended
    }

    fn present(&self) -> usize {
        self.inside
    }

    fn finish(&mut self, recorder: &mut Recorder) {
        for visit in &self.visits {
            if visit.state != State::Away {
                recorder.lose(visit.at, 1);
            }
        }
        recorder.counts.messages = self.begun;
        recorder.never_sent(self.begun, 0, 1, 1);
        recorder.counts.connected = match self.dropped {
            0 => self.places,
            _ => self.most_inside,
        };
        recorder.counts.dropped = self.dropped;
    }
}
