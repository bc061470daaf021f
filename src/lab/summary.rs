//! From raw rounds to the figures that tables and charts show: medians, spreads, ratios.

use std::collections::BTreeMap;

use super::record::{Cost, Point, Record, Round};
use super::units::Unit;

/// A figure over the rounds of one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Middle value; of an even number of rounds, the mean of the two in the middle.
    pub median: f64,
    /// Smallest value.
    pub low: f64,
    /// Largest value.
    pub high: f64,
}

impl Spread {
    /// The spread of these values; none where there are none. What is not finite does not count.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (low, high) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            (values[middle - 1] + values[middle]) / 2.0
        };
        Some(Spread { median, low, high })
    }

    /// Whether the two ranges touch, so that the difference of the medians may be chance.
    pub fn overlaps(&self, other: &Spread) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// Something that a round has a figure for.
#[derive(Clone, Copy)]
pub struct Figure {
    /// What it is called.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// The figure of one round, where it has one.
    pub of: fn(&Round) -> Option<f64>,
}

impl Figure {
    /// The figure over the rounds of a point.
    pub fn over(&self, point: &Point) -> Option<Spread> {
        Spread::of(point.rounds.iter().filter_map(self.of))
    }

    /// Whether any point of the record has this figure, and one that is not zero.
    pub fn is_in(&self, record: &Record) -> bool {
        record
            .points
            .iter()
            .filter_map(|point| self.over(point))
            .any(|spread| spread.low != 0.0 || spread.high != 0.0)
    }
}

/// Checked deliveries a second.
pub const DELIVERIES: Figure = Figure {
    name: "deliveries/s",
    unit: Unit::Count,
    of: |r| {
        driven(r)
            .then(|| per(r.deliveries as f64, r.seconds))
            .flatten()
    },
};
/// Messages sent a second.
pub const MESSAGES: Figure = Figure {
    name: "messages/s",
    unit: Unit::Count,
    of: |r| {
        driven(r)
            .then(|| per(r.messages as f64, r.seconds))
            .flatten()
    },
};
/// Median latency.
pub const P50: Figure = Figure {
    name: "p50",
    unit: Unit::Micros,
    of: |r| timed(r).then_some(r.latency.p50 as f64),
};
/// 90th percentile of the latency.
pub const P90: Figure = Figure {
    name: "p90",
    unit: Unit::Micros,
    of: |r| timed(r).then_some(r.latency.p90 as f64),
};
/// 99th percentile of the latency.
pub const P99: Figure = Figure {
    name: "p99",
    unit: Unit::Micros,
    of: |r| timed(r).then_some(r.latency.p99 as f64),
};
/// 99.9th percentile of the latency.
pub const P99_9: Figure = Figure {
    name: "p99.9",
    unit: Unit::Micros,
    of: |r| timed(r).then_some(r.latency.p99_9 as f64),
};
/// Longest latency.
pub const MAX: Figure = Figure {
    name: "max",
    unit: Unit::Micros,
    of: |r| timed(r).then_some(r.latency.max as f64),
};
/// Time until all clients were connected.
pub const CONNECT: Figure = Figure {
    name: "connect",
    unit: Unit::Seconds,
    of: |r| Some(r.connect_seconds),
};
/// CPU seconds of the server for a million deliveries.
pub const CPU: Figure = Figure {
    name: "CPU s per million deliveries",
    unit: Unit::Count,
    of: |r| per(cost(r)?.cpu_seconds * 1e6, r.deliveries as f64),
};
/// Context switches of the server for a delivery.
pub const SWITCHES: Figure = Figure {
    name: "context switches per delivery",
    unit: Unit::Count,
    of: |r| per(cost(r)?.context_switches as f64, r.deliveries as f64),
};
/// Resident bytes that a client costs the server.
pub const MEMORY: Figure = Figure {
    name: "memory per client",
    unit: Unit::Bytes,
    of: |r| per_client(r, |c| (c.rss_before, c.rss)),
};
/// Bytes of address space that a client costs the server.
pub const ADDRESS_SPACE: Figure = Figure {
    name: "address space per client",
    unit: Unit::Bytes,
    of: |r| per_client(r, |c| (c.virtual_before, c.virtual_bytes)),
};
/// Threads that a client costs the server.
pub const THREADS: Figure = Figure {
    name: "threads per client",
    unit: Unit::Count,
    of: |r| per_client(r, |c| (c.threads[0], c.threads[1])),
};
/// Memory mappings that a client costs the server.
pub const MAPPINGS: Figure = Figure {
    name: "mappings per client",
    unit: Unit::Count,
    of: |r| per_client(r, |c| (c.mappings[0], c.mappings[1])),
};
/// Descriptors that a client costs the server.
pub const DESCRIPTORS: Figure = Figure {
    name: "descriptors per client",
    unit: Unit::Count,
    of: |r| per_client(r, |c| (c.descriptors[0], c.descriptors[1])),
};
/// Threads that are still there some time after all clients left.
pub const THREADS_LEFT: Figure = Figure {
    name: "threads left behind",
    unit: Unit::Count,
    of: |r| cost(r).map(|c| difference(c.threads[0], c.threads[2])),
};
/// Descriptors that are still open some time after all clients left.
pub const DESCRIPTORS_LEFT: Figure = Figure {
    name: "descriptors left behind",
    unit: Unit::Count,
    of: |r| cost(r).map(|c| difference(c.descriptors[0], c.descriptors[2])),
};
/// Resident bytes that are still there some time after all clients left.
pub const MEMORY_LEFT: Figure = Figure {
    name: "memory left behind",
    unit: Unit::Bytes,
    of: |r| cost(r).map(|c| difference(c.rss_before, c.rss_after)),
};
/// Longest time without a delivery while something was due.
pub const PAUSE: Figure = Figure {
    name: "longest pause",
    unit: Unit::Seconds,
    of: |r| driven(r).then_some(r.pause_seconds),
};

