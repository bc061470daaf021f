//! Scenario `churn`: each visitor connects, sends one message, receives it, and leaves. What is left behind?

use std::io;
use std::ops::Range;

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::message::{Format, SENDERS};
use crate::lab::load::protocol::Protocol;
use crate::lab::load::recorder::Recorder;
use crate::lab::results::record::Round;
use crate::lab::scenario::drive::{Load, RoundPlan, measure};
use crate::lab::scenario::login::{generator_itself, welcome};
use crate::lab::scenario::session::Session;

#[derive(Default)]
struct Churn {
    format: Format,
    /// By number of the client.
    visits: Vec<Visit>,
    /// The most clients at one time, and why they are fewer than asked for.
    places: usize,
    refusal: Option<io::Error>,
    /// Visits that were due.
    due: u64,
    begun: u64,
    ended: u64,
}

/// One visitor.
#[derive(Default)]
struct Visit {
    /// When it was to come; none when it has left.
    at: Option<u64>,
    /// Counts those with this number of a client.
    number: u32,
}

/// Drives one round.
///
/// # Errors
/// No visitor gets through, the server dies, or Ctrl-C came before the measurement.
pub fn round(session: &mut Session<'_>, plan: &RoundPlan) -> io::Result<Round> {
    let mut load = Churn {
        places: plan.clients,
        ..Churn::default()
    };
    session.watch_peak();
    let round = measure(&mut load, session, plan)?;
    if round.deliveries == 0 && !round.cut_short {
        let silent = "let no visitor hear itself (does it speak the chat protocol?)";
        return Err(load.refusal.unwrap_or_else(|| session.error(silent)));
    }
    session.notes.extend(load.refusal.map(generator_itself));
    Ok(session.finish(round))
}

impl Churn {
    /// Connects another visitor, if one has a place.
    fn connect(&mut self, clients: &mut Clients) -> Option<usize> {
        let number = clients.free.last().copied();
        let number = number.unwrap_or(clients.all().len());
        if number >= self.places {
            return None;
        }
        if let Err(err) = clients.connect(number) {
            // No descriptor or port is left: the round goes on with the places there are.
            self.places = clients.all().len().max(1);
            self.refusal = Some(err);
            return None;
        }
        clients.free.pop();
        Some(number)
    }

    fn read(&mut self, number: usize, client: &mut Client, bytes: &[u8], rec: &mut Recorder) {
        // An earlier visitor may have had this address, so the number is compared.
        let own = (number % SENDERS, self.visits[number].number);
        let mut came = None;
        client.lines.cut(bytes, |line| {
            if let Some((prefix, sender, nth, is_whole)) = self.format.read(line)
                && (sender, nth) == own
            {
                came.get_or_insert(is_whole && prefix == client.prefix);
            }
        });
        if let Some(is_right) = came
            && let Some(at) = self.visits[number].at.take()
        {
            rec.answered(rec.now(), at, is_right);
            client.close();
            client.is_in = false;
            self.ended += 1;
        }
    }
}

impl Load for Churn {
    fn begin(&mut self, format: Format, clients: &mut Clients) {
        clients.clear();
        self.visits.clear();
        self.visits.resize_with(self.places, Visit::default);
        self.format = format;
        (self.due, self.begun, self.ended) = (0, 0, 0);
    }

    fn send(&mut self, due: Range<u64>, clients: &mut Clients, rec: &mut Recorder) -> bool {
        let now = rec.now();
        while let Some(at) = rec.schedule.due(now, self.begun, 0, 1)
            && let Some(number) = self.connect(clients)
        {
            if self.begun == self.ended {
                rec.awake(at);
            }
            self.begun += 1;
            let visit = &mut self.visits[number];
            visit.at = Some(at);
            visit.number += 1;
        }
        self.due = match rec.schedule.is_open_loop() {
            true => due.end.max(self.begun),
            false => self.begun,
        };
        false
    }

    fn handle(&mut self, number: usize, client: &mut Client, event: Event<'_>, rec: &mut Recorder) {
        match event {
            Event::Bytes(bytes) if client.is_in => self.read(number, client, bytes, rec),
            Event::Closed => {
                self.ended += 1;
                rec.lose(self.visits[number].at.take().unwrap_or_default(), 1);
            }
            Event::Bytes(_) => {
                welcome(Protocol::Chat, client, event);
                if client.is_in {
                    let visit = self.visits[number].number;
                    client.send(self.format.message(number, visit));
                }
            }
            Event::Connected | Event::Writable => {}
        }
    }

    /// Includes visitors that wait for a place.
    fn outstanding(&self) -> u64 {
        self.due - self.ended
    }

    fn needs_clients(&self) -> bool {
        false
    }

    fn finish(&mut self, clients: &Clients, rec: &mut Recorder) {
        for at in self.visits.iter().filter_map(|visit| visit.at) {
            rec.lose(at, 1);
        }
        rec.never_sent(self.begun, 0, 1, 1);
        let counts = &mut rec.counts;
        counts.messages += self.begun;
        counts.dropped += clients.refused;
        counts.connected = match counts.dropped {
            0 => self.places,
            _ => clients.most_inside,
        };
    }
}
