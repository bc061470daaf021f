//! Holding a client to a rate.

use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::server::shutdown::{Done, closes_within, is_closed};

/// Messages a second, read from `10/s` or `10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u32);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        match text.strip_suffix("/s").unwrap_or(text).parse() {
            Ok(n @ 1..) => Ok(Rate(n)),
            _ => Err("expected a number a second from 1 on, such as 10/s".to_owned()),
        }
    }
}

/// Says when the next message of one client may be read: a second's worth at once, then evenly.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    // When the client will have paid for all it said, one interval a message.
    paid: Instant,
}

impl Pace {
    /// Starts with a whole second's worth; without a rate, nothing ever waits.
    pub fn new(rate: Option<Rate>, now: Instant) -> Pace {
        let interval = rate.map_or(Duration::ZERO, |Rate(n)| Duration::from_secs(1) / n);
        Pace {
            interval,
            paid: now,
        }
    }

    /// Counts one message at `now` and returns how long it has to wait.
    pub fn count(&mut self, now: Instant) -> Duration {
        let credit = Duration::from_secs(1) - self.interval.min(Duration::from_secs(1));
        let wait = self
            .paid
            .saturating_duration_since(now)
            .saturating_sub(credit);
        self.paid = self.paid.max(now) + self.interval;
        wait
    }

    /// Counts one message and waits until it may pass; false if `closed` ends before that.
    pub fn wait(&mut self, closed: &Done) -> bool {
        if self.interval > Duration::ZERO {
            return !closes_within(closed, self.count(Instant::now()));
        }
        !is_closed(closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_as_people_write_them() {
        assert_eq!("10/s".parse(), Ok(Rate(10)));
        assert_eq!("7".parse(), Ok(Rate(7)));
        for bad in ["", "0", "0/s", "-1/s", "1.5/s", "10/m", "/s"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad:?} was taken for a rate");
        }
    }

    #[test]
    fn a_seconds_worth_passes_at_once_and_the_rest_evenly() {
        let start = Instant::now();
        let mut pace = Pace::new(Some(Rate(10)), start);
        let waits: Vec<_> = (0..12).map(|_| pace.count(start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200]);
    }

    #[test]
    fn who_keeps_to_the_rate_never_waits() {
        let mut now = Instant::now();
        let mut pace = Pace::new(Some(Rate(10)), now);
        for _ in 0..100 {
            assert_eq!(pace.count(now), Duration::ZERO);
            now += Duration::from_millis(100);
        }
    }

    #[test]
    fn no_rate_no_wait() {
        let now = Instant::now();
        let mut pace = Pace::new(None, now);
        assert!((0..1000).all(|_| pace.count(now) == Duration::ZERO));
    }
}
