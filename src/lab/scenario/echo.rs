//! Scenario `echo`: each connection has one request in flight, and checks that the answer is the
//! request in upper case. A first one, `x`, comes before the measurement.

use std::io;
use std::ops::Range;

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::message::{Format, MEASURED, SENDERS};
use crate::lab::load::protocol::Protocol;
use crate::lab::load::recorder::Recorder;
use crate::lab::results::record::Round;
use crate::lab::scenario::drive::{Load, RoundPlan, measure};
use crate::lab::scenario::login::{NO_ANSWER, enter};
use crate::lab::scenario::session::Session;

struct Echo<'a> {
    plan: &'a RoundPlan,
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
#[derive(Debug, Default)]
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
    let mut clients = Clients::new(session.addr())?;
    let login = enter(&mut clients, Protocol::Echo, plan.clients, session)?;
    let lines = login.seats.iter().map(|seat| Line {
        is_open: seat.is_in,
        ..Line::default()
    });
    let mut load = Echo {
        plan,
        format: Format::new(MEASURED, plan.size, plan.seed),
        lines: lines.collect(),
        connected: Vec::new(),
        present: login.inside,
        in_flight: 0,
        dropped: login.dropped,
        message: Vec::new(),
    };
    let round = measure(&mut load, &mut clients, session, plan)?;
    drop(clients);
    if round.deliveries == 0 && !round.cut_short {
        return Err(session.error(NO_ANSWER));
    }
    session.finish(Round {
        connect_seconds: login.seconds(),
        ..round
    })
}

impl Echo<'_> {
    /// Sends the next request if it is due and the last was answered.
    fn request(&mut self, number: usize, client: &mut Client, recorder: &mut Recorder) {
        let line = &mut self.lines[number];
        if !line.is_open || line.at.is_some() {
            return;
        }
        let all = self.connected.len();
        let Some(at) = recorder.due(recorder.now(), line.sent, line.nth, all) else {
            return;
        };
        if self.in_flight == 0 {
            recorder.awake(at);
        }
        self.in_flight += 1;
        *line = Line {
            sent: line.sent + 1,
            at: Some(at),
            got: 0,
            is_right: true,
            ..*line
        };
        self.format.write(
            (number % SENDERS) as u32,
            line.sent as u32,
            &mut self.message,
        );
        client.send(&self.message);
    }

    fn answer(&mut self, number: usize, bytes: &[u8], recorder: &mut Recorder) {
        let now = recorder.now();
        let line = &mut self.lines[number];
        let Some(at) = line.at else {
            // Nobody asked.
            recorder.counts.damaged += 1;
            return;
        };
        self.format.write(
            (number % SENDERS) as u32,
            line.sent as u32,
            &mut self.message,
        );
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
            recorder.record(now, at);
        } else {
            recorder.counts.damaged += 1;
            recorder.lose(at, 1);
        }
        recorder.delivered(now, u64::from(line.is_right));
    }
}

impl Load for Echo<'_> {
    fn begin(&mut self, mark: u8, clients: &mut Clients) {
        self.format = Format::new(mark, self.plan.size, self.plan.seed);
        self.connected.clear();
        self.in_flight = 0;
        for (number, line) in self.lines.iter_mut().enumerate() {
            if line.is_open && line.at.is_some() {
                // The answer to a request of the warm-up would be taken for that of the next.
                clients.all()[number].close();
                line.is_open = false;
                self.present -= 1;
                self.dropped += 1;
            }
            *line = Line {
                is_open: line.is_open,
                nth: self.connected.len(),
                ..Line::default()
            };
            if line.is_open {
                self.connected.push(number);
            }
        }
    }

    fn turns(&self) -> usize {
        self.connected.len()
    }

    fn send(
        &mut self,
        due: Range<u64>,
        clients: &mut Clients,
        recorder: &mut Recorder,
    ) -> io::Result<bool> {
        let all = self.connected.len();
        for nth in due.take(all) {
            let number = self.connected[(nth % all as u64) as usize];
            self.request(number, &mut clients.all()[number], recorder);
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
        match event {
            Event::Bytes(bytes) => {
                self.answer(number, bytes, recorder);
                self.request(number, client, recorder);
            }
            Event::Closed => {
                let line = &mut self.lines[number];
                if std::mem::take(&mut line.is_open) {
                    self.present -= 1;
                    self.dropped += 1;
                    self.in_flight -= u64::from(line.at.is_some());
                }
            }
            Event::Connected | Event::Writable => {}
        }
        Ok(())
    }

    fn outstanding(&self) -> u64 {
        self.in_flight
    }

    fn present(&self) -> usize {
        self.present
    }

    fn finish(&mut self, recorder: &mut Recorder) {
        let all = self.connected.len();
        for line in self.connected.iter().map(|&number| &self.lines[number]) {
            recorder.counts.messages += line.sent;
            if let Some(at) = line.at {
                recorder.lose(at, 1);
            }
            recorder.never_sent(line.sent, line.nth, all, 1);
        }
        recorder.counts.connected = all;
        recorder.counts.dropped = self.dropped;
    }
}
