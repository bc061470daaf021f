//! Scenario `echo`: each connection has one request in flight, and checks that the answer is the
//! request in upper case. A first one, `x`, comes before the measuring.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Crowd, Happening};
use crate::lab::load::message::{Format, SENDERS};
use crate::lab::load::protocol::Lines;
use crate::lab::load::recorder::{Meter, Schedule};
use crate::lab::results::record::Round;
use crate::lab::scenario::chat::{TURN, is_over};
use crate::lab::scenario::session::Session;

/// What a round is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Connections.
    pub clients: usize,
    /// Bytes of a request.
    pub size: usize,
    /// Requests a second over all connections; none is closed loop.
    pub rate: Option<f64>,
    /// How long requests are sent.
    pub duration: Duration,
    /// Chooses the letters.
    pub seed: u64,
}

/// How long nobody may be answered while someone waits for the first answer.
const SILENCE: Duration = Duration::from_secs(10);

const NO_ANSWER: &str = "gave nobody a right answer (does it speak the echo protocol?)";

/// Who is in.
struct Entered {
    connected: usize,
    /// Clients that were answered and then disconnected.
    dropped: u64,
    /// Until the last was answered.
    seconds: f64,
}

/// One that waits to be let in.
#[derive(Debug, Default)]
struct Seat {
    lines: Lines,
    /// Whether its first answer was right.
    is_in: Option<bool>,
}

struct Drive {
    format: Format,
    lines: Vec<Line>,
    /// Numbers of those that were connected at the start.
    present: Vec<usize>,
    closed_loop: bool,
    sending: bool,
    meter: Meter,
    requests: u64,
    answers: u64,
    damaged: u64,
    dropped: u64,
    /// Requests that will not be answered, because their connection is closed.
    lost: u64,
    message: Vec<u8>,
}

/// One connection.
#[derive(Debug, Default)]
struct Line {
    /// When the request that is in flight was to be sent.
    at: Option<u64>,
    number: u32,
    /// How much of the answer has come.
    got: usize,
    /// Whether it was right so far.
    right: bool,
    /// When those were to be sent that wait for the answer.
    queue: VecDeque<u64>,
    is_open: bool,
}

/// Drives one round.
///
/// # Errors
/// Nobody is answered right, the server dies, or the program is to end.
pub fn round(session: &mut Session<'_>, plan: &Plan) -> io::Result<Round> {
    let mut crowd = Crowd::new(session.addr())?;
    let entered = enter(&mut crowd, plan.clients, session)?;

    session.begin();
    let lines = crowd.clients().iter().map(|client| Line {
        is_open: client.is_open(),
        ..Line::default()
    });
    let lines: Vec<Line> = lines.collect();
    let mut drive = Drive {
        format: Format::new(plan.size, plan.seed),
        present: (0..lines.len())
            .filter(|&number| lines[number].is_open)
            .collect(),
        lines,
        closed_loop: plan.rate.is_none(),
        sending: true,
        meter: Meter::start(),
        requests: 0,
        answers: 0,
        damaged: 0,
        dropped: 0,
        lost: 0,
        message: Vec::new(),
    };
    drive.run(&mut crowd, session, plan)?;
    session.end();

    drop(crowd);
    if drive.answers == 0 {
        return Err(session.error(NO_ANSWER));
    }
    Ok(Round {
        connected: entered.connected,
        connect_seconds: entered.seconds,
        seconds: drive.meter.seconds(plan.duration),
        messages: drive.requests,
        deliveries: drive.answers,
        lost: drive.requests - drive.answers,
        damaged: drive.damaged,
        dropped: entered.dropped + drive.dropped,
        pause_seconds: drive.meter.pause_seconds(),
        latency: drive.meter.latency(),
        server: session.cost()?,
        wall_seconds: session.wall_seconds(),
        generator_cpu_seconds: session.generator_cpu_seconds(),
        other_cpu_seconds: session.other_cpu_seconds(),
        ..Round::default()
    })
}

