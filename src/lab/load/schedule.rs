//! When messages are sent: in an open loop evenly, whatever becomes of them; in a closed one as soon as
//! they can be.

/// When messages are sent, in nanoseconds of the round.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Messages per second in an open loop; none is a closed loop.
    pub rate: Option<f64>,
    /// How long messages are sent.
    pub duration: u64,
}

impl Schedule {
    /// Whether messages are due at their times, whatever becomes of those before.
    pub fn is_open_loop(&self) -> bool {
        self.rate.is_some()
    }

    /// Whether messages are still sent at `now`.
    pub fn is_sending(&self, now: u64) -> bool {
        now < self.duration
    }

    /// When message `nth` is due in an open loop; none after the last.
    pub fn at(&self, nth: u64) -> Option<u64> {
        // From the number and not from the time before, so that rounding does not add up.
        let at = (nth as f64 / self.rate? * 1e9) as u64;
        (at < self.duration).then_some(at)
    }

    /// How many messages are due until `now` in an open loop.
    pub fn due_until(&self, now: u64) -> Option<u64> {
        let until = now.min(self.duration.saturating_sub(1));
        let is_due = |nth: u64| self.at(nth).is_some_and(|at| at <= until);
        // Rounding may be off by one either way.
        let near = (until as f64 / 1e9 * self.rate?) as u64;
        (near.saturating_sub(1)..).find(|&nth| !is_due(nth))
    }

    /// When the message `number` of the `nth` of `all` senders is due, if it is at `now`: they take
    /// turns in an open loop. In a closed one it is due as soon as it can be sent.
    pub fn due(&self, now: u64, number: u64, nth: usize, all: usize) -> Option<u64> {
        match self.is_open_loop() {
            true => (self.at(number * all as u64 + nth as u64)).filter(|&at| at <= now),
            false => self.is_sending(now).then_some(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn messages_are_due_evenly_until_the_end() {
        let schedule = Schedule {
            rate: Some(10.0),
            duration: 350 * MS,
        };
        for (now, due) in [(0, 1), (99, 1), (100, 2), (250, 3), (349, 4), (900, 4)] {
            assert_eq!(schedule.due_until(now * MS), Some(due), "at {now} ms");
        }
    }

    #[test]
    fn last_message_is_due_before_the_end() {
        let schedule = Schedule {
            rate: Some(10.0),
            duration: 350 * MS,
        };
        assert_eq!(schedule.at(3), Some(300 * MS));
        assert_eq!(schedule.at(4), None);
    }

    #[test]
    fn a_million_messages_do_not_drift() {
        let schedule = Schedule {
            rate: Some(30_000.0),
            duration: 60_000 * MS,
        };
        assert_eq!(schedule.due_until(u64::MAX), Some(30_000 * 60));
        let at = schedule.at(30_000 * 60 - 1).unwrap();
        assert!(at.abs_diff(60_000 * MS - 33_333) < 10, "{at}");
    }
}
