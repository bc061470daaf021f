//! Scenario `chat`: everyone hears everyone, and every client checks every message. Scenario `slow`
//! is the same with clients beside it that never read.

use std::io;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::crowd::{Client, Crowd, Happening};
use super::enter::{Entered, Seat, enter};
use super::ledger::{Account, Ledger};
use super::message::Format;
use super::record::{Latency, Round};
use super::session::Session;

/// What a round is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Clients in the room.
    pub clients: usize,
    /// How many of them speak.
    pub senders: usize,
    /// Clients beside them that never read.
    pub stalled: usize,
    /// Bytes of a message.
    pub size: usize,
    /// Messages a second over all senders; none is closed loop, one message in flight a sender.
    pub rate: Option<f64>,
    /// How long messages are sent.
    pub duration: Duration,
    /// Chooses the senders and the letters.
    pub seed: u64,
}

/// How long nothing may come, when all is sent and something is due, until it counts as lost.
const SILENCE: Duration = Duration::from_secs(2);

struct Drive {
    format: Format,
    ledger: Ledger,
    guests: Vec<Guest>,
    /// By sender, its client.
    senders: Vec<usize>,
    /// By sender, what stands before its messages.
    prefixes: Vec<Vec<u8>>,
    closed_loop: bool,
    sending: bool,
    start: Instant,
    latency: Histogram<u64>,
    damaged: u64,
    dropped: u64,
    /// Nanoseconds of the round at which the last delivery came.
    last: u64,
    /// Since when something is due and nothing comes.
    waiting: u64,
    pause: u64,
    message: Vec<u8>,
}

struct Guest {
    seat: Seat,
    account: Account,
    sender: Option<u32>,
}

/// Drives one round.
///
/// # Errors
/// Nobody gets in, the server dies, or the program is to end.
pub fn round(session: &mut Session<'_>, plan: &Plan) -> io::Result<Round> {
    let mut crowd = Crowd::new(session.addr())?;
    let entered = enter(&mut crowd, plan.clients, session)?;
    let (connected, connect_seconds) = (entered.connected, entered.seconds);
    let mut stalled = Vec::new();
    for _ in 0..plan.stalled {
        stalled.push(crowd.connect_unread()?);
    }

    session.begin();
    let mut drive = Drive::new(entered, plan);
    drive.run(&mut crowd, session, plan)?;
    session.end();

    let cut_off = stalled
        .iter_mut()
        .filter_map(|client| client.is_cut_off().then_some(()))
        .count();
    drop(stalled);
    drop(crowd);
    let server = session.cost()?;
    Ok(Round {
        connected,
        connect_seconds,
        seconds: seconds(drive.last),
        messages: drive.ledger.messages(),
        deliveries: drive.ledger.deliveries(),
        lost: drive.ledger.lost(),
        duplicated: drive.ledger.duplicated(),
        out_of_order: drive.ledger.out_of_order(),
        damaged: drive.damaged,
        dropped: drive.dropped + cut_off as u64,
        pause_seconds: seconds(drive.pause),
        latency: latency(&drive.latency),
        server,
        generator_cpu_seconds: session.generator_cpu_seconds(),
    })
}

impl Drive {
    fn new(entered: Entered, plan: &Plan) -> Drive {
        let mut guests: Vec<Guest> = entered
            .seats
            .into_iter()
            .map(|seat| Guest {
                seat,
                account: Account::default(),
                sender: None,
            })
            .collect();
        let present: Vec<usize> = (0..guests.len())
            .filter(|&number| guests[number].seat.is_in)
            .collect();
        let count = plan.senders.min(present.len());
        let senders =
            fastrand::Rng::with_seed(plan.seed).choose_multiple(present.iter().copied(), count);
        for (sender, &number) in senders.iter().enumerate() {
            guests[number].sender = Some(sender as u32);
        }
        Drive {
            format: Format::new(plan.size, plan.seed),
            ledger: Ledger::new(count, present.len()),
            prefixes: senders
                .iter()
                .map(|&number| guests[number].seat.prefix.clone())
                .collect(),
            guests,
            senders,
            closed_loop: plan.rate.is_none(),
            sending: true,
            start: Instant::now(),
            latency: histogram(),
            damaged: 0,
            dropped: 0,
            last: 0,
            waiting: 0,
            pause: 0,
            message: Vec::new(),
        }
    }

