//! Scenario `chat`: everyone hears everyone, and every client checks every message. Scenario `slow`
//! is the same with clients beside it that never read.

use std::io;
use std::time::Duration;

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Crowd, Happening};
use crate::lab::load::delivery::{Account, Ledger};
use crate::lab::load::message::Format;
use crate::lab::load::recorder::{Meter, Schedule};
use crate::lab::results::record::{Round, Timeline};
use crate::lab::scenario::login::{Entered, Seat, enter, enter_unread, nobody_left};
use crate::lab::scenario::session::Session;

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

/// How long to wait for sockets at most before looking at the clock.
pub(crate) const TURN: Duration = Duration::from_millis(50);

/// Whether to give up at `now` on what has not come, `duration` being the time in which it was sent
/// and `last` the time at which the last delivery came.
pub(crate) fn is_over(now: u64, duration: u64, last: u64) -> bool {
    const SILENCE: u64 = 2_000_000_000;
    const LONGEST: u64 = 10_000_000_000;
    now > last.max(duration) + SILENCE || now > 2 * duration + LONGEST
}

struct Drive {
    format: Format,
    ledger: Ledger,
    guests: Vec<Guest>,
    /// By sender, its client.
    senders: Vec<usize>,
    /// By sender, what stands before its messages.
    prefixes: Vec<Vec<u8>>,
    /// Clients that were in the room at the start.
    present: usize,
    closed_loop: bool,
    sending: bool,
    meter: Meter,
    damaged: u64,
    dropped: u64,
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
/// Nobody gets in and stays, the server dies, or the program is to end.
pub fn round(session: &mut Session<'_>, plan: &Plan) -> io::Result<Round> {
    let mut crowd = Crowd::new(session.addr())?;
    let mut entered = enter(&mut crowd, plan.clients, session)?;
    let mut stalled = enter_unread(&mut crowd, &mut entered, plan.stalled, session)?;
    let Entered {
        connected, seconds, ..
    } = entered;
    let dropped_before = entered.dropped;

    session.begin();
    let mut drive = Drive::new(entered, plan);
    drive.run(&mut crowd, session, plan)?;
    session.end();
    if drive.ledger.deliveries() == 0 && drive.dropped as usize == connected {
        return Err(nobody_left(session));
    }

    let cut_off = stalled
        .iter_mut()
        .filter_map(|client| client.is_cut_off().then_some(()))
        .count();
    drop(stalled);
    drop(crowd);
    let server = session.cost()?;
    Ok(Round {
        connected,
        connect_seconds: seconds,
        seconds: drive.meter.seconds(plan.duration),
        messages: drive.ledger.messages(),
        deliveries: drive.ledger.deliveries(),
        lost: drive.ledger.lost(),
        duplicated: drive.ledger.duplicated(),
        out_of_order: drive.ledger.out_of_order(),
        damaged: drive.damaged,
        dropped: dropped_before + drive.dropped + cut_off as u64,
        pause_seconds: drive.meter.pause_seconds(),
        latency: drive.meter.latency(),
        server,
        cut_short: false,
        timeline: Timeline::default(),
        wall_seconds: session.wall_seconds(),
        generator_cpu_seconds: session.generator_cpu_seconds(),
        other_cpu_seconds: session.other_cpu_seconds(),
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
            present: present.len(),
            closed_loop: plan.rate.is_none(),
            sending: true,
            meter: Meter::start(),
            damaged: 0,
            dropped: 0,
            message: Vec::new(),
        }
    }

    fn run(&mut self, crowd: &mut Crowd, session: &mut Session<'_>, plan: &Plan) -> io::Result<()> {
        let duration = plan.duration.as_nanos() as u64;
        let mut schedule = plan.rate.map(|rate| Schedule::new(rate, plan.duration));
        self.meter = Meter::start();
        if schedule.is_none() {
            for sender in 0..self.senders.len() {
                let client = &mut crowd.clients()[self.senders[sender]];
                self.send(client, sender as u32, 0);
            }
        }
        loop {
            if let Some(schedule) = &mut schedule {
                let now = self.meter.now();
                while let Some((nth, at)) = schedule.due(now) {
                    let sender = nth as usize % self.senders.len();
                    let client = &mut crowd.clients()[self.senders[sender]];
                    self.send(client, sender as u32, at);
                }
                if let Some(delay) = schedule.wait(now) {
                    crowd.wake_in(delay)?;
                }
            }
            crowd.turn(Some(TURN), |number, client, happening| {
                match happening {
                    Happening::Bytes(bytes) => self.deliver(number, client, bytes),
                    Happening::Closed => self.leave(number),
                    Happening::Connected => {}
                }
                Ok(())
            })?;
            let now = self.meter.now();
            let here = self.present - self.dropped as usize;
            session.look(self.meter.instant(now), here, self.ledger.deliveries())?;
            if self.ledger.outstanding() > 0 {
                self.meter.still_waiting(now);
            }
            if now >= duration {
                self.sending = false;
                let over = is_over(now, duration, self.meter.last());
                if self.ledger.outstanding() == 0 || over {
                    return Ok(());
                }
            }
        }
    }

    fn send(&mut self, client: &mut Client, sender: u32, at: u64) {
        if !client.is_open() {
            return;
        }
        if self.ledger.outstanding() == 0 {
            self.meter.awake(at);
        }
        let number = self.ledger.send(sender, at);
        self.format.write(sender, number, &mut self.message);
        client.send(&self.message);
    }

    fn deliver(&mut self, number: usize, client: &mut Client, bytes: &[u8]) {
        let now = self.meter.now();
        let Drive {
            format,
            ledger,
            prefixes,
            meter,
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
                meter.record(now, at);
                own_came_back |= *own == Some(sender);
            }
        });
        if ledger.deliveries() > before {
            self.meter.delivered(now);
        }
        if let Some(sender) = *own
            && own_came_back
            && self.closed_loop
            && self.sending
        {
            self.send(client, sender, now);
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
