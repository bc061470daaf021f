//! The accounts of a round: every message that was sent, and what each client has got of them.
//!
//! The room has one order for all. The ledger numbers the messages in the order in which the first
//! client sees them; every other client must see the same order, so in the good case a delivery
//! costs one comparison.

use std::ops::Range;

/// Everything that was sent, and the sums over all clients.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By sender, then by number.
    sent: Vec<Vec<Sent>>,
    /// By sender: how many of its messages have a place in the order.
    placed: Vec<u32>,
    /// Messages that have a place in the order.
    order: u32,
    /// Clients that should get what is sent.
    present: u64,
    /// Deliveries that should come, without those of clients that have left.
    due: u64,
    /// The part of `due` that has come.
    got: u64,
    lost_by_leavers: u64,
    got_by_leavers: u64,
    duplicated: u64,
    out_of_order: u64,
}

/// What one client has got.
#[derive(Debug, Default)]
pub struct Account {
    /// Everything before this place in the order has come or is in `missing`.
    next: u32,
    /// Places that were passed over, in rising order.
    missing: Vec<Range<u32>>,
    got: u32,
}

#[derive(Debug)]
struct Sent {
    /// The intended time of sending, in nanoseconds of the round.
    at: u64,
    place: u32,
}

const NO_PLACE: u32 = u32::MAX;

impl Ledger {
    /// An empty ledger for a room with that many senders and clients.
    pub fn new(senders: usize, clients: usize) -> Ledger {
        Ledger {
            sent: (0..senders).map(|_| Vec::new()).collect(),
            placed: vec![0; senders],
            present: clients as u64,
            ..Ledger::default()
        }
    }

    /// Enters a message that was to be sent at `at` nanoseconds of the round and returns its number.
    pub fn send(&mut self, sender: u32, at: u64) -> u32 {
        let sent = &mut self.sent[sender as usize];
        sent.push(Sent {
            at,
            place: NO_PLACE,
        });
        self.due += self.present;
        (sent.len() - 1) as u32
    }

    /// Enters a delivery and returns when it was to be sent, or `None` if it came twice or was never
    /// sent (which counts as duplicated: the room made it up).
    pub fn receive(&mut self, account: &mut Account, sender: u32, number: u32) -> Option<u64> {
        let Some(sent) = self
            .sent
            .get(sender as usize)
            .and_then(|sent| sent.get(number as usize))
        else {
            self.duplicated += 1;
            return None;
        };
        let (at, mut place) = (sent.at, sent.place);
        if place == NO_PLACE {
            place = self.place(sender, number);
        }
        if place == account.next {
            account.next += 1;
        } else if place > account.next {
            account.missing.push(account.next..place);
            account.next = place + 1;
        } else if account.find(place) {
            self.out_of_order += 1;
        } else {
            self.duplicated += 1;
            return None;
        }
        account.got += 1;
        self.got += 1;
        Some(at)
    }

    /// Gives a message the next place in the order, after all that its sender sent before it: they
    /// must come before it at every client, even if the first to see this one has not got them.
    fn place(&mut self, sender: u32, number: u32) -> u32 {
        let placed = &mut self.placed[sender as usize];
        for sent in &mut self.sent[sender as usize][*placed as usize..=number as usize] {
            sent.place = self.order;
            self.order += 1;
        }
        *placed = number + 1;
        self.order - 1
    }

    /// A client has been disconnected: what it has not got is lost, and nothing more is due to it.
    pub fn leave(&mut self, account: &Account) {
        let sent = self.messages();
        self.present -= 1;
        self.due -= sent;
        self.got -= u64::from(account.got);
        self.got_by_leavers += u64::from(account.got);
        self.lost_by_leavers += sent - u64::from(account.got);
    }

    /// Messages that were sent.
    pub fn messages(&self) -> u64 {
        self.sent.iter().map(|sent| sent.len() as u64).sum()
    }

    /// Deliveries that came, each counted once.
    pub fn deliveries(&self) -> u64 {
        self.got + self.got_by_leavers
    }

    /// Deliveries that may still come.
    pub fn outstanding(&self) -> u64 {
        self.due - self.got
    }

    /// Deliveries that never came, if nothing more comes.
    pub fn lost(&self) -> u64 {
        self.lost_by_leavers + self.outstanding()
    }

    /// Deliveries that came twice, or that nobody sent.
    pub fn duplicated(&self) -> u64 {
        self.duplicated
    }

    /// Deliveries that came later than the order at the other clients has them.
    pub fn out_of_order(&self) -> u64 {
        self.out_of_order
    }
}