    fn run(&mut self, crowd: &mut Crowd, session: &mut Session<'_>, plan: &Plan) -> io::Result<()> {
        let duration = plan.duration.as_nanos() as u64;
        let silence = SILENCE.as_nanos() as u64;
        self.start = Instant::now();
        if self.closed_loop {
            for sender in 0..self.senders.len() {
                let client = &mut crowd.clients()[self.senders[sender]];
                self.send(client, sender as u32, 0);
            }
        }
        let mut nth = 0u64;
        loop {
            crowd.turn(
                Some(Duration::from_millis(50)),
                |number, client, happening| {
                    match happening {
                        Happening::Bytes(bytes) => self.deliver(number, client, bytes),
                        Happening::Closed => self.leave(number),
                        Happening::Connected => {}
                    }
                    Ok(())
                },
            )?;
            let now = self.now();
            if let Some(rate) = plan.rate {
                // Each message has its time, whatever became of those before it.
                let due = |nth: u64| (nth as f64 / rate * 1e9) as u64;
                while due(nth) <= now.min(duration - 1) {
                    let sender = nth as usize % self.senders.len();
                    let client = &mut crowd.clients()[self.senders[sender]];
                    self.send(client, sender as u32, due(nth));
                    nth += 1;
                }
                if due(nth) < duration {
                    crowd.wake_in(Duration::from_nanos(due(nth) - now))?;
                }
            }
            let here = self.guests.len() - self.dropped as usize;
            session.look(
                self.start + Duration::from_nanos(now),
                here,
                self.ledger.deliveries(),
            )?;
            if now >= duration {
                self.sending = false;
                let silent = now - self.last.max(duration) > silence;
                if self.ledger.outstanding() == 0 || silent {
                    break;
                }
            }
        }
        if self.ledger.outstanding() > 0 {
            self.pause = self.pause.max(self.now() - self.waiting);
        }
        Ok(())
    }

    /// Nanoseconds of the round.
    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn send(&mut self, client: &mut Client, sender: u32, at: u64) {
        if !client.is_open() {
            return;
        }
        if self.ledger.outstanding() == 0 {
            self.waiting = at;
        }
        let number = self.ledger.send(sender, at);
        self.format.write(sender, number, &mut self.message);
        client.send(&self.message);
    }

    fn deliver(&mut self, number: usize, client: &mut Client, bytes: &[u8]) {
        let now = self.now();
        let Drive {
            format,
            ledger,
            prefixes,
            latency,
            damaged,
            ..
        } = self;
        let Guest {
            seat,
            account,
            sender: own,
        } = &mut self.guests[number];
        let mut own_came_back = false;
        let before = ledger.deliveries();
        seat.lines.cut(bytes, |line| {
            let Some((prefix, sender, number, whole)) = format.read(line) else {
                return;
            };
            // The original room passes on what it reads at once as one message, even if its sender
            // sent several; the second and later ones come without a prefix.
            let prefix_fits = prefix.is_empty()
                || prefixes
                    .get(sender as usize)
                    .is_some_and(|expected| prefix == expected);
            if !whole || !prefix_fits {
                *damaged += 1;
                return;
            }
            if let Some(at) = ledger.receive(account, sender, number) {
                latency.saturating_record(now.saturating_sub(at) / 1000);
                own_came_back |= *own == Some(sender);
            }
        });
        if ledger.deliveries() > before {
            self.last = now;
            self.pause = self.pause.max(now.saturating_sub(self.waiting));
            self.waiting = now;
        }
        if own_came_back && self.closed_loop && self.sending {
            if let Some(sender) = *own {
                self.send(client, sender, now);
            }
        }
    }

    fn leave(&mut self, number: usize) {
        let guest = &mut self.guests[number];
        if std::mem::take(&mut guest.seat.is_in) {
            self.ledger.leave(&guest.account);
            self.dropped += 1;
        }
    }
}

/// A histogram of microseconds up to an hour, exact to a hundredth. It is small enough to stay in
/// the cache.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("the bounds are sound")
}

/// What is recorded of a histogram.
pub(crate) fn latency(histogram: &Histogram<u64>) -> Latency {
    Latency {
        p50: histogram.value_at_quantile(0.5),
        p90: histogram.value_at_quantile(0.9),
        p99: histogram.value_at_quantile(0.99),
        p99_9: histogram.value_at_quantile(0.999),
        max: histogram.max(),
        buckets: histogram
            .iter_recorded()
            .map(|step| (step.value_iterated_to(), step.count_at_value()))
            .collect(),
    }
}

/// Nanoseconds as seconds.
pub(crate) fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}
