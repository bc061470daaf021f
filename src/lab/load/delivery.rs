//! The delivery log of a round: every message that was sent, and what each client has received of them.
//!
//! The room has one order for all. The log numbers the messages in the order in which the first client
//! sees them; every other client must see the same order, so in the good case a delivery costs one
//! comparison.

use std::collections::VecDeque;
use std::ops::Range;

/// Messages that the log keeps at most: some 100 MB. If more are on their way, the oldest are given up.
const LONGEST: usize = 1 << 22;

/// Gaps that are kept per client at most. What was missing in older ones counts as lost, and as
/// duplicated if it comes after all.
const MOST_GAPS: usize = 1024;

/// Everything that was sent, and what may still come.
#[derive(Debug, Default)]
pub struct DeliveryLog {
    senders: Vec<Sent>,
    clients: Vec<ClientLog>,
    /// Messages that have a place in the order.
    order: u32,
    /// Clients at the start: each message is due to all of them, also to those that the server
    /// disconnects.
    pub takers: u32,
    /// Clients that are still connected.
    present: u64,
    /// Messages that were sent.
    pub messages: u64,
    /// Deliveries that may still come.
    pub outstanding: u64,
    /// Messages in all the queues.
    kept: usize,
}

/// The messages of one sender.
#[derive(Debug, Default)]
struct Sent {
    /// Those that not all clients have received, and what was sent after them.
    queue: VecDeque<Message>,
    /// The number of the first in the queue.
    first: u32,
    /// Messages that have a place in the order.
    placed: u32,
}

#[derive(Debug)]
struct Message {
    /// The intended time of sending, in nanoseconds of the round.
    at: u64,
    place: u32,
    /// Clients that have not received it.
    missing: u32,
}

/// What one client has received.
#[derive(Debug, Default)]
struct ClientLog {
    /// Whether it is in at the start, so that every message is due to it.
    is_taker: bool,
    /// Everything before this place in the order was received or is in `gaps`.
    next: u32,
    /// Places that were passed over, in rising order.
    gaps: Vec<Range<u32>>,
    received: u64,
    /// Deliveries that came twice, or that nobody sent.
    duplicated: u64,
    /// Deliveries that came later than the order at the other clients has them.
    out_of_order: u64,
    /// Deliveries that are not what was sent.
    damaged: u64,
}

const NO_PLACE: u32 = u32::MAX;

impl DeliveryLog {
    /// An empty log for a room with that many senders, and these clients: whether they are in.
    pub fn new(senders: usize, clients: impl Iterator<Item = bool>) -> DeliveryLog {
        let log = |is_taker| ClientLog {
            is_taker,
            ..ClientLog::default()
        };
        let clients: Vec<_> = clients.map(log).collect();
        let takers = clients.iter().filter(|client| client.is_taker).count();
        DeliveryLog {
            senders: (0..senders).map(|_| Sent::default()).collect(),
            clients,
            takers: takers as u32,
            present: takers as u64,
            ..DeliveryLog::default()
        }
    }

    /// Enters a message that was to be sent at `at` nanoseconds of the round and returns its number.
    pub fn send(&mut self, sender: usize, at: u64) -> u32 {
        let sent = &mut self.senders[sender];
        sent.queue.push_back(Message {
            at,
            place: NO_PLACE,
            missing: self.takers,
        });
        self.kept += 1;
        self.messages += 1;
        self.outstanding += self.present;
        sent.first + (sent.queue.len() - 1) as u32
    }

    /// Gives up the oldest message if the log is full, and returns when it was to be sent and how many
    /// clients have not received it.
    pub fn make_room(&mut self) -> Option<(u64, u64)> {
        if self.kept < LONGEST {
            return None;
        }
        let oldest = |sent: &&mut Sent| sent.queue.front().map_or(u64::MAX, |message| message.at);
        let sent = self.senders.iter_mut().min_by_key(oldest)?;
        let message = sent.queue.pop_front()?;
        self.kept -= 1;
        sent.first += 1;
        sent.placed = sent.placed.max(sent.first);
        Some((message.at, u64::from(message.missing)))
    }

    /// Enters a delivery and returns when it was to be sent, or `None` if it came twice or was never
    /// sent (which counts as duplicated: the room made it up).
    pub fn receive(&mut self, client: usize, sender: usize, number: u32) -> Option<u64> {
        let place = self.place(sender, number);
        let client = &mut self.clients[client];
        if !place.is_some_and(|place| client.take(place)) {
            client.duplicated += 1;
            return None;
        }
        client.received += 1;
        self.outstanding -= 1;
        let sent = &mut self.senders[sender];
        let message = &mut sent.queue[(number - sent.first) as usize];
        message.missing -= 1;
        let at = message.at;
        while sent.queue.front().is_some_and(|front| front.missing == 0) {
            sent.queue.pop_front();
            sent.first += 1;
            self.kept -= 1;
        }
        Some(at)
    }

