//! Limits how many messages per second one client may send.

use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::server::shutdown::{Done, closes_within, is_closed};

/// Messages per second, parsed from `10/s` or `10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u32);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        match text.strip_suffix("/s").unwrap_or(text).parse() {
            Ok(n @ 1..) => Ok(Rate(n)),
            _ => Err("expected a number per second, at least 1, such as 10/s".to_owned()),
        }
    }
}

/// Decides when the next message of one client may be read: a burst of one second's worth, then evenly (GCRA).
#[derive(Debug)]
pub struct RateLimiter {
    interval: Duration,
    /// When the next message would arrive if all were spaced evenly.
    theoretical_arrival: Instant,
}

impl RateLimiter {
    /// Starts with a full burst. Without a rate no message waits.
    pub fn new(rate: Option<Rate>, now: Instant) -> RateLimiter {
        let interval = rate.map_or(Duration::ZERO, |Rate(n)| Duration::from_secs(1) / n);
        RateLimiter {
            interval,
            theoretical_arrival: now,
        }
    }

    /// Counts one message at `now` and returns how long it has to wait.
    pub fn count(&mut self, now: Instant) -> Duration {
        let credit = Duration::from_secs(1) - self.interval.min(Duration::from_secs(1));
        let wait = self
            .theoretical_arrival
            .saturating_duration_since(now)
            .saturating_sub(credit);
        self.theoretical_arrival = self.theoretical_arrival.max(now) + self.interval;
        wait
    }

    /// Counts one message and waits until it may pass. Returns false if `closed` is closed first.
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
    fn rates_are_numbers_per_second() {
        assert_eq!("10/s".parse(), Ok(Rate(10)));
        assert_eq!("7".parse(), Ok(Rate(7)));
        for bad in ["", "0", "0/s", "-1/s", "1.5/s", "10/m", "/s"] {
            assert!(
                bad.parse::<Rate>().is_err(),
                "{bad:?} was accepted as a rate"
            );
        }
    }

    #[test]
    fn burst_of_one_second_passes_and_the_rest_is_spaced_evenly() {
        let start = Instant::now();
        let mut limiter = RateLimiter::new(Some(Rate(10)), start);
        let waits: Vec<_> = (0..12).map(|_| limiter.count(start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200]);
    }

    #[test]
    fn messages_within_the_rate_never_wait() {
        let mut now = Instant::now();
        let mut limiter = RateLimiter::new(Some(Rate(10)), now);
        for _ in 0..100 {
            assert_eq!(limiter.count(now), Duration::ZERO);
            now += Duration::from_millis(100);
        }
    }

    #[test]
    fn no_message_waits_without_a_rate() {
        let now = Instant::now();
        let mut limiter = RateLimiter::new(None, now);
        assert!((0..1000).all(|_| limiter.count(now) == Duration::ZERO));
    }
}
