//! Scenario `churn`: each visitor connects, sends one message, receives it, and leaves. What is left behind?

use std::io;
use std::ops::Range;

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::message::Format;
use crate::lab::load::protocol::{self, Lines};
use crate::lab::load::recorder::Recorder;
use crate::lab::results::record::Round;
use crate::lab::scenario::drive::{Load, RoundPlan, measure};
use crate::lab::scenario::login::generator_itself;
use crate::lab::scenario::session::Session;

#[derive(Default)]
struct Churn {
    format: Format,
    /// By number of the client.
    visits: Vec<Visit>,
    /// Numbers of clients that are away.
    free: Vec<usize>,
    /// Clients that left in this turn, and may come again in the next.
    leaving: Vec<usize>,
    /// The most clients at one time, and why they are fewer than asked for.
    places: usize,
    refusal: Option<io::Error>,
    /// Visits that were due.
    due: u64,
    begun: u64,
    ended: u64,
    inside: usize,
    most_inside: usize,
    dropped: u64,
    message: Vec<u8>,
}

/// One visitor.
#[derive(Default)]
struct Visit {
    /// When it was to come.
    at: u64,
    number: u32,
    lines: Lines,
    login: Vec<u8>,
    prefix: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Default, PartialEq)]
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
    let mut clients = Clients::new(session.addrs())?;
    let mut load = Churn {
        places: plan.clients,
        ..Churn::default()
    };
    session.watch_peak();
    let round = measure(&mut load, &mut clients, session, plan)?;
    drop(clients);
    let got_through = round.deliveries > 0 || round.cut_short;
    match load.refusal {
        Some(err) if !got_through => return Err(err),
        refusal => session.notes.extend(refusal.map(generator_itself)),
    }
    match got_through {
        true => Ok(session.finish(round)),
        false => {
            Err(session.error("let no visitor hear itself (does it speak the chat protocol?)"))
        }
    }
}

impl Churn {
    /// Connects another visitor, if one has a place.
    fn connect(&mut self, clients: &mut Clients) -> Option<usize> {
        let free = self.free.pop();
        let connected = match free {
            Some(number) => clients.reconnect(number).map(|()| number),
            None if self.visits.len() < self.places => clients.connect(),
            None => return None,
        };
        if let Err(err) = connected {
            // No descriptor or port is left: the round goes on with the places there are.
            self.places = self.visits.len().max(1);
            self.free.extend(free);
            self.refusal = Some(err);
            return None;
        }
        if free.is_none() {
            self.visits.push(Visit::default());
        }
        connected.ok()
    }

    fn read(&mut self, number: usize, client: &mut Client, bytes: &[u8], rec: &mut Recorder) {
        let mut said = None;
        let visit = &mut self.visits[number];
        visit.lines.cut(bytes, |line| match visit.state {
            State::Coming if line == visit.login => {
                visit.state = State::Inside;
                self.inside += 1;
                self.most_inside = self.most_inside.max(self.inside);
                self.format
                    .write(number as u32, visit.number, &mut self.message);
                client.send(&self.message);
            }
            State::Inside => {
                // An earlier visitor may have had this address, so the number is compared.
                let message = self.format.read(line);
                let own = message
                    .filter(|(_, sender, nth, _)| (*sender, *nth) == (number as u32, visit.number));
                if let Some((prefix, _, _, is_whole)) = own {
                    said.get_or_insert(is_whole && prefix == visit.prefix);
                }
            }
            _ => {}
        });
        let (now, at) = (rec.now(), visit.at);
        match said {
            Some(true) => rec.record(now, at),
            Some(false) => {
                rec.counts.damaged += 1;
                rec.lose(at, 1);
            }
            None => return,
        }
        rec.delivered(now, u64::from(said == Some(true)));
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

impl Load for Churn {
    const STAYS: bool = false;

    fn begin(&mut self, format: Format, clients: &mut Clients) {
        clients.all().iter_mut().for_each(Client::close);
        *self = Churn {
            format,
            places: self.places,
            refusal: self.refusal.take(),
            dropped: self.dropped,
            free: (0..self.visits.len()).collect(),
            visits: self.visits.drain(..).map(|_| Visit::default()).collect(),
            ..Churn::default()
        };
    }

    /// In a closed loop, the next visitor follows as soon as one has left.
    fn turns(&self) -> usize {
        self.places
    }

    fn send(&mut self, due: Range<u64>, clients: &mut Clients, rec: &mut Recorder) -> bool {
        let now = rec.now();
        self.free.append(&mut self.leaving);
        if rec.is_open_loop() {
            self.due = due.end;
        } else if rec.is_sending(now) {
            self.due = self.ended + self.places as u64;
        }
        while self.begun < self.due
            && let Some(number) = self.connect(clients)
        {
            let at = rec.due(now, self.begun, 0, 1).unwrap_or(now);
            if self.begun == self.ended {
                rec.awake(at);
            }
            self.begun += 1;
            self.visits[number] = Visit {
                at,
                number: self.visits[number].number + 1,
                state: State::Coming,
                ..Visit::default()
            };
        }
        false
    }

    fn handle(&mut self, number: usize, client: &mut Client, event: Event<'_>, rec: &mut Recorder) {
        let visit = &mut self.visits[number];
        match event {
            Event::Connected => {
                visit.login = protocol::login(client.addr);
                visit.prefix = protocol::prefix(client.addr);
            }
            Event::Bytes(bytes) => self.read(number, client, bytes, rec),
            Event::Closed if visit.state != State::Away => {
                rec.lose(visit.at, 1);
                self.dropped += 1;
                self.leave(number);
            }
            Event::Closed | Event::Writable => {}
        }
    }

    /// Includes visitors that wait for a place.
    fn outstanding(&self) -> u64 {
        self.due - self.ended
    }

    fn present(&self) -> usize {
        self.inside
    }

    fn finish(&mut self, rec: &mut Recorder) {
        for visit in self
            .visits
            .iter()
            .filter(|visit| visit.state != State::Away)
        {
            rec.lose(visit.at, 1);
        }
        rec.counts.messages = self.begun;
        rec.never_sent(self.begun, 0, 1, 1);
        rec.counts.connected = match self.dropped {
            0 => self.places,
            _ => self.most_inside,
        };
        rec.counts.dropped = self.dropped;
    }
}
