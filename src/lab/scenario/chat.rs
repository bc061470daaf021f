//! Scenarios `chat`, `slow` and `idle`: every message goes to every client, and every client checks it.
//! In `slow` there are clients beside it that never read; in `idle` nobody sends.

use std::collections::BTreeSet;
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
use crate::lab::scenario::login::Login;
use crate::lab::scenario::session::Session;

/// Messages that one sender may send before the others have their turn.
const BURST: usize = 64;

struct FanOut<'a> {
    plan: &'a RoundPlan,
    login: Login,
    format: Format,
    log: DeliveryLog,
    members: Vec<Member>,
    senders: Vec<Sender>,
    /// Senders that can send more at once.
    behind: BTreeSet<usize>,
    message: Vec<u8>,
}

/// What the log has of a client.
#[derive(Default)]
struct Member {
    log: ClientLog,
    /// Whether it is in at the start, so that every message is for it.
    takes_part: bool,
    sender: Option<usize>,
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
    let mut login = Login::everyone(Protocol::Chat, plan.clients, session)?;
    let count = plan.stalled.unwrap_or(0);
    let mut stalled = Clients::stalled(session.server.addrs(), count)?;
    login.settle(&mut stalled, session)?;
    let mut load = FanOut {
        plan,
        login,
        format: Format::default(),
        log: DeliveryLog::default(),
        members: Vec::new(),
        senders: Vec::new(),
        behind: BTreeSet::new(),
        message: Vec::new(),
    };
    let mut round = measure(&mut load, session, plan)?;
    load.note_faults(session);
    round.connect_seconds = load.login.seconds;
    round.dropped += disconnected(&mut stalled)?;
    drop(stalled);
    Ok(session.finish(round))
}

/// How many of these the server has disconnected. What it sent before comes before the end does.
fn disconnected(stalled: &mut Clients) -> io::Result<u64> {
    const QUIET: Duration = Duration::from_millis(300);
    const LONGEST: Duration = Duration::from_secs(3);
    let (start, mut count) = (Instant::now(), 0);
    let mut is_quiet = false;
    stalled.read_at_last()?;
    while !is_quiet && count < stalled.all().len() && start.elapsed() < LONGEST {
        is_quiet = true;
        stalled.poll(Some(QUIET), |_, _, event| {
            is_quiet = false;
            count += usize::from(matches!(event, Event::Closed));
        })?;
    }
    Ok(count as u64)
}

impl FanOut<'_> {
    /// What was lost, duplicated, out of order and damaged at the clients of one of so many servers.
    fn faults(&self, nth: usize, servers: usize) -> [u64; 4] {
        let mut faults = [0; 4];
        for member in self.members.iter().skip(nth).step_by(servers) {
            if member.takes_part {
                faults[0] += self.log.missing(&member.log);
            }
            faults[1] += member.log.duplicated;
            faults[2] += member.log.out_of_order;
            faults[3] += member.log.damaged;
        }
        faults
    }

    /// Notes what went wrong at the clients of each of several servers.
    fn note_faults(&self, session: &mut Session<'_>) {
        let servers = session.server.names();
        for (nth, server) in servers.iter().enumerate().filter(|_| servers.len() > 1) {
            let clients = session.clients.all().iter();
            let clients: Vec<_> = clients.skip(nth).step_by(servers.len()).collect();
            let gone = clients.iter().filter(|client| !client.is_in).count();
            let gone = (gone as u64, format!("of {} clients gone", clients.len()));
            let kinds = ["lost", "duplicated", "out of order", "damaged"].map(str::to_owned);
            let faults = self.faults(nth, servers.len()).into_iter().zip(kinds);
            let seen = faults.chain([gone]).filter(|(count, _)| *count > 0);
            let seen: Vec<_> = seen
                .map(|(count, what)| format!("{count} {what}"))
                .collect();
            if !seen.is_empty() {
                let seen = seen.join(", ");
                session
                    .notes
                    .push(format!("at the clients of {server}: {seen}"));
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
            self.format.write(nth, number, &mut self.message);
            client.send(&self.message);
            if !rec.schedule.is_open_loop() {
                return;
            }
        }
        self.behind.insert(nth);
    }

    /// Checks what a client has read, and returns whether a message of its own was there.
    fn read(
        &mut self,
        number: usize,
        client: &mut Client,
        bytes: &[u8],
        rec: &mut Recorder,
    ) -> bool {
        let now = rec.now();
        let (mut deliveries, mut own_came_back) = (0, false);
        let member = &mut self.members[number];
        client.lines.cut(bytes, |line| {
            let Some((prefix, sender, number, is_whole)) = self.format.read(line) else {
                return;
            };
            // The original room passes on what it reads at once as one message, even if its sender
            // sent several; the second and later ones come without a prefix.
            let prefix_fits = prefix.is_empty()
                || (self.senders.get(sender)).is_some_and(|sender| prefix == sender.prefix);
            if !is_whole || !prefix_fits {
                member.log.damaged += 1;
            } else if let Some(at) = self.log.receive(&mut member.log, sender, number) {
                rec.record(now, at);
                deliveries += 1;
                own_came_back |= member.sender == Some(sender);
            }
        });
        if deliveries > 0 {
            rec.delivered(now, deliveries);
        }
        own_came_back
    }
}

