//! Scenarios `chat`, `slow` and `idle`: everyone hears everyone, and every client checks every message.
//! In `slow` there are clients beside it that never read; in `idle` nobody sends.

use std::io;
use std::ops::Range;

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::delivery::{ClientLog, DeliveryLog};
use crate::lab::load::message::{Format, MEASURED};
use crate::lab::load::protocol::Protocol;
use crate::lab::load::recorder::Recorder;
use crate::lab::results::record::Round;
use crate::lab::scenario::drive::{Load, RoundPlan, measure};
use crate::lab::scenario::login::{Login, Seat, enter, nobody_left};
use crate::lab::scenario::session::Session;

/// Messages that one sender may send before the others have their turn.
const BURST: usize = 64;

struct FanOut<'a> {
    plan: &'a RoundPlan,
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

struct Member {
    seat: Seat,
    log: ClientLog,
    sender: Option<usize>,
}

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
    let mut clients = Clients::new(session.addr())?;
    let mut login = enter(&mut clients, Protocol::Chat, plan.clients, session)?;
    let mut stalled = login.enter_stalled(&mut clients, plan.stalled, session)?;
    let connect_seconds = login.seconds();
    let mut load = FanOut::new(login, plan);
    let mut round = measure(&mut load, &mut clients, session, plan)?;
    if plan.senders > 0 && round.deliveries == 0 && load.present == 0 {
        return Err(nobody_left(session));
    }
    for client in &mut stalled {
        round.dropped += u64::from(client.is_disconnected());
    }
    drop((stalled, clients));
    session.finish(Round {
        connect_seconds,
        ..round
    })
}

impl FanOut<'_> {
    fn new(login: Login, plan: &RoundPlan) -> FanOut<'_> {
        let members = login.seats.into_iter().map(|seat| Member {
            seat,
            log: ClientLog::default(),
            sender: None,
        });
        FanOut {
            plan,
            format: Format::new(MEASURED, plan.size, plan.seed),
            log: DeliveryLog::default(),
            members: members.collect(),
            senders: Vec::new(),
            behind: Vec::new(),
            connected: login.inside,
            present: login.inside,
            dropped: login.dropped,
            message: Vec::new(),
        }
    }

    fn send_next(&mut self, nth: usize, client: &mut Client, recorder: &mut Recorder) {
        let all = self.senders.len();
        let sender = &mut self.senders[nth];
        sender.is_behind = false;
        for _ in 0..BURST {
            // `Event::Writable` follows, or it has been disconnected.
            if !client.is_writable() {
                return;
            }
            let Some(at) = recorder.due(recorder.now(), sender.sent, nth, all) else {
                return;
            };
            if self.log.outstanding() == 0 {
                recorder.awake(at);
            }
            if let Some((at, missing)) = self.log.make_room() {
                recorder.lose(at, missing);
            }
            let number = self.log.send(nth, at);
            sender.sent += 1;
            self.format.write(nth as u32, number, &mut self.message);
            client.send(&self.message);
            if recorder.schedule().is_none() {
                return;
            }
        }
        sender.is_behind = true;
        self.behind.push(nth);
    }

    fn read(&mut self, number: usize, bytes: &[u8], recorder: &mut Recorder) -> bool {
        let now = recorder.now();
        let FanOut {
            format,
            log,
            senders,
            members,
            ..
        } = self;
        let Member {
            seat,
            log: client,
            sender: own,
        } = &mut members[number];
        let mut own_came_back = false;
        let before = log.deliveries();
        seat.lines.cut(bytes, |line| {
            let Some((prefix, sender, number, is_whole)) = format.read(line) else {
                return;
            };
            let sender = sender as usize;
            // The original room passes on what it reads at once as one message, even if its sender
            // sent several; the second and later ones come without a prefix.
            let prefix_fits = prefix.is_empty()
                || (senders.get(sender)).is_some_and(|sender| prefix == sender.prefix);
            if !is_whole || !prefix_fits {
                recorder.counts.damaged += 1;
            } else if let Some(at) = log.receive(client, sender, number) {
                recorder.record(now, at);
                own_came_back |= *own == Some(sender);
            }
        });
        let deliveries = log.deliveries() - before;
        if deliveries > 0 {
            recorder.delivered(now, deliveries);
        }
        own_came_back
    }
}

impl Load for FanOut<'_> {
    fn begin(&mut self, mark: u8, _: &mut Clients) {
        let plan = self.plan;
        self.format = Format::new(mark, plan.size, plan.seed);
        let present: Vec<usize> = (0..self.members.len())
            .filter(|&number| self.members[number].seat.is_in)
            .collect();
        for member in &mut self.members {
            member.log = ClientLog::default();
            member.sender = None;
        }
        self.connected = present.len();
        let count = plan.senders.min(present.len());
        let chosen = fastrand::Rng::with_seed(plan.seed).choose_multiple(present, count);
        self.senders.clear();
        self.behind.clear();
        for (nth, client) in chosen.into_iter().enumerate() {
            let member = &mut self.members[client];
            member.sender = Some(nth);
            self.senders.push(Sender {
                client,
                prefix: member.seat.prefix.clone(),
                sent: 0,
                is_behind: false,
            });
        }
        self.log = DeliveryLog::new(count, self.connected);
    }

    fn turns(&self) -> usize {
        self.senders.len()
    }

    fn send(
        &mut self,
        due: Range<u64>,
        clients: &mut Clients,
        recorder: &mut Recorder,
    ) -> io::Result<bool> {
        let all = self.senders.len();
        for nth in std::mem::take(&mut self.behind) {
            self.send_next(nth, &mut clients.all()[self.senders[nth].client], recorder);
        }
        for nth in due.take(all).map(|nth| (nth % all as u64) as usize) {
            if !self.senders[nth].is_behind {
                self.send_next(nth, &mut clients.all()[self.senders[nth].client], recorder);
            }
        }
        Ok(!self.behind.is_empty())
    }

    fn handle(
        &mut self,
        number: usize,
        client: &mut Client,
        event: Event<'_>,
        recorder: &mut Recorder,
    ) -> io::Result<()> {
        let is_open_loop = recorder.schedule().is_some();
        let sends = match event {
            Event::Bytes(bytes) => self.read(number, bytes, recorder) && !is_open_loop,
            Event::Writable => is_open_loop,
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
        if let (Some(nth), true) = (self.members[number].sender, sends)
            && !self.senders[nth].is_behind
        {
            self.send_next(nth, client, recorder);
        }
        Ok(())
    }

    fn outstanding(&self) -> u64 {
        self.log.outstanding() + self.behind.len() as u64
    }

    fn present(&self) -> usize {
        self.present
    }

    fn finish(&mut self, recorder: &mut Recorder) {
        for (at, missing) in self.log.lost() {
            recorder.lose(at, missing);
        }
        let (all, each) = (self.senders.len(), self.connected as u64);
        for (nth, sender) in self.senders.iter().enumerate() {
            recorder.never_sent(sender.sent, nth, all, each);
        }
        let counts = &mut recorder.counts;
        counts.connected = self.connected;
        counts.messages += self.log.messages();
        counts.duplicated = self.log.duplicated();
        counts.out_of_order = self.log.out_of_order();
        counts.dropped = self.dropped;
    }
}
