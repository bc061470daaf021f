//! Scenarios `chat`, `slow` and `idle`: every message goes to every client, and every client checks it.
//! In `slow` there are clients beside it that never read; in `idle` nobody sends.

use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::delivery::{ClientLog, DeliveryLog};
use crate::lab::load::message::Format;
use crate::lab::load::protocol::Protocol;
use crate::lab::load::recorder::Recorder;
use crate::lab::results::record::Round;
use crate::lab::scenario::drive::{Load, RoundPlan, measure};
use crate::lab::scenario::login::{Login, Seat};
use crate::lab::scenario::session::Session;

/// Messages that one sender may send before the others have their turn.
const BURST: usize = 64;

#[derive(Default)]
struct FanOut {
    /// How many are to send, and what chooses them.
    wanted: usize,
    seed: u64,
    format: Format,
    log: DeliveryLog,
    members: Vec<Member>,
    senders: Vec<Sender>,
    /// Senders that can send more at once.
    behind: Vec<usize>,
    /// Clients that were in at the start.
    connected: usize,
    present: usize,
    dropped: u64,
    message: Vec<u8>,
}

#[derive(Default)]
struct Member {
    seat: Seat,
    log: ClientLog,
    damaged: u64,
    /// Whether it is in at the start, so that every message is for it.
    takes_part: bool,
    sender: Option<usize>,
}

#[derive(Default)]
struct Sender {
    client: usize,
    /// What stands before its messages.
    prefix: Vec<u8>,
    sent: u64,
    is_behind: bool,
}

/// Drives one round.
///
/// # Errors
/// Nobody gets in and stays, the server dies, or Ctrl-C came before the measurement.
pub fn round(session: &mut Session<'_>, plan: &RoundPlan) -> io::Result<Round> {
    let mut clients = Clients::new(session.addrs())?;
    let mut login = Login::everyone(Protocol::Chat, plan.clients, &mut clients, session)?;
    let mut stalled = login.enter_stalled(plan.stalled.unwrap_or(0), &mut clients, session)?;
    let connect_seconds = login.seconds();
    let mut load = FanOut {
        wanted: plan.senders.unwrap_or(0),
        seed: plan.seed,
        dropped: login.dropped,
        ..FanOut::default()
    };
    load.members
        .extend(login.seats.into_iter().map(|seat| Member {
            seat,
            ..Member::default()
        }));
    let mut round = measure(&mut load, &mut clients, session, plan)?;
    let servers = session.names();
    if servers.len() > 1 {
        session.notes.extend(load.faults(&servers));
    }
    round.dropped += disconnected(&mut stalled);
    drop((stalled, clients));
    Ok(session.finish(Round {
        connect_seconds,
        ..round
    }))
}

/// How many of these the server has disconnected. What it sent before comes before the end does.
fn disconnected(stalled: &mut Vec<Client>) -> u64 {
    const QUIET: Duration = Duration::from_millis(300);
    const LONGEST: Duration = Duration::from_secs(3);
    let (count, start) = (stalled.len(), Instant::now());
    let mut read = start;
    while !stalled.is_empty() && read.elapsed() < QUIET && start.elapsed() < LONGEST {
        stalled.retain_mut(|client| {
            let discarded = client.discard();
            if discarded != Some(0) {
                read = Instant::now();
            }
            discarded.is_some()
        });
        std::thread::sleep(Duration::from_millis(2));
    }
    (count - stalled.len()) as u64
}

impl FanOut {
    /// What went wrong at the clients of each of several servers.
    fn faults(&self, servers: &[String]) -> Vec<String> {
        let faults = servers.iter().enumerate().filter_map(|(nth, server)| {
            let members = self.members.iter().skip(nth).step_by(servers.len());
            let (mut all, mut gone) = (0, 0);
            let (mut lost, mut damaged, mut doubled, mut disordered) = (0, 0, 0, 0);
            for member in members {
                all += 1;
                gone += u64::from(!member.seat.is_in);
                if member.takes_part {
                    lost += self.log.missing(&member.log);
                }
                damaged += member.damaged;
                doubled += member.log.duplicated;
                disordered += member.log.out_of_order;
            }
            let faults = [
                (lost, "lost".to_owned()),
                (doubled, "duplicated".to_owned()),
                (disordered, "out of order".to_owned()),
                (damaged, "damaged".to_owned()),
                (gone, format!("of {all} clients gone")),
            ];
            let seen = faults.iter().filter(|(count, _)| *count > 0);
            let seen: Vec<_> = seen
                .map(|(count, what)| format!("{count} {what}"))
                .collect();
            (!seen.is_empty()).then(|| format!("at the clients of {server}: {}", seen.join(", ")))
        });
        faults.collect()
    }

