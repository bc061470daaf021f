//! Scenarios `chat`, `slow` and `idle`: every message goes to every client, and every client checks it.
//! In `slow` there are clients beside it that never read; in `idle` nobody sends.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::delivery::DeliveryLog;
use crate::lab::load::message::Format;
use crate::lab::load::protocol::Protocol;
use crate::lab::load::recorder::Recorder;
use crate::lab::results::record::Round;
use crate::lab::scenario::drive::{Load, RoundPlan, measure};
use crate::lab::scenario::login;
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
    /// In the order of their clients.
    senders: Vec<Sender>,
    /// Senders that can send more at once.
    behind: BTreeSet<usize>,
}

struct Sender {
    client: usize,
    /// What stands before its messages.
    prefix: Vec<u8>,
    sent: u64,
}

/// Drives one round.
///
/// # Errors
/// Nobody gets in and stays, the server dies, or Ctrl-C came before the measurement.
pub fn round(session: &mut Session<'_>, plan: &RoundPlan) -> io::Result<Round> {
    login::everyone(Protocol::Chat, plan.clients, session)?;
    let count = plan.stalled.unwrap_or(0);
    let mut stalled = Clients::stalled(session.server.addrs(), count)?;
    login::settle(&mut stalled, session)?;
    let mut load = FanOut {
        wanted: plan.senders.unwrap_or(0),
        seed: plan.seed,
        ..FanOut::default()
    };
    let mut round = measure(&mut load, session, plan)?;
    load.note_faults(session);
    round.dropped += disconnected(&mut stalled)?;
    drop(stalled);
    Ok(session.finish(round))
}

/// How many of these the server has disconnected. What it sent before comes before the end does.
fn disconnected(stalled: &mut Clients) -> io::Result<u64> {
    const QUIET: Duration = Duration::from_millis(300);
    const LONGEST: Duration = Duration::from_secs(3);
    let start = Instant::now();
    stalled.read_at_last()?;
    while stalled.undecided() > 0
        && start.elapsed() < LONGEST
        && stalled.poll(Some(QUIET), |_, _, _| {})?
    {}
    Ok(stalled.refused)
}

impl FanOut {
    /// Notes what went wrong at the clients of each of several servers.
    fn note_faults(&self, session: &mut Session<'_>) {
        let servers = &session.server.servers;
        for (nth, server) in servers.iter().enumerate().filter(|_| servers.len() > 1) {
            let clients = session.clients.all().iter();
            let clients: Vec<_> = clients.skip(nth).step_by(servers.len()).collect();
            let gone = clients.iter().filter(|client| !client.is_in).count();
            let gone = (gone as u64, format!("of {} clients gone", clients.len()));
            let kinds = ["lost", "duplicated", "out of order", "damaged"].map(str::to_owned);
            let faults = self.log.faults(nth, servers.len()).into_iter().zip(kinds);
            let seen = faults.chain([gone]).filter(|(count, _)| *count > 0);
            let seen: Vec<_> = seen
                .map(|(count, what)| format!("{count} {what}"))
                .collect();
            if !seen.is_empty() {
                let (name, seen) = (&server.name, seen.join(", "));
                session
                    .notes
                    .push(format!("at the clients of {name}: {seen}"));
            }
        }
    }

    fn send_next(&mut self, nth: usize, client: &mut Client, rec: &mut Recorder) {
        let all = self.senders.len();
        let sender = &mut self.senders[nth];
        for _ in 0..BURST {
            // `Event::Writable` follows, or it has been disconnected.
            if !client.is_writable() {
                return;
            }
            let Some(at) = rec.schedule.due(rec.now(), sender.sent, nth, all) else {
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
            client.send(self.format.message(nth, number));
            if !rec.schedule.is_open_loop() {
                return;
            }
        }
        self.behind.insert(nth);
    }

    /// Checks what a client has read. In a closed loop a sender sends when its own message has come back.
    fn read(&mut self, number: usize, client: &mut Client, bytes: &[u8], rec: &mut Recorder) {
        let now = rec.now();
        let (mut deliveries, mut own) = (0, None);
        client.lines.cut(bytes, |line| {
            let Some((prefix, nth, message, is_whole)) = self.format.read(line) else {
                return;
            };
            let sender = self.senders.get(nth);
            // The original room passes on what it reads at once as one message, even if its sender
            // sent several; the second and later ones come without a prefix.
            let prefix_fits =
                prefix.is_empty() || sender.is_some_and(|sender| prefix == sender.prefix);
            if !is_whole || !prefix_fits {
                self.log.damaged(number);
            } else if let Some(at) = self.log.receive(number, nth, message) {
                rec.record(now, at);
                deliveries += 1;
                if sender.is_some_and(|sender| sender.client == number) {
                    own = Some(nth);
                }
            }
        });
        if deliveries > 0 {
            rec.delivered(now, deliveries);
        }
        if let Some(nth) = own.filter(|_| !rec.schedule.is_open_loop()) {
            self.send_next(nth, client, rec);
        }
    }
}

impl Load for FanOut {
    fn begin(&mut self, format: Format, clients: &mut Clients) {
        self.format = format;
        self.behind.clear();
        let clients = clients.all();
        let present: Vec<_> = (0..clients.len())
            .filter(|&number| clients[number].is_in)
            .collect();
        let mut random = fastrand::Rng::with_seed(self.seed);
        let mut chosen = random.choose_multiple(present, self.wanted);
        chosen.sort_unstable();
        let sender = |client: usize| Sender {
            client,
            prefix: clients[client].prefix.clone(),
            sent: 0,
        };
        self.senders = chosen.into_iter().map(sender).collect();
        let are_in = clients.iter().map(|client| client.is_in);
        self.log = DeliveryLog::new(self.senders.len(), are_in);
    }

    fn send(&mut self, due: Range<u64>, clients: &mut Clients, rec: &mut Recorder) -> bool {
        let senders = self.senders.len();
        let newly_due = due.take(senders).map(|nth| nth as usize % senders);
        let behind = std::mem::take(&mut self.behind);
        for nth in behind.into_iter().chain(newly_due) {
            self.send_next(nth, &mut clients.all()[self.senders[nth].client], rec);
        }
        !self.behind.is_empty()
    }

    fn handle(&mut self, number: usize, client: &mut Client, event: Event<'_>, rec: &mut Recorder) {
        match event {
            Event::Bytes(bytes) => self.read(number, client, bytes, rec),
            Event::Writable if rec.schedule.is_open_loop() => {
                let senders = &self.senders;
                if let Ok(nth) = senders.binary_search_by_key(&number, |sender| sender.client) {
                    self.send_next(nth, client, rec);
                }
            }
            Event::Closed => self.log.leave(number),
            Event::Connected | Event::Writable => {}
        }
    }

    fn outstanding(&self) -> u64 {
        self.log.outstanding + self.behind.len() as u64
    }

    fn needs_clients(&self) -> bool {
        !self.senders.is_empty()
    }

    fn finish(&mut self, _: &Clients, rec: &mut Recorder) {
        for (at, missing) in self.log.lost() {
            rec.lose(at, missing);
        }
        let each = u64::from(self.log.takers);
        for (nth, sender) in self.senders.iter().enumerate() {
            rec.never_sent(sender.sent, nth, self.senders.len(), each);
        }
        let counts = &mut rec.counts;
        [_, counts.duplicated, counts.out_of_order, counts.damaged] = self.log.faults(0, 1);
        counts.messages += self.log.messages;
    }
}
