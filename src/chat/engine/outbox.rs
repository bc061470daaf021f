//! The batches that may have to be sent again, and the users that there were before them.
//!
//! An engine that dies, or is switched to a replica, may lose what it has answered already. A batch that was
//! seen here and nowhere else would be lost for the others, so even one that has come back is kept for a
//! while. A server that has seen it knows its number, and ignores it the second time.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::record::Parcel;
use crate::chat::online_map::Client;

/// How long batches that have come back are kept.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// Maximum size of the batches that are kept, in bytes.
const KEPT: usize = 1024 * 1024;

/// Approximate size of a batch without its text, in bytes.
const OVERHEAD: usize = 128;

#[derive(Default)]
pub struct Outbox {
    /// Number of the last batch.
    pub last: u64,
    /// Number of the last batch that the engine has, as far as is known.
    pub taken: u64,
    parcels: VecDeque<Parcel>,
    bytes: usize,
    /// The users as they were before the first of `parcels`.
    users: BTreeMap<u64, Client>,
}

impl Outbox {
    pub fn push(&mut self, parcel: Parcel) {
        self.last = parcel.n;
        self.bytes += parcel.lines.len() + OVERHEAD;
        self.parcels.push_back(parcel);
    }

    /// The first batch that the engine has not.
    pub fn next(&self) -> Option<&Parcel> {
        self.parcels.iter().find(|parcel| parcel.n > self.taken)
    }

    /// Drops what need not be sent again, `back` being the last batch that has come back.
    pub fn tidy(&mut self, back: u64, now: Instant) {
        while let Some(parcel) = self.parcels.front() {
            let old = now.saturating_duration_since(parcel.made) > KEPT_FOR;
            if parcel.n > back || !old && self.bytes <= KEPT {
                break;
            }
            self.bytes -= parcel.lines.len() + OVERHEAD;
            parcel.apply(&mut self.users);
            self.parcels.pop_front();
        }
    }

    /// The batch after which to go on with an engine that has had the batches up to `theirs`.
    pub fn base(&self, theirs: u64) -> u64 {
        let first = self
            .parcels
            .front()
            .map_or(self.last + 1, |parcel| parcel.n);
        theirs.clamp(first - 1, self.last)
    }

    /// The users as they were after a batch.
    pub fn users_at(&self, base: u64) -> BTreeMap<u64, Client> {
        let mut users = self.users.clone();
        let before = self.parcels.iter().take_while(|parcel| parcel.n <= base);
        before.for_each(|parcel| parcel.apply(&mut users));
        users
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(users: &BTreeMap<u64, Client>) -> Vec<u64> {
        users.keys().copied().collect()
    }

    /// In batch `n` the user `n` comes, and the user `n - 2` goes.
    fn outbox(batches: u64) -> Outbox {
        let mut outbox = Outbox::default();
        for n in 1..=batches {
            let mut parcel = Parcel::new(n);
            let clnt = Client::new(format!("127.0.0.1:{n}"));
            parcel.users.push((n, Some(clnt)));
            parcel.users.push((n.saturating_sub(2), None));
            outbox.push(parcel);
        }
        outbox
    }

    #[test]
    fn batches_that_came_back_are_kept_for_a_while() {
        let mut outbox = outbox(200);
        let now = Instant::now();
        outbox.tidy(150, now);
        assert_eq!(outbox.base(0), 0);
        let mut long = Parcel::new(201);
        long.lines = vec![b'x'; KEPT];
        outbox.push(long);
        outbox.tidy(150, now);
        assert_eq!(outbox.base(0), 150);
        outbox.taken = 150;
        assert_eq!(outbox.next().map(|parcel| parcel.n), Some(151));
        outbox.tidy(150, now + KEPT_FOR * 2);
        assert_eq!(outbox.base(0), 150, "what has not come back stays");
        outbox.tidy(201, now + KEPT_FOR * 2);
        assert_eq!(outbox.base(0), 201);
        outbox.taken = 201;
        assert!(outbox.next().is_none());
    }

    #[test]
    fn an_engine_is_never_taken_to_know_more_than_there_is() {
        assert_eq!(outbox(5).base(3), 3);
        assert_eq!(outbox(5).base(9), 5);
        assert_eq!(Outbox::default().base(9), 0);
    }

    #[test]
    fn users_are_known_as_of_each_batch() {
        let mut outbox = outbox(6);
        assert_eq!(ids(&outbox.users_at(0)), [0; 0]);
        assert_eq!(ids(&outbox.users_at(3)), [2, 3]);
        outbox.tidy(4, Instant::now() + KEPT_FOR * 2);
        assert_eq!(ids(&outbox.users_at(4)), [3, 4]);
        assert_eq!(ids(&outbox.users_at(6)), [5, 6]);
    }
}