impl Account {
    /// Takes `place` out of what is missing.
    fn find(&mut self, place: u32) -> bool {
        let i = self.missing.partition_point(|gap| gap.end <= place);
        let Some(gap) = self.missing.get(i).filter(|gap| gap.contains(&place)) else {
            return false;
        };
        let halves = [gap.start..place, place + 1..gap.end];
        let rest = halves.into_iter().filter(|half| !half.is_empty());
        self.missing.splice(i..=i, rest);
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plays what each client gets, as (sender, number), after `sent` messages of each sender.
    fn play(sent: &[u32], clients: &[&[(u32, u32)]]) -> Ledger {
        let mut ledger = Ledger::new(sent.len(), clients.len());
        for (sender, &count) in sent.iter().enumerate() {
            for number in 0..count {
                ledger.send(sender as u32, u64::from(number));
            }
        }
        for deliveries in clients {
            let mut account = Account::default();
            for &(sender, number) in *deliveries {
                ledger.receive(&mut account, sender, number);
            }
        }
        ledger
    }

    fn counts(ledger: &Ledger) -> [u64; 4] {
        [
            ledger.deliveries(),
            ledger.lost(),
            ledger.duplicated(),
            ledger.out_of_order(),
        ]
    }

    #[test]
    fn the_same_order_at_all_is_right_whatever_it_is() {
        let order = [(1, 0), (0, 0), (0, 1), (1, 1)];
        assert_eq!(
            counts(&play(&[2, 2], &[&order, &order, &order])),
            [12, 0, 0, 0]
        );
    }

    #[test]
    fn a_lost_one_is_counted_where_it_was_lost() {
        // The first client to see the order has not got everything itself.
        let whole = [(0, 0), (0, 1), (0, 2)];
        let holed = [(0, 0), (0, 2)];
        assert_eq!(counts(&play(&[3], &[&holed, &whole])), [5, 1, 0, 0]);
        assert_eq!(counts(&play(&[3], &[&whole, &holed])), [5, 1, 0, 0]);
        assert_eq!(counts(&play(&[3], &[&whole, &[]])), [3, 3, 0, 0]);
    }

    #[test]
    fn one_that_comes_twice_is_no_delivery() {
        let twice = [(0, 0), (0, 1), (0, 0), (0, 1)];
        assert_eq!(counts(&play(&[2], &[&twice])), [2, 0, 2, 0]);
        assert_eq!(
            counts(&play(&[1], &[&[(0, 0), (0, 1), (9, 0)]])),
            [1, 0, 2, 0],
            "what nobody sent"
        );
    }

    #[test]
    fn a_late_one_is_out_of_order_but_not_lost() {
        let late = [(0, 1), (0, 2), (0, 0)];
        assert_eq!(counts(&play(&[3], &[&late])), [3, 0, 0, 1]);
        assert_eq!(
            counts(&play(&[1, 1], &[&[(0, 0), (1, 0)], &[(1, 0), (0, 0)]])),
            [4, 0, 0, 1],
            "two clients that saw two orders"
        );
    }

    #[test]
    fn nothing_is_due_to_one_who_left() {
        let mut ledger = Ledger::new(1, 2);
        let mut stays = Account::default();
        let mut leaves = Account::default();
        ledger.send(0, 0);
        ledger.send(0, 0);
        ledger.receive(&mut leaves, 0, 0);
        ledger.leave(&leaves);
        ledger.send(0, 0);
        for number in 0..3 {
            ledger.receive(&mut stays, 0, number);
        }
        assert_eq!(ledger.outstanding(), 0);
        assert_eq!(counts(&ledger), [4, 1, 0, 0]);
    }

    #[test]
    fn the_intended_time_comes_back_with_the_delivery() {
        let mut ledger = Ledger::new(1, 1);
        let number = ledger.send(0, 1234);
        let mut account = Account::default();
        assert_eq!(ledger.receive(&mut account, 0, number), Some(1234));
        assert_eq!(ledger.receive(&mut account, 0, number), None);
    }

    proptest! {
        /// Whatever comes, what came once and what is missing add up to what was sent.
        #[test]
        fn the_books_balance(deliveries in prop::collection::vec((0u32..3, 0u32..20), 0..200)) {
            let ledger = play(&[15, 15, 15], &[&deliveries]);
            let mut real: Vec<_> = deliveries.iter().filter(|(_, n)| *n < 15).collect();
            real.sort();
            real.dedup();
            prop_assert_eq!(ledger.deliveries(), real.len() as u64);
            prop_assert_eq!(ledger.lost(), 45 - real.len() as u64);
            prop_assert_eq!(ledger.duplicated(), (deliveries.len() - real.len()) as u64);
        }
    }
}
