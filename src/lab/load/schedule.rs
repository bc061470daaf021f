//! When messages are due in an open loop: evenly, whatever becomes of them.

/// Messages at even times, in nanoseconds of the round.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    pub rate: f64,
    /// How long messages are sent, in nanoseconds.
    pub duration: u64,
}

impl Schedule {
    /// When message `nth` is due; none after the last.
    pub fn at(&self, nth: u64) -> Option<u64> {
        // From the number and not from the time before, so that rounding does not add up.
        let at = (nth as f64 / self.rate * 1e9) as u64;
        (at < self.duration).then_some(at)
    }

    /// How many messages are due until `now`.
    pub fn due(&self, now: u64) -> u64 {
        let until = now.min(self.duration.saturating_sub(1));
        let is_due = |nth: u64| self.at(nth).is_some_and(|at| at <= until);
        // Rounding may be off by one either way.
        let near = (until as f64 / 1e9 * self.rate) as u64;
        (near.saturating_sub(1)..)
            .find(|&nth| !is_due(nth))
            .expect("not all are due")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn messages_are_due_evenly_until_the_end() {
        let schedule = Schedule {
            rate: 10.0,
            duration: 350 * MS,
        };
        for (now, due) in [(0, 1), (99, 1), (100, 2), (250, 3), (349, 4), (900, 4)] {
            assert_eq!(schedule.due(now * MS), due, "at {now} ms");
        }
    }

    #[test]
    fn a_million_messages_do_not_drift() {
        let schedule = Schedule {
            rate: 30_000.0,
            duration: 60_000 * MS,
        };
        assert_eq!(schedule.due(u64::MAX), 30_000 * 60);
        let at = schedule.at(30_000 * 60 - 1).unwrap();
        assert!(at.abs_diff(60_000 * MS - 33_333) < 10, "{at}");
    }
}