    fn send_next(&mut self, nth: usize, client: &mut Client, rec: &mut Recorder) {
        let all = self.senders.len();
        let sender = &mut self.senders[nth];
        for _ in 0..BURST {
            // `Event::Writable` follows, or it has been disconnected.
            if !client.is_writable() {
                return;
            }
            let Some(at) = rec.due(rec.now(), sender.sent, nth, all) else {
                return;
            };
            if self.log.outstanding == 0 {
                rec.awake(at);
            }
            if let Some((at, missing)) = self.log.make_room() {
                rec.lose(at, missing);
            }
            let number = self.log.send(nth, at);
            sender.sent += 1;
            self.format.write(nth as u32, number, &mut self.message);
            client.send(&self.message);
            if !rec.is_open_loop() {
                return;
            }
        }
        if !std::mem::replace(&mut sender.is_behind, true) {
            self.behind.push(nth);
        }
    }

    /// Checks what a client has read, and returns whether a message of its own was there.
    fn read(&mut self, number: usize, bytes: &[u8], rec: &mut Recorder) -> bool {
        let now = rec.now();
        let before = self.log.deliveries;
        let mut own_came_back = false;
        let member = &mut self.members[number];
        member.seat.lines.cut(bytes, |line| {
            let Some((prefix, sender, number, is_whole)) = self.format.read(line) else {
                return;
            };
            let sender = sender as usize;
            // The original room passes on what it reads at once as one message, even if its sender
            // sent several; the second and later ones come without a prefix.
            let prefix_fits = prefix.is_empty()
                || (self.senders.get(sender)).is_some_and(|sender| prefix == sender.prefix);
            if !is_whole || !prefix_fits {
                rec.counts.damaged += 1;
                member.damaged += 1;
            } else if let Some(at) = self.log.receive(&mut member.log, sender, number) {
                rec.record(now, at);
                own_came_back |= member.sender == Some(sender);
            }
        });
        let deliveries = self.log.deliveries - before;
        if deliveries > 0 {
            rec.delivered(now, deliveries);
        }
        own_came_back
    }
}

impl Load for FanOut {
    const STAYS: bool = true;

    fn begin(&mut self, format: Format, _: &mut Clients) {
        self.format = format;
        let mut present = Vec::new();
        for (number, member) in self.members.iter_mut().enumerate() {
            (member.log, member.damaged, member.sender) = (ClientLog::default(), 0, None);
            member.takes_part = member.seat.is_in;
            if member.takes_part {
                present.push(number);
            }
        }
        (self.connected, self.present) = (present.len(), present.len());
        let count = self.wanted.min(present.len());
        let chosen = fastrand::Rng::with_seed(self.seed).choose_multiple(present, count);
        self.log = DeliveryLog::new(count, self.connected);
        self.behind.clear();
        self.senders.clear();
        for (nth, client) in chosen.into_iter().enumerate() {
            self.members[client].sender = Some(nth);
            self.senders.push(Sender {
                client,
                prefix: self.members[client].seat.prefix.clone(),
                ..Sender::default()
            });
        }
    }

    fn turns(&self) -> usize {
        self.senders.len()
    }

    fn send(&mut self, due: Range<u64>, clients: &mut Clients, rec: &mut Recorder) -> bool {
        let senders = self.senders.len();
        let newly_due = due.take(senders).map(|nth| nth as usize % senders);
        let behind = std::mem::take(&mut self.behind);
        for &nth in &behind {
            self.senders[nth].is_behind = false;
        }
        for nth in behind.into_iter().chain(newly_due) {
            self.send_next(nth, &mut clients.all()[self.senders[nth].client], rec);
        }
        !self.behind.is_empty()
    }

    fn handle(&mut self, number: usize, client: &mut Client, event: Event<'_>, rec: &mut Recorder) {
        let sends = match event {
            Event::Bytes(bytes) => self.read(number, bytes, rec) && !rec.is_open_loop(),
            Event::Writable => rec.is_open_loop(),
            Event::Connected => false,
            Event::Closed => {
                let member = &mut self.members[number];
                if std::mem::take(&mut member.seat.is_in) {
                    self.log.leave(&member.log);
                    self.present -= 1;
                    self.dropped += 1;
                }
                false
            }
        };
        if let (Some(nth), true) = (self.members[number].sender, sends) {
            self.send_next(nth, client, rec);
        }
    }

    fn outstanding(&self) -> u64 {
        self.log.outstanding + self.behind.len() as u64
    }

    fn present(&self) -> usize {
        self.present
    }

    fn finish(&mut self, rec: &mut Recorder) {
        self.log
            .lost()
            .for_each(|(at, missing)| rec.lose(at, missing));
        let (all, each) = (self.senders.len(), self.connected as u64);
        for (nth, sender) in self.senders.iter().enumerate() {
            rec.never_sent(sender.sent, nth, all, each);
        }
        let counts = &mut rec.counts;
        counts.connected = self.connected;
        counts.messages += self.log.messages;
        counts.duplicated = self.log.duplicated;
        counts.out_of_order = self.log.out_of_order;
        counts.dropped = self.dropped;
    }
}