fn cost(round: &Round) -> Option<&Cost> {
    round.server.as_ref()
}

/// Whether messages were sent at all; `idle` sends none.
fn driven(round: &Round) -> bool {
    round.messages > 0 || round.deliveries > 0
}

/// Whether latencies were taken.
fn timed(round: &Round) -> bool {
    round.deliveries > 0 && (round.latency.max > 0 || !round.latency.buckets.is_empty())
}

fn per(amount: f64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| amount / of)
}

fn difference(before: u64, after: u64) -> f64 {
    after as f64 - before as f64
}

fn per_client(round: &Round, before_after: fn(&Cost) -> (u64, u64)) -> Option<f64> {
    let (before, after) = before_after(cost(round)?);
    per(difference(before, after), round.connected as f64)
}

/// The numbers of clients of a sweep, ascending.
pub fn client_counts(record: &Record) -> Vec<usize> {
    let mut counts: Vec<usize> = record.points.iter().map(|point| point.clients).collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// The point of a server at a number of clients.
pub fn point<'a>(record: &'a Record, server: &str, clients: usize) -> Option<&'a Point> {
    record
        .points
        .iter()
        .find(|point| point.server == server && point.clients == clients)
}

/// The latencies of all rounds of a point in one histogram, (microseconds, count) ascending; none
/// where no latency was taken.
pub fn merged_latency(point: &Point) -> Option<Vec<(u64, u64)>> {
    let mut merged: BTreeMap<u64, u64> = BTreeMap::new();
    let buckets = point.rounds.iter().flat_map(|round| &round.latency.buckets);
    for &(upper, count) in buckets.filter(|(_, count)| *count > 0) {
        *merged.entry(upper).or_default() += count;
    }
    (!merged.is_empty()).then(|| merged.into_iter().collect())
}

/// The value below which a share (0 to 1) of a histogram lies.
pub fn percentile(histogram: &[(u64, u64)], share: f64) -> Option<u64> {
    let total: u64 = histogram.iter().map(|(_, count)| count).sum();
    let wanted = (total as f64 * share).ceil().max(1.0) as u64;
    let mut seen = 0;
    histogram
        .iter()
        .find(|(_, count)| {
            seen += count;
            seen >= wanted
        })
        .or(histogram.last())
        .map(|(upper, _)| *upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::record::Latency;

    #[test]
    fn a_spread_is_the_median_and_the_range() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([f64::NAN]), None);
        let odd = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.median, odd.low, odd.high), (2.0, 1.0, 3.0));
        let even = Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((even.median, even.low, even.high), (2.5, 1.0, 4.0));
        assert!(odd.overlaps(&even));
        assert!(!odd.overlaps(&Spread::of([3.1, 9.0]).unwrap()));
    }

    #[test]
    fn a_round_that_sent_nothing_has_no_rate_and_one_whose_messages_never_came_has_rate_zero() {
        let idle = Round {
            connected: 10,
            seconds: 5.0,
            ..Round::default()
        };
        assert_eq!((DELIVERIES.of)(&idle), None);
        assert_eq!((P99.of)(&idle), None);
        assert_eq!((CPU.of)(&idle), None);
        let frozen = Round {
            messages: 10,
            ..idle
        };
        assert_eq!((DELIVERIES.of)(&frozen), Some(0.0));
        assert_eq!((P99.of)(&frozen), None);
    }

    #[test]
    fn what_a_client_costs_is_the_growth_by_the_clients_connected() {
        let mut round = Round {
            connected: 100,
            server: Some(Cost {
                rss_before: 1_000_000,
                rss: 4_000_000,
                threads: [2, 302, 2],
                ..Cost::default()
            }),
            ..Round::default()
        };
        assert_eq!((MEMORY.of)(&round), Some(30_000.0));
        assert_eq!((THREADS.of)(&round), Some(3.0));
        assert_eq!((THREADS_LEFT.of)(&round), Some(0.0));
        round.connected = 0;
        assert_eq!((MEMORY.of)(&round), None);
        round.server = None;
        assert_eq!((THREADS_LEFT.of)(&round), None);
    }

    #[test]
    fn histograms_of_rounds_add_up() {
        let round = |buckets: &[(u64, u64)]| Round {
            latency: Latency {
                buckets: buckets.to_vec(),
                ..Latency::default()
            },
            ..Round::default()
        };
        let point = Point {
            rounds: vec![
                round(&[(10, 5), (30, 1)]),
                round(&[(10, 1), (20, 3), (40, 0)]),
            ],
            ..Point::default()
        };
        let merged = merged_latency(&point).unwrap();
        assert_eq!(merged, [(10, 6), (20, 3), (30, 1)]);
        assert_eq!(percentile(&merged, 0.0), Some(10));
        assert_eq!(percentile(&merged, 0.6), Some(10));
        assert_eq!(percentile(&merged, 0.61), Some(20));
        assert_eq!(percentile(&merged, 1.0), Some(30));
        assert_eq!(percentile(&[], 0.5), None);
        assert_eq!(merged_latency(&Point::default()), None);
    }
}