/// Connects, and lets everyone ask once. The kernel accepts for a server that turns clients away:
/// only who is answered is in. Who is not is closed.
fn enter(crowd: &mut Crowd, clients: usize, session: &mut Session<'_>) -> io::Result<Entered> {
    let start = Instant::now();
    let mut refusal = None;
    for _ in 0..clients {
        if let Err(err) = crowd.connect() {
            refusal = Some(err);
            break;
        }
    }
    let started = crowd.clients().len();
    let mut seats: Vec<Seat> = Vec::new();
    seats.resize_with(started, Seat::default);
    let (mut undecided, mut connected, mut closed, mut dropped) = (started, 0, 0, 0);
    let mut moved = start;
    while undecided > 0 && moved.elapsed() < SILENCE {
        crowd.turn(Some(TURN), |number, client, happening| {
            let Seat { lines, is_in } = &mut seats[number];
            let was_in = *is_in;
            match happening {
                Happening::Connected => {
                    moved = Instant::now();
                    client.send(b"x\n");
                }
                Happening::Bytes(bytes) => lines.cut(bytes, |line| {
                    is_in.get_or_insert(line == b"X");
                }),
                Happening::Closed if was_in == Some(true) => {
                    connected -= 1;
                    dropped += 1;
                }
                Happening::Closed => {
                    closed += 1;
                    *is_in = Some(false);
                }
            }
            if was_in.is_none() && is_in.is_some() {
                moved = Instant::now();
                undecided -= 1;
                connected += usize::from(*is_in == Some(true));
            }
            Ok(())
        })?;
        session.look(Instant::now(), connected, 0)?;
    }
    for (seat, client) in seats.iter().zip(crowd.clients()) {
        if seat.is_in != Some(true) {
            client.close();
        }
    }
    match (connected, refusal) {
        (0, Some(err)) => return Err(err),
        (0, None) if closed + dropped == started => {
            return Err(session.error("closed every connection at once"));
        }
        (0, None) => return Err(session.error(NO_ANSWER)),
        (_, Some(err)) => log::warn!("the load generator itself {err}"),
        (_, None) => {}
    }
    Ok(Entered {
        connected,
        dropped: dropped as u64,
        seconds: (moved - start).as_secs_f64(),
    })
}

impl Drive {
    fn run(&mut self, crowd: &mut Crowd, session: &mut Session<'_>, plan: &Plan) -> io::Result<()> {
        let duration = plan.duration.as_nanos() as u64;
        let mut schedule = plan.rate.map(|rate| Schedule::new(rate, plan.duration));
        self.meter = Meter::start();
        if self.closed_loop {
            for nth in 0..self.present.len() {
                let number = self.present[nth];
                self.request(number, &mut crowd.clients()[number], 0);
            }
        }
        loop {
            if let Some(schedule) = &mut schedule {
                let now = self.meter.now();
                while let Some((nth, at)) = schedule.due(now) {
                    let number = self.present[nth as usize % self.present.len()];
                    self.request(number, &mut crowd.clients()[number], at);
                }
                if let Some(delay) = schedule.wait(now) {
                    crowd.wake_in(delay)?;
                }
            }
            crowd.turn(Some(TURN), |number, client, happening| {
                match happening {
                    Happening::Bytes(bytes) => self.answer(number, client, bytes),
                    Happening::Closed => self.close(number),
                    Happening::Connected => {}
                }
                Ok(())
            })?;
            let now = self.meter.now();
            let here = self.present.len() - self.dropped as usize;
            session.look(self.meter.instant(now), here, self.answers)?;
            if self.outstanding() > 0 {
                self.meter.still_waiting(now);
            }
            if now >= duration {
                self.sending = false;
                if self.outstanding() == 0 || is_over(now, duration, self.meter.last()) {
                    return Ok(());
                }
            }
        }
    }

    fn outstanding(&self) -> u64 {
        self.requests - self.answers - self.lost
    }

    /// Sends a request that is due at `at`, or lets it wait for the answer to the one before.
    fn request(&mut self, number: usize, client: &mut Client, at: u64) {
        if !self.lines[number].is_open {
            return;
        }
        if self.outstanding() == 0 {
            self.meter.awake(at);
        }
        self.requests += 1;
        if self.lines[number].at.is_some() {
            self.lines[number].queue.push_back(at);
        } else {
            self.send(number, client, at);
        }
    }

    fn send(&mut self, number: usize, client: &mut Client, at: u64) {
        let line = &mut self.lines[number];
        *line = Line {
            at: Some(at),
            number: line.number + 1,
            right: true,
            queue: std::mem::take(&mut line.queue),
            got: 0,
            is_open: true,
        };
        self.format
            .write((number % SENDERS) as u32, line.number, &mut self.message);
        client.send(&self.message);
    }

    fn answer(&mut self, number: usize, client: &mut Client, bytes: &[u8]) {
        let now = self.meter.now();
        let line = &mut self.lines[number];
        let Some(at) = line.at else {
            // Nobody asked.
            self.damaged += 1;
            return;
        };
        self.format
            .write((number % SENDERS) as u32, line.number, &mut self.message);
        self.message.make_ascii_uppercase();
        let got = line.got + bytes.len();
        line.right &= self.message.get(line.got..got) == Some(bytes);
        line.got = got;
        if got < self.message.len() {
            return;
        }
        line.at = None;
        if line.right {
            self.answers += 1;
            self.meter.record(now, at);
        } else {
            self.damaged += 1;
            self.lost += 1;
        }
        self.meter.delivered(now);
        if let Some(at) = line.queue.pop_front() {
            self.send(number, client, at);
        } else if self.closed_loop && self.sending {
            self.request(number, client, now);
        }
    }

    fn close(&mut self, number: usize) {
        let line = &mut self.lines[number];
        if std::mem::take(&mut line.is_open) {
            self.dropped += 1;
            self.lost += u64::from(line.at.take().is_some()) + line.queue.len() as u64;
            line.queue.clear();
        }
    }
}
