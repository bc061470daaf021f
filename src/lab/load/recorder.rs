//! The clock of a round and what is read off it: when messages are due, latencies, pauses and deliveries
//! over time.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::lab::load::schedule::Schedule;
use crate::lab::load::steps::{FINE_STEPS, STEPS, slot, step};
use crate::lab::results::record::{Latency, Round, Timeline};

/// Groups in which messages that were never sent are counted at most.
const GROUPS: u64 = 10_000;

/// Measures one round. Times are nanoseconds of the round.
#[derive(Debug)]
pub struct Recorder {
    start: Instant,
    /// When messages are sent.
    pub schedule: Schedule,
    /// What the load itself counts: messages, deliveries and faults.
    pub counts: Round,
    latency: Histogram<u64>,
    /// What never came, by the step of its intended sending.
    lost: Vec<u64>,
    /// When the last delivery came.
    last: u64,
    /// Since when something is due and nothing has come.
    waiting: u64,
    pause: u64,
    step: u64,
    timeline: Vec<u64>,
}

impl Recorder {
    /// Starts the clock: `rate` messages per second are due in an open loop.
    pub fn start(rate: Option<f64>, duration: Duration) -> Recorder {
        let duration = duration.as_nanos() as u64;
        Recorder {
            start: Instant::now(),
            schedule: Schedule { rate, duration },
            counts: Round::default(),
            // Microseconds up to an hour, to a hundredth: small enough to stay in the cache.
            latency: Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("the bounds are sound"),
            lost: Vec::new(),
            last: 0,
            waiting: 0,
            pause: 0,
            step: step(duration, FINE_STEPS, 1),
            timeline: Vec::new(),
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

    /// Ends the sending at `now`, before its time.
    pub fn cut_short(&mut self, now: u64) {
        if self.schedule.is_sending(now) {
            self.counts.cut_short = true;
            self.schedule.duration = now;
        }
    }

    /// Whether to give up at `now` on what has not come.
    pub fn is_over(&self, now: u64) -> bool {
        const SILENCE: u64 = 2_000_000_000;
        const LONGEST: u64 = 10_000_000_000;
        let duration = self.schedule.duration;
        now > self.last.max(duration) + SILENCE || now > 2 * duration + LONGEST
    }

    /// Something is sent after a time in which nothing was due.
    pub fn awake(&mut self, now: u64) {
        self.waiting = now;
    }

    /// What was to be sent at `at` came at `now`.
    pub fn record(&mut self, now: u64, at: u64) {
        self.latency.saturating_record(micros(now, at));
    }

    /// An answer to what was to be sent at `at` came at `now`; a wrong one counts as lost, too.
    pub fn answered(&mut self, now: u64, at: u64, is_right: bool) {
        if is_right {
            self.record(now, at);
        } else {
            self.counts.damaged += 1;
            self.lose(at, 1);
        }
        self.delivered(now, u64::from(is_right));
    }

    /// `count` deliveries of what was to be sent at `at` never came.
    pub fn lose(&mut self, at: u64, count: u64) {
        self.counts.lost += count;
        *slot(&mut self.lost, at / self.step) += count;
    }

    /// What the `nth` of `all` senders was to send in an open loop from its message `number` on was
    /// never sent, for want of a connection or of time; each would have been delivered `each` times.
    pub fn never_sent(&mut self, number: u64, nth: usize, all: usize, each: u64) {
        let Some(due) = self.schedule.due_until(u64::MAX) else {
            return;
        };
        let due = due.saturating_sub(nth as u64);
        let count = due.div_ceil(all as u64).saturating_sub(number);
        self.counts.messages += count;
        // Millions may have been due: a group counts with the time of its last.
        let group = count.div_ceil(GROUPS).max(1);
        for begin in (0..count).step_by(group as usize) {
            let end = (begin + group).min(count);
            let last = (number + end - 1) * all as u64 + nth as u64;
            let at = self.schedule.at(last).expect("it was due");
            self.lose(at, (end - begin) * each);
        }
    }

    /// `count` deliveries came at `now`.
    pub fn delivered(&mut self, now: u64, count: u64) {
        self.last = now;
        self.still_waiting(now);
        self.waiting = now;
        self.counts.deliveries += count;
        *slot(&mut self.timeline, now / self.step) += count;
    }

    /// Something is due at `now`.
    pub fn still_waiting(&mut self, now: u64) {
        self.pause = self.pause.max(now.saturating_sub(self.waiting));
    }

    /// What was measured until `now`, the end of the round. Its time lasts until the last delivery, but
    /// not less than that of sending, since a room that froze early was not quick.
    pub fn round(mut self, now: u64) -> Round {
        slot(&mut self.timeline, now.saturating_sub(1) / self.step);
        let step = step(self.schedule.duration, STEPS, self.step);
        let timeline = self.timeline.chunks((step / self.step) as usize);
        let timeline = timeline.map(|chunk| chunk.iter().sum()).collect();
        let bound_from = self.record_lost(now);
        Round {
            seconds: seconds(self.last.max(self.schedule.duration)),
            pause_seconds: seconds(self.pause),
            latency: latency(&self.latency, bound_from),
            timeline: Timeline {
                step: seconds(step),
                deliveries: timeline,
            },
            ..self.counts
        }
    }

    /// Enters what never came, later than all that came: with the time waited for it at `now`, if that
    /// is longer. Returns the shortest of these times, in microseconds.
    fn record_lost(&mut self, now: u64) -> Option<u64> {
        let latest = self.latency.next_non_equivalent(self.latency.max());
        let mut bound_from = None;
        // The last to be sent has been waited for the shortest.
        for (nth, &count) in self.lost.iter().enumerate().rev() {
            if count > 0 {
                let waited = micros(now, (nth as u64 + 1) * self.step).max(latest);
                self.latency.saturating_record_n(waited, count);
                bound_from.get_or_insert(self.latency.lowest_equivalent(waited));
            }
        }
        bound_from
    }
}

fn latency(histogram: &Histogram<u64>, bound_from: Option<u64>) -> Latency {
    Latency {
        p50: histogram.value_at_quantile(0.5),
        p90: histogram.value_at_quantile(0.9),
        p95: histogram.value_at_quantile(0.95),
        p99: histogram.value_at_quantile(0.99),
        p99_9: histogram.value_at_quantile(0.999),
        max: histogram.max(),
        bound_from,
        buckets: histogram
            .iter_recorded()
            .map(|step| (step.value_iterated_to(), step.count_at_value()))
            .collect(),
    }
}

fn micros(now: u64, at: u64) -> u64 {
    now.saturating_sub(at) / 1000
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn recorder(rate: Option<f64>, millis: u64) -> Recorder {
        Recorder::start(rate, Duration::from_millis(millis))
    }

    #[test]
    fn percentiles_are_of_what_was_recorded() {
        let mut recorder = recorder(None, 1000);
        for micros in 1..=1000 {
            recorder.record(micros * 1000, 0);
        }
        let latency = recorder.round(0).latency;
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
    fn delivery_before_its_time_counts_as_zero() {
        let mut recorder = recorder(None, 1000);
        recorder.record(5, 10);
        assert_eq!(recorder.round(0).latency.max, 0);
    }

    #[test]
    fn a_pause_counts_while_something_is_due() {
        let mut recorder = recorder(None, 500);
        recorder.delivered(10 * MS, 1);
        // Nothing was due until 500 ms.
        recorder.awake(500 * MS);
        recorder.delivered(530 * MS, 1);
        assert_eq!(recorder.pause, 30 * MS);
        recorder.still_waiting(630 * MS);
        let round = recorder.round(630 * MS);
        assert_eq!((round.pause_seconds, round.seconds), (0.1, 0.53));
    }

    #[test]
    fn a_round_lasts_no_shorter_than_its_sending() {
        let mut recorder = recorder(None, 2000);
        recorder.delivered(10 * MS, 1);
        assert_eq!(recorder.round(4000 * MS).seconds, 2.0);
    }

    #[test]
    fn missing_deliveries_count_with_the_time_waited_for_them() {
        let mut recorder = recorder(None, 1000);
        for _ in 0..90 {
            recorder.record(2 * MS, MS);
        }
        recorder.lose(500 * MS, 5);
        recorder.lose(990 * MS, 5);
        let round = recorder.round(3000 * MS);
        let latency = round.latency;
        assert_eq!(round.lost, 10);
        assert!(latency.p95.abs_diff(2_000_000) < 20_000, "{latency:?}");
        assert!(latency.max.abs_diff(2_490_000) < 25_000, "{latency:?}");
        let bounds = [
            latency.p50,
            latency.p90,
            latency.p95,
            latency.p99,
            latency.max,
        ]
        .map(|value| latency.is_bound(value));
        assert_eq!(bounds, [false, false, true, true, true], "{latency:?}");
        let count: u64 = latency.buckets.iter().map(|(_, count)| count).sum();
        assert_eq!(count, 100);
    }

    #[test]
    fn missing_deliveries_are_later_than_all_others() {
        let mut recorder = recorder(None, 1000);
        for _ in 0..99 {
            recorder.record(800 * MS, 0);
        }
        // Lost in the last moment of the round.
        recorder.lose(999 * MS, 1);
        let latency = recorder.round(1000 * MS).latency;
        assert!(latency.p50.abs_diff(800_000) < 8000, "{latency:?}");
        assert!(!latency.is_bound(latency.p99), "{latency:?}");
        assert!(latency.is_bound(latency.p99_9), "{latency:?}");
        assert!(latency.max > latency.p99, "{latency:?}");
    }

    #[test]
    fn unsent_messages_count_from_when_they_were_due() {
        // Every 10 ms; the second of two senders has sent its messages 0 and 1, due at 10 and 30 ms.
        let mut recorder = recorder(Some(100.0), 100);
        assert_eq!(recorder.schedule.due(30 * MS, 1, 1, 2), Some(30 * MS));
        assert_eq!(recorder.schedule.due(49 * MS, 2, 1, 2), None);
        recorder.never_sent(2, 1, 2, 3);
        let round = recorder.round(200 * MS);
        // Those at 50, 70 and 90 ms, each up to 10 ms later.
        assert_eq!((round.messages, round.lost), (3, 9));
        let latency = round.latency;
        assert!(latency.max.abs_diff(140_000) < 1400, "{latency:?}");
        assert!(latency.bound_from.unwrap().abs_diff(100_000) < 1000);
    }

    #[test]
    fn millions_that_were_never_sent_are_counted_at_once() {
        let mut recorder = recorder(Some(1e7), 3_600_000);
        recorder.never_sent(10, 0, 1, 1000);
        let round = recorder.round(3_600_000 * MS);
        assert_eq!(round.messages, 36_000_000_000 - 10);
        assert_eq!(round.lost, round.messages * 1000);
    }

    #[test]
    fn a_round_that_is_cut_short_says_so() {
        let mut recorder = recorder(Some(1000.0), 1000);
        assert_eq!(recorder.schedule.due(499 * MS, 499, 0, 1), Some(499 * MS));
        recorder.cut_short(500 * MS);
        recorder.cut_short(600 * MS);
        assert!(!recorder.schedule.is_sending(500 * MS));
        assert_eq!(recorder.schedule.due(800 * MS, 500, 0, 1), None);
        let round = recorder.round(500 * MS);
        assert!(round.cut_short);
        assert_eq!(round.seconds, 0.5);
        // After its time nothing can be cut off.
        let mut recorder = self::recorder(None, 1000);
        recorder.cut_short(1000 * MS);
        assert!(!recorder.round(1000 * MS).cut_short);
    }

    #[test]
    fn the_timeline_shows_a_hole_where_nothing_came() {
        let mut recorder = recorder(None, 1000);
        recorder.delivered(5 * MS, 3);
        recorder.delivered(9 * MS, 1);
        recorder.delivered(35 * MS, 2);
        let timeline = recorder.round(60 * MS).timeline;
        assert_eq!(timeline.step, 0.01);
        assert_eq!(timeline.deliveries, [4, 0, 0, 2, 0, 0]);
    }
}
