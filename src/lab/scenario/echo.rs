//! Scenario `echo`: each connection has one request in flight, and checks that the answer is the
//! request in upper case. A first one, `x`, comes before the measurement.

use std::io;
use std::ops::Range;

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::message::Format;
use crate::lab::load::protocol::Protocol;
use crate::lab::load::recorder::Recorder;
use crate::lab::results::record::Round;
use crate::lab::scenario::drive::{Load, RoundPlan, measure};
use crate::lab::scenario::login::{self, NO_ANSWER};
use crate::lab::scenario::session::Session;

#[derive(Default)]
struct Echo {
    format: Format,
    lines: Vec<Line>,
    /// Numbers of those that were connected at the start.
    connected: Vec<usize>,
    in_flight: u64,
}

/// One connection.
#[derive(Default)]
struct Line {
    /// Its turn among those that were connected at the start.
    nth: usize,
    /// Requests that were sent.
    sent: u64,
    /// When the request that is in flight was to be sent.
    at: Option<u64>,
    /// How much of the answer has come.
    got: usize,
    /// Whether it was right so far.
    is_right: bool,
}

/// Drives one round.
///
/// # Errors
/// Nobody is answered right, the server dies, or Ctrl-C came before the measurement.
pub fn round(session: &mut Session<'_>, plan: &RoundPlan) -> io::Result<Round> {
    login::everyone(Protocol::Echo, plan.clients, session)?;
    let round = measure(&mut Echo::default(), session, plan)?;
    if round.deliveries == 0 && !round.cut_short {
        return Err(session.error(NO_ANSWER));
    }
    Ok(session.finish(round))
}

impl Echo {
    /// Sends the next request if it is due and the last was answered.
    fn request(&mut self, number: usize, client: &mut Client, rec: &mut Recorder) {
        let line = &mut self.lines[number];
        if !client.is_in || line.at.is_some() {
            return;
        }
        line.at = rec
            .schedule
            .due(rec.now(), line.sent, line.nth, self.connected.len());
        let Some(at) = line.at else { return };
        if self.in_flight == 0 {
            rec.awake(at);
        }
        self.in_flight += 1;
        line.sent += 1;
        (line.got, line.is_right) = (0, true);
        client.send(self.format.message(number, line.sent as u32));
    }

    fn answer(&mut self, number: usize, bytes: &[u8], rec: &mut Recorder) {
        let now = rec.now();
        let line = &mut self.lines[number];
        let Some(at) = line.at else {
            // Nobody asked.
            rec.counts.damaged += 1;
            return;
        };
        let request = self.format.message(number, line.sent as u32);
        let got = line.got + bytes.len();
        let asked = request.get(line.got..got).unwrap_or_default();
        let upper = asked.iter().map(u8::to_ascii_uppercase);
        line.is_right &= upper.eq(bytes.iter().copied());
        line.got = got;
        if got < request.len() {
            return;
        }
        line.at = None;
        self.in_flight -= 1;
        rec.answered(now, at, line.is_right);
    }
}

impl Load for Echo {
    fn begin(&mut self, format: Format, clients: &mut Clients) {
        self.format = format;
        self.in_flight = 0;
        self.connected.clear();
        self.lines.resize_with(clients.all().len(), Line::default);
        for (number, line) in self.lines.iter_mut().enumerate() {
            if clients.all()[number].is_in && line.at.is_some() {
                // The answer to a request of the warm-up would be taken for that of the next.
                clients.refuse(number);
            }
            *line = Line {
                nth: self.connected.len(),
                ..Line::default()
            };
            let is_in = clients.all()[number].is_in;
            self.connected.extend(is_in.then_some(number));
        }
    }

    fn send(&mut self, due: Range<u64>, clients: &mut Clients, rec: &mut Recorder) -> bool {
        let turns = self.connected.len();
        for nth in due.take(turns) {
            let number = self.connected[nth as usize % turns];
            self.request(number, &mut clients.all()[number], rec);
        }
        false
    }

    fn handle(&mut self, number: usize, client: &mut Client, event: Event<'_>, rec: &mut Recorder) {
        match event {
            Event::Bytes(bytes) => {
                self.answer(number, bytes, rec);
                self.request(number, client, rec);
            }
            Event::Closed => self.in_flight -= u64::from(self.lines[number].at.is_some()),
            Event::Connected | Event::Writable => {}
        }
    }

    fn outstanding(&self) -> u64 {
        self.in_flight
    }

    fn finish(&mut self, _: &Clients, rec: &mut Recorder) {
        for line in self.connected.iter().map(|&number| &self.lines[number]) {
            rec.counts.messages += line.sent;
            line.at.into_iter().for_each(|at| rec.lose(at, 1));
            rec.never_sent(line.sent, line.nth, self.connected.len(), 1);
        }
    }
}
