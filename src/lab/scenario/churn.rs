//! Scenario `churn`: visitors come, say one thing, hear it, and leave; what stays behind?

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Crowd, Happening};
use crate::lab::load::message::Format;
use crate::lab::load::protocol::{self, Lines};
use crate::lab::load::recorder::{Meter, Schedule};
use crate::lab::results::record::Round;
use crate::lab::scenario::chat::{TURN, is_over};
use crate::lab::scenario::session::Session;

/// What a round is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The most visitors at one time.
    pub clients: usize,
    /// Bytes of what each says.
    pub size: usize,
    /// Visits a second; none is closed loop: whoever leaves is followed by the next at once.
    pub rate: Option<f64>,
    /// How long visitors come.
    pub duration: Duration,
    /// Chooses the letters.
    pub seed: u64,
}

struct Drive {
    format: Format,
    /// By place of the crowd.
    visits: Vec<Visit>,
    /// Places where nobody is.
    free: Vec<usize>,
    /// When those were to come for whom there was no place.
    queue: VecDeque<u64>,
    meter: Meter,
    /// Visits that were due.
    begun: u64,
    done: u64,
    dropped: u64,
    damaged: u64,
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
    Said,
    /// It has heard itself, and leaves.
    Leaving,
}

/// Drives one round.
///
/// # Errors
/// No visitor gets through, the server dies, or the program is to end.
pub fn round(session: &mut Session<'_>, plan: &Plan) -> io::Result<Round> {
    let mut crowd = Crowd::new(session.addr())?;
    session.begin();
    let mut drive = Drive {
        format: Format::new(plan.size, plan.seed),
        visits: Vec::new(),
        free: Vec::new(),
        queue: VecDeque::new(),
        meter: Meter::start(),
        begun: 0,
        done: 0,
        dropped: 0,
        damaged: 0,
        message: Vec::new(),
    };
    drive.run(&mut crowd, session, plan)?;
    session.end();

    drop(crowd);
    if drive.done == 0 {
        return Err(session.error("let no visitor hear itself (does it speak the chat protocol?)"));
    }
    Ok(Round {
        connected: plan.clients,
        seconds: drive.meter.seconds(plan.duration),
        messages: drive.begun,
        deliveries: drive.done,
        lost: drive.begun - drive.done,
        damaged: drive.damaged,
        dropped: drive.dropped,
        pause_seconds: drive.meter.pause_seconds(),
        latency: drive.meter.latency(),
        server: session.cost()?,
        wall_seconds: session.wall_seconds(),
        generator_cpu_seconds: session.generator_cpu_seconds(),
        other_cpu_seconds: session.other_cpu_seconds(),
        ..Round::default()
    })
}

impl Drive {
    fn run(&mut self, crowd: &mut Crowd, session: &mut Session<'_>, plan: &Plan) -> io::Result<()> {
        let duration = plan.duration.as_nanos() as u64;
        let mut schedule = plan.rate.map(|rate| Schedule::new(rate, plan.duration));
        self.meter = Meter::start();
        loop {
            let now = self.meter.now();
            if let Some(schedule) = &mut schedule {
                while let Some((_, at)) = schedule.due(now) {
                    self.begin(at);
                }
                if let Some(delay) = schedule.wait(now) {
                    crowd.wake_in(delay)?;
                }
            } else if now < duration {
                while self.outstanding() < plan.clients as u64 {
                    self.begin(now);
                }
            }
            self.let_come(crowd, plan.clients)?;
            crowd.turn(Some(TURN), |number, client, happening| {
                match happening {
                    Happening::Connected => {
                        let addr = client.addr()?;
                        let visit = &mut self.visits[number];
                        visit.login = protocol::login(addr);
                        visit.prefix = protocol::prefix(addr);
                    }
                    Happening::Bytes(bytes) => self.hear(number, client, bytes),
                    Happening::Closed => self.cut_off(number),
                }
                Ok(())
            })?;
            let now = self.meter.now();
            let here = self.visits.len() - self.free.len();
            session.look(self.meter.instant(now), here, self.done)?;
            if self.outstanding() > 0 {
                self.meter.still_waiting(now);
            }
            if now >= duration
                && (self.outstanding() == 0 || is_over(now, duration, self.meter.last()))
            {
                return Ok(());
            }
        }
    }

    fn outstanding(&self) -> u64 {
        self.begun - self.done - self.dropped - self.damaged
    }

    fn begin(&mut self, at: u64) {
        if self.outstanding() == 0 {
            self.meter.awake(at);
        }
        self.begun += 1;
        self.queue.push_back(at);
    }

    /// Connects those who wait, as far as there are places.
    fn let_come(&mut self, crowd: &mut Crowd, places: usize) -> io::Result<()> {
        // Whoever left in the last turn left its place then.
        for number in 0..self.visits.len() {
            if self.visits[number].state == State::Leaving {
                self.visits[number].state = State::Away;
                self.free.push(number);
            }
        }
        while !self.queue.is_empty() {
            let place = match self.free.pop() {
                Some(number) => {
                    crowd.reconnect(number)?;
                    number
                }
                None if self.visits.len() < places => {
                    self.visits.push(Visit::default());
                    crowd.connect()?
                }
                None => return Ok(()),
            };
            let visit = &mut self.visits[place];
            *visit = Visit {
                at: self.queue.pop_front().expect("someone waits"),
                number: visit.number + 1,
                state: State::Coming,
                ..Visit::default()
            };
        }
        Ok(())
    }

    fn hear(&mut self, number: usize, client: &mut Client, bytes: &[u8]) {
        let now = self.meter.now();
        let Drive {
            format,
            visits,
            meter,
            done,
            damaged,
            message,
            ..
        } = self;
        let Visit {
            at,
            number: nth,
            lines,
            login,
            prefix,
            state,
        } = &mut visits[number];
        lines.cut(bytes, |line| match state {
            State::Coming if line == login => {
                format.write(number as u32, *nth, message);
                client.send(message);
                *state = State::Said;
            }
            State::Said if line.starts_with(prefix) => {
                format.write(number as u32, *nth, message);
                if line[prefix.len()..] == message[..message.len() - 1] {
                    *done += 1;
                    meter.record(now, *at);
                } else {
                    *damaged += 1;
                }
                meter.delivered(now);
                *state = State::Leaving;
            }
            _ => {}
        });
        if *state == State::Leaving {
            client.close();
        }
    }

    fn cut_off(&mut self, number: usize) {
        let visit = &mut self.visits[number];
        if matches!(visit.state, State::Coming | State::Said) {
            self.dropped += 1;
            visit.state = State::Leaving;
        }
    }
}