    /// The place of a message in the order. One without a place gets the next, after all that its
    /// sender sent before it: they must come before it at every client, even if the first to see this
    /// one has not received them.
    fn place(&mut self, sender: usize, number: u32) -> Option<u32> {
        let sent = self.senders.get_mut(sender)?;
        let index = number.checked_sub(sent.first)? as usize;
        let place = sent.queue.get(index)?.place;
        if place != NO_PLACE {
            return Some(place);
        }
        let unplaced = (sent.placed - sent.first) as usize;
        for message in sent.queue.range_mut(unplaced..=index) {
            message.place = self.order;
            self.order += 1;
        }
        sent.placed = number + 1;
        Some(self.order - 1)
    }

    /// Enters what came to a client and is not what was sent.
    pub fn damaged(&mut self, client: usize) {
        self.clients[client].damaged += 1;
    }

    /// A client has been disconnected: what it has not received will not come.
    pub fn leave(&mut self, client: usize) {
        self.present -= 1;
        self.outstanding -= self.messages - self.clients[client].received;
    }

    /// What never came, if nothing more comes: for each message when it was to be sent, and how many
    /// clients have not received it.
    pub fn lost(&self) -> impl Iterator<Item = (u64, u64)> {
        let messages = self.senders.iter().flat_map(|sent| &sent.queue);
        messages.map(|message| (message.at, u64::from(message.missing)))
    }

    /// What was lost, duplicated, out of order and damaged at every `step`th client from `first` on.
    pub fn faults(&self, first: usize, step: usize) -> [u64; 4] {
        let mut faults = [0; 4];
        for client in self.clients.iter().skip(first).step_by(step) {
            if client.is_taker {
                faults[0] += self.messages - client.received;
            }
            faults[1] += client.duplicated;
            faults[2] += client.out_of_order;
            faults[3] += client.damaged;
        }
        faults
    }
}

impl ClientLog {
    /// Whether the message at this place has not come before.
    fn take(&mut self, place: u32) -> bool {
        if place == self.next {
            self.next += 1;
            return true;
        }
        if place > self.next {
            self.gaps.push(self.next..place);
            self.next = place + 1;
        } else if self.fill(place) {
            self.out_of_order += 1;
        } else {
            return false;
        }
        if self.gaps.len() > MOST_GAPS {
            self.gaps.remove(0);
        }
        true
    }