impl Load for FanOut<'_> {
    const STAYS: bool = true;

    fn begin(&mut self, format: Format, clients: &mut Clients) {
        self.format = format;
        self.members.clear();
        let mut present = Vec::new();
        for (number, client) in clients.all().iter().enumerate() {
            present.extend(client.is_in.then_some(number));
            self.members.push(Member {
                takes_part: client.is_in,
                ..Member::default()
            });
        }
        let count = self.plan.senders.unwrap_or(0).min(present.len());
        self.log = DeliveryLog::new(count, present.len());
        self.behind.clear();
        self.senders.clear();
        let mut random = fastrand::Rng::with_seed(self.plan.seed);
        for (nth, client) in (0..).zip(random.choose_multiple(present, count)) {
            self.members[client].sender = Some(nth);
            self.senders.push(Sender {
                client,
                prefix: clients.all()[client].prefix.clone(),
                sent: 0,
            });
        }
    }

    fn turns(&self) -> usize {
        self.senders.len()
    }

    fn send(&mut self, due: Range<u64>, clients: &mut Clients, rec: &mut Recorder) -> bool {
        let senders = self.senders.len();
        let newly_due = due.take(senders).map(|nth| nth as usize % senders);
        for nth in std::mem::take(&mut self.behind)
            .into_iter()
            .chain(newly_due)
        {
            self.send_next(nth, &mut clients.all()[self.senders[nth].client], rec);
        }
        !self.behind.is_empty()
    }

    fn handle(&mut self, number: usize, client: &mut Client, event: Event<'_>, rec: &mut Recorder) {
        let is_open_loop = rec.schedule.is_open_loop();
        let sends = match event {
            Event::Bytes(bytes) => self.read(number, client, bytes, rec) && !is_open_loop,
            Event::Writable => is_open_loop,
            Event::Connected => false,
            Event::Closed => {
                self.login.leave(client);
                self.log.leave(&self.members[number].log);
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

    fn login(&self) -> &Login {
        &self.login
    }

    fn finish(&mut self, rec: &mut Recorder) {
        for (at, missing) in self.log.lost() {
            rec.lose(at, missing);
        }
        let each = u64::from(self.log.clients);
        for (nth, sender) in self.senders.iter().enumerate() {
            rec.never_sent(sender.sent, nth, self.senders.len(), each);
        }
        let counts = &mut rec.counts;
        [_, counts.duplicated, counts.out_of_order, counts.damaged] = self.faults(0, 1);
        counts.connected = self.log.clients as usize;
        counts.messages += self.log.messages;
        counts.dropped = self.login.dropped;
    }
}
