//! Scenario `echo`: each connection has one request in flight, and checks that the answer is the
//! request in upper case. A first one, `x`, comes before the measurement.

use std::io;
use std::ops::Range;

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::message::{Format, SENDERS};
use crate::lab::load::protocol::Protocol;
use crate::lab::load::recorder::Recorder;
use crate::lab::results::record::Round;
use crate::lab::scenario::drive::{Load, RoundPlan, measure};
use crate::lab::scenario::login::{Login, NO_ANSWER};
use crate::lab::scenario::session::Session;

#[derive(Default)]
struct Echo {
    format: Format,
    lines: Vec<Line>,
    /// Numbers of those that were connected at the start.
    connected: Vec<usize>,
    present: usize,
    in_flight: u64,
    dropped: u64,
    message: Vec<u8>,
}

/// One connection.
#[derive(Default)]
struct Line {
    is_open: bool,
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
    let mut clients = Clients::new(session.addrs())?;
    let login = Login::everyone(Protocol::Echo, plan.clients, &mut clients, session)?;
    let lines = login.seats.iter().map(|seat| Line {
        is_open: seat.is_in,
        ..Line::default()
    });
    let mut load = Echo {
        lines: lines.collect(),
        dropped: login.dropped,
        ..Echo::default()
    };
    let round = measure(&mut load, &mut clients, session, plan)?;
    drop(clients);
    if round.deliveries == 0 && !round.cut_short {
        return Err(session.error(NO_ANSWER));
    }
    Ok(session.finish(Round {
        connect_seconds: login.seconds(),
        ..round
    }))
}

impl Echo {
    /// Sends the next request if it is due and the last was answered.
    fn request(&mut self, number: usize, client: &mut Client, rec: &mut Recorder) {
        let line = &mut self.lines[number];
        if !line.is_open || line.at.is_some() {
            return;
        }
        line.at = rec.due(rec.now(), line.sent, line.nth, self.connected.len());
        let Some(at) = line.at else { return };
        if self.in_flight == 0 {
            rec.awake(at);
        }
        self.in_flight += 1;
        line.sent += 1;
        (line.got, line.is_right) = (0, true);
        write(&self.format, number, line.sent, &mut self.message);
        client.send(&self.message);
    }

    fn answer(&mut self, number: usize, bytes: &[u8], rec: &mut Recorder) {
        let now = rec.now();
        let line = &mut self.lines[number];
        let Some(at) = line.at else {
            // Nobody asked.
            rec.counts.damaged += 1;
            return;
        };
        write(&self.format, number, line.sent, &mut self.message);
        self.message.make_ascii_uppercase();
        let got = line.got + bytes.len();
        line.is_right &= self.message.get(line.got..got) == Some(bytes);
        line.got = got;
        if got < self.message.len() {
            return;
        }
        line.at = None;
        self.in_flight -= 1;
        if line.is_right {
            rec.record(now, at);
        } else {
            rec.counts.damaged += 1;
            rec.lose(at, 1);
        }
        rec.delivered(now, u64::from(line.is_right));
    }

    fn leave(&mut self, number: usize) {
        let line = &mut self.lines[number];
        if std::mem::take(&mut line.is_open) {
            self.present -= 1;
            self.dropped += 1;
            self.in_flight -= u64::from(line.at.is_some());
        }
    }
}

fn write(format: &Format, number: usize, request: u64, message: &mut Vec<u8>) {
    format.write((number % SENDERS) as u32, request as u32, message);
}

impl Load for Echo {
    const STAYS: bool = true;

    fn begin(&mut self, format: Format, clients: &mut Clients) {
        self.format = format;
        self.connected.clear();
        for number in 0..self.lines.len() {
            if self.lines[number].at.is_some() {
                // The answer to a request of the warm-up would be taken for that of the next.
                clients.all()[number].close();
                self.leave(number);
            }
            let is_open = self.lines[number].is_open;
            self.lines[number] = Line {
                is_open,
                nth: self.connected.len(),
                ..Line::default()
            };
            self.connected.extend(is_open.then_some(number));
        }
        self.present = self.connected.len();
    }

    fn turns(&self) -> usize {
        self.connected.len()
    }

    fn send(&mut self, due: Range<u64>, clients: &mut Clients, rec: &mut Recorder) -> bool {
        let turns = self.turns();
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
            Event::Closed => self.leave(number),
            Event::Connected | Event::Writable => {}
        }
    }

    fn outstanding(&self) -> u64 {
        self.in_flight
    }

    fn present(&self) -> usize {
        self.present
    }

    fn finish(&mut self, rec: &mut Recorder) {
        let all = self.turns();
        for line in self.connected.iter().map(|&number| &self.lines[number]) {
            rec.counts.messages += line.sent;
            line.at.into_iter().for_each(|at| rec.lose(at, 1));
            rec.never_sent(line.sent, line.nth, all, 1);
        }
        rec.counts.connected = all;
        rec.counts.dropped = self.dropped;
    }
}