    /// Takes `place` out of the gaps.
    fn fill(&mut self, place: u32) -> bool {
        let i = self.gaps.partition_point(|gap| gap.end <= place);
        let Some(gap) = self.gaps.get(i).filter(|gap| gap.contains(&place)) else {
            return false;
        };
        let halves = [gap.start..place, place + 1..gap.end];
        let rest = halves.into_iter().filter(|half| !half.is_empty());
        self.gaps.splice(i..=i, rest);
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log(senders: usize, clients: usize) -> DeliveryLog {
        DeliveryLog::new(senders, (0..clients).map(|_| true))
    }

    /// Plays what each client gets, as (sender, number), after `sent` messages of each sender.
    fn play(sent: &[u32], clients: &[&[(usize, u32)]]) -> [u64; 4] {
        let mut log = log(sent.len(), clients.len());
        for (sender, &count) in sent.iter().enumerate() {
            for number in 0..count {
                log.send(sender, u64::from(number));
            }
        }
        for (client, deliveries) in clients.iter().enumerate() {
            for &(sender, number) in *deliveries {
                log.receive(client, sender, number);
            }
        }
        counts(&log)
    }

    /// What was received, lost, duplicated and out of order.
    fn counts(log: &DeliveryLog) -> [u64; 4] {
        let received = log.clients.iter().map(|client| client.received).sum();
        let [lost, duplicated, out_of_order, _] = log.faults(0, 1);
        let missing: u64 = log.lost().map(|(_, missing)| missing).sum();
        assert_eq!(lost, missing, "by client and by message");
        [received, lost, duplicated, out_of_order]
    }

    #[test]
    fn any_order_is_right_if_all_clients_have_it() {
        let order = [(1, 0), (0, 0), (0, 1), (1, 1)];
        assert_eq!(play(&[2, 2], &[&order, &order, &order]), [12, 0, 0, 0]);
    }

    #[test]
    fn lost_message_is_counted_at_its_client() {
        // The first client to see the order has not got everything itself.
        let whole = [(0, 0), (0, 1), (0, 2)];
        let holed = [(0, 0), (0, 2)];
        assert_eq!(play(&[3], &[&holed, &whole]), [5, 1, 0, 0]);
        assert_eq!(play(&[3], &[&whole, &holed]), [5, 1, 0, 0]);
        assert_eq!(play(&[3], &[&whole, &[]]), [3, 3, 0, 0]);
    }

    #[test]
    fn duplicate_is_no_delivery() {
        let twice = [(0, 0), (0, 1), (0, 0), (0, 1)];
        assert_eq!(play(&[2], &[&twice]), [2, 0, 2, 0]);
        assert_eq!(
            play(&[1], &[&[(0, 0), (0, 1), (9, 0)]]),
            [1, 0, 2, 0],
            "what nobody sent"
        );
    }

    #[test]
    fn late_message_is_out_of_order_but_not_lost() {
        let late = [(0, 1), (0, 2), (0, 0)];
        assert_eq!(play(&[3], &[&late]), [3, 0, 0, 1]);
        assert_eq!(
            play(&[1, 1], &[&[(0, 0), (1, 0)], &[(1, 0), (0, 0)]]),
            [4, 0, 0, 1],
            "two clients that saw two orders"
        );
    }

    #[test]
    fn what_a_disconnected_client_misses_is_lost_and_not_waited_for() {
        let mut log = log(1, 2);
        let (stays, leaves) = (0, 1);
        log.send(0, 0);
        log.send(0, 0);
        log.receive(leaves, 0, 0);
        log.leave(leaves);
        log.send(0, 0);
        for number in 0..3 {
            log.receive(stays, 0, number);
        }
        assert_eq!(log.outstanding, 0);
        assert_eq!(counts(&log), [4, 2, 0, 0]);
    }

    #[test]
    fn the_intended_time_comes_back_with_the_delivery() {
        let mut log = log(1, 1);
        let number = log.send(0, 1234);
        assert_eq!(log.receive(0, 0, number), Some(1234));
        assert_eq!(log.receive(0, 0, number), None);
    }

    #[test]
    fn memory_is_bounded_and_dropped_messages_are_returned() {
        let mut log = log(2, 3);
        for nth in 0..LONGEST as u32 {
            assert_eq!(log.make_room(), None);
            log.send(nth as usize % 2, u64::from(nth));
        }
        log.receive(0, 0, 0);
        assert_eq!(log.make_room(), Some((0, 2)), "one of three has it");
        assert_eq!(log.make_room(), None);
        log.send(0, 1);
        assert_eq!(log.receive(0, 0, 0), None, "given up");
        assert_eq!(log.receive(0, 0, 1), Some(2));
        // What everyone has is forgotten.
        let mut log = self::log(1, 1);
        for number in 0..100 {
            log.send(0, 0);
            log.receive(0, 0, number);
        }
        assert!(log.kept <= 1, "{} kept", log.kept);
    }

    #[test]
    fn gaps_are_bounded() {
        let mut log = log(1, 1);
        for number in 0..10_000 {
            log.send(0, 0);
            if number % 2 == 1 {
                log.receive(0, 0, number);
            }
        }
        assert!(log.clients[0].gaps.len() <= MOST_GAPS);
        assert_eq!(counts(&log), [5000, 5000, 0, 0]);
    }

    #[test]
    fn gaps_that_late_messages_divide_are_bounded() {
        let mut log = log(1, 1);
        for _ in 0..10_000 {
            log.send(0, 0);
        }
        log.receive(0, 0, 9999);
        for number in (0..9999).filter(|number| number % 2 == 1) {
            log.receive(0, 0, number);
        }
        assert!(log.clients[0].gaps.len() <= MOST_GAPS);
        let [received, lost, duplicated, out_of_order] = counts(&log);
        assert_eq!([received + lost, received + duplicated], [10_000, 5000]);
        assert_eq!(out_of_order, received - 1);
    }

    proptest! {
        /// Whatever comes, what came once and what is missing add up to what was sent.
        #[test]
        fn received_and_missing_add_up_to_sent(deliveries in prop::collection::vec((0usize..3, 0u32..20), 0..200)) {
            let [received, lost, duplicated, _] = play(&[15, 15, 15], &[&deliveries]);
            let mut real: Vec<_> = deliveries.iter().filter(|(_, n)| *n < 15).collect();
            real.sort();
            real.dedup();
            prop_assert_eq!(received, real.len() as u64);
            prop_assert_eq!(lost, 45 - real.len() as u64);
            prop_assert_eq!(duplicated, (deliveries.len() - real.len()) as u64);
        }
    }
}
