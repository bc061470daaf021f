//! The clock of a round and what is read off it: latencies, pauses, and when messages are due.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::lab::results::record::Latency;

/// Measures one round. Times are nanoseconds of the round.
#[derive(Debug)]
pub struct Meter {
    start: Instant,
    latency: Histogram<u64>,
    /// When the last delivery came.
    last: u64,
    /// Since when something is due and nothing has come.
    waiting: u64,
    pause: u64,
}

impl Meter {
    /// Starts the clock.
    pub fn start() -> Meter {
        Meter {
            start: Instant::now(),
            // Microseconds up to an hour, to a hundredth: small enough to stay in the cache.
            latency: Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("the bounds are sound"),
            last: 0,
            waiting: 0,
            pause: 0,
        }
    }

    /// The time.
    pub fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// The same as an [`Instant`].
    pub fn instant(&self, at: u64) -> Instant {
        self.start + Duration::from_nanos(at)
    }

    /// Something is sent after a time in which nothing was due.
    pub fn awake(&mut self, now: u64) {
        self.waiting = now;
    }

    /// What was to be sent at `at` came at `now`.
    pub fn record(&mut self, now: u64, at: u64) {
        self.latency
            .saturating_record(now.saturating_sub(at) / 1000);
    }

    /// One or more deliveries came at `now`.
    pub fn delivered(&mut self, now: u64) {
        self.last = now;
        self.still_waiting(now);
        self.waiting = now;
    }

    /// Something is due at `now`.
    pub fn still_waiting(&mut self, now: u64) {
        self.pause = self.pause.max(now.saturating_sub(self.waiting));
    }

    /// When the last delivery came.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Seconds that the round took: until the last delivery, but not less than the `duration` in
    /// which messages were sent, since a room that froze early was not quick.
    pub fn seconds(&self, duration: Duration) -> f64 {
        seconds(self.last).max(duration.as_secs_f64())
    }

    /// The longest time in which something was due and nothing came, in seconds.
    pub fn pause_seconds(&self) -> f64 {
        seconds(self.pause)
    }

    /// What is recorded of the latencies.
    pub fn latency(&self) -> Latency {
        let histogram = &self.latency;
        Latency {
            p50: histogram.value_at_quantile(0.5),
            p90: histogram.value_at_quantile(0.9),
            p95: histogram.value_at_quantile(0.95),
            p99: histogram.value_at_quantile(0.99),
            p99_9: histogram.value_at_quantile(0.999),
            max: histogram.max(),
            bound_from: None,
            buckets: histogram
                .iter_recorded()
                .map(|step| (step.value_iterated_to(), step.count_at_value()))
                .collect(),
        }
    }
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// When messages are due in open loop: evenly, whatever becomes of them.
#[derive(Debug)]
pub struct Schedule {
    rate: f64,
    duration: u64,
    next: u64,
}

impl Schedule {
    /// `rate` messages a second for `duration`.
    pub fn new(rate: f64, duration: Duration) -> Schedule {
        Schedule {
            rate,
            duration: duration.as_nanos() as u64,
            next: 0,
        }
    }

    /// The next message that is due at `now`: its number and its time.
    pub fn due(&mut self, now: u64) -> Option<(u64, u64)> {
        let at = self.next_at().filter(|&at| at <= now)?;
        self.next += 1;
        Some((self.next - 1, at))
    }

    /// How long until the next message is due; none when all were.
    pub fn wait(&self, now: u64) -> Option<Duration> {
        let at = self.next_at()?;
        Some(Duration::from_nanos(at.saturating_sub(now)))
    }

    fn next_at(&self) -> Option<u64> {
        // From the number and not from the time before, so that rounding does not add up.
        let at = (self.next as f64 / self.rate * 1e9) as u64;
        (at < self.duration).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn messages_are_due_evenly_until_the_end() {
        let mut schedule = Schedule::new(10.0, Duration::from_millis(350));
        assert_eq!(schedule.due(0), Some((0, 0)));
        assert_eq!(schedule.due(0), None);
        assert_eq!(schedule.wait(40 * MS), Some(Duration::from_millis(60)));
        // Late: all that were due come, each with its own time.
        assert_eq!(schedule.due(250 * MS), Some((1, 100 * MS)));
        assert_eq!(schedule.due(250 * MS), Some((2, 200 * MS)));
        assert_eq!(schedule.due(250 * MS), None);
        assert_eq!(schedule.due(900 * MS), Some((3, 300 * MS)));
        assert_eq!(schedule.due(900 * MS), None);
        assert_eq!(schedule.wait(900 * MS), None);
    }

    #[test]
    fn a_million_messages_do_not_drift() {
        let mut schedule = Schedule::new(30_000.0, Duration::from_secs(60));
        let mut last = None;
        while let Some(message) = schedule.due(u64::MAX) {
            last = Some(message);
        }
        let (number, at) = last.unwrap();
        assert_eq!(number, 30_000 * 60 - 1);
        assert!(at.abs_diff(60_000 * MS - 33_333) < 10, "{at}");
    }

    #[test]
    fn percentiles_are_of_what_was_recorded() {
        let mut meter = Meter::start();
        for micros in 1..=1000 {
            meter.record(micros * 1000, 0);
        }
        let latency = meter.latency();
        for (percentile, expected) in [
            (latency.p50, 500),
            (latency.p90, 900),
            (latency.p99, 990),
            (latency.p99_9, 999),
            (latency.max, 1000),
        ] {
            assert!(
                percentile.abs_diff(expected) <= expected / 100,
                "{latency:?}"
            );
        }
        let count: u64 = latency.buckets.iter().map(|(_, count)| count).sum();
        assert_eq!(count, 1000);
        assert!(latency.buckets.is_sorted(), "{:?}", latency.buckets);
    }

    #[test]
    fn what_came_before_its_time_took_no_time() {
        let mut meter = Meter::start();
        meter.record(5, 10);
        assert_eq!(meter.latency().max, 0);
    }

    #[test]
    fn a_pause_counts_while_something_is_due() {
        let mut meter = Meter::start();
        meter.delivered(10 * MS);
        // Nothing was due until 500 ms.
        meter.awake(500 * MS);
        meter.delivered(530 * MS);
        assert_eq!(meter.pause_seconds(), 0.03);
        meter.still_waiting(630 * MS);
        assert_eq!(meter.pause_seconds(), 0.1);
        assert_eq!(meter.seconds(Duration::from_millis(500)), 0.53);
        assert_eq!(meter.seconds(Duration::from_secs(2)), 2.0);
    }
}
