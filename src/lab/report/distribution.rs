//! The distribution of latency, as HdrHistogram plots it: each further nine of the percentile takes
//! as much room as the one before, so that the tail can be seen.

use std::collections::BTreeMap;

use crate::lab::report::axis::Axis;
use crate::lab::report::chart::{Chart, at_largest, of_each};
use crate::lab::report::plot::{Mark, Series};
use crate::lab::results::metric::{Value, metric};
use crate::lab::results::record::{Point, Record};
use crate::lab::results::units::{Unit, count};

/// The percentiles with a label, as 1 / (1 - share), which is their place on the axis. What lies
/// beyond the last is a handful of deliveries, and the finding names the longest.
const PERCENTILES: [(f64, &str); 7] = [
    (2.0, "50%"),
    (1e1, "90%"),
    (1e2, "99%"),
    (1e3, "99.9%"),
    (1e4, "99.99%"),
    (1e5, "99.999%"),
    (1e6, "99.9999%"),
];

/// All latencies of a point.
#[derive(Debug, PartialEq)]
struct Histogram {
    /// (microseconds, count), ascending.
    buckets: Vec<(u64, u64)>,
    /// From here on they are lower bounds.
    bound_from: Option<u64>,
}

/// Latency over its percentiles, a line for each server, at the largest number of clients.
pub fn chart(record: &Record) -> Chart {
    let (name, title) = ("distribution", "Distribution of latency");
    let Some((clients, histograms)) = at_largest(record, merged) else {
        return Chart::absent(name, title.to_owned(), record, metric("p50"));
    };
    let present = || histograms.iter().flatten();
    let values = || {
        present()
            .flat_map(|histogram| &histogram.buckets)
            .map(|bucket| bucket.0)
    };
    let (low, high) = (values().min().unwrap_or(0), values().max().unwrap_or(0));
    let y = Axis::log(
        "latency, log scale",
        Unit::Seconds,
        seconds(low),
        seconds(high),
    );
    let last_label = PERCENTILES[PERCENTILES.len() - 1].0;
    let end = present()
        .map(Histogram::total)
        .fold(10.0, f64::max)
        .min(last_label);
    let ticks = PERCENTILES.iter().filter(|(at, _)| *at <= end);
    let ticks = ticks.map(|(at, text)| (*at, (*text).to_owned()));
    let x = Axis::nines("percentile", ticks.collect(), end);

    let finding = of_each(record, &histograms, |histogram| {
        let [half, most, all] = [0.5, 0.999, 1.0].map(|share| show(histogram.percentile(share)));
        format!("half within {half}, 99.9% within {most}, all within {all}")
    });
    let title = format!("{title} at {}", count(clients, "client"));
    let places = histograms.iter().enumerate();
    let series = places.filter_map(|(place, h)| Some(series(record, place, h.as_ref()?, end)));
    let series: Vec<Series> = series.collect();
    Chart::drawn(
        name,
        title,
        format!("All rounds together: {finding}"),
        (&x, &y),
        &series,
    )
}

/// The latencies of all rounds of a point in one histogram; none where no latency was taken.
fn merged(point: &Point) -> Option<Histogram> {
    let latencies = || point.rounds.iter().map(|round| &round.latency);
    let mut merged: BTreeMap<u64, u64> = BTreeMap::new();
    let buckets = latencies().flat_map(|latency| &latency.buckets);
    for &(upper, count) in buckets.filter(|(_, count)| *count > 0) {
        *merged.entry(upper).or_default() += count;
    }
    (!merged.is_empty()).then(|| Histogram {
        buckets: merged.into_iter().collect(),
        bound_from: latencies().filter_map(|latency| latency.bound_from).min(),
    })
}

impl Histogram {
    /// The value below which a share (0 to 1) lies.
    fn percentile(&self, share: f64) -> Value {
        let wanted = (self.total() * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        let reaches = |(_, count): &&(u64, u64)| {
            seen += count;
            seen >= wanted
        };
        let found = self.buckets.iter().find(reaches).or(self.buckets.last());
        let micros = found.map_or(0, |bucket| bucket.0);
        Value {
            number: seconds(micros),
            is_bound: self.bound_from.is_some_and(|from| micros >= from),
        }
    }

    fn total(&self) -> f64 {
        self.buckets.iter().map(|(_, count)| count).sum::<u64>() as f64
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

fn show(value: Value) -> String {
    metric("p50").show(value)
}

/// A histogram as steps up to the end of the axis, with a mark at each percentile that it holds.
fn series(record: &Record, place: usize, histogram: &Histogram, end: f64) -> Series {
    let server = &record.servers[place];
    let total = histogram.total();
    let mut line: Vec<(f64, f64)> = Vec::new();
    let mut seen = 0.0;
    for (upper, count) in &histogram.buckets {
        let from = total / (total - seen);
        seen += *count as f64;
        // No delivery is above the slowest: its step ends where one in `total` has its place.
        let to = total / (total - seen).max(1.0);
        if from < end {
            line.push((from, seconds(*upper)));
            line.push((to.min(end), seconds(*upper)));
        }
    }
    let held = PERCENTILES.iter().filter(|(at, _)| *at <= total.min(end));
    let marks = held.map(|(at, text)| {
        let value = histogram.percentile(1.0 - 1.0 / at);
        let tip = format!("{server}: {text} within {}", show(value));
        Mark::new(*at, value.number, tip)
    });
    Series::new(server, place, line, marks.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::results::record::{Latency, Round};

    #[test]
    fn histograms_of_rounds_add_up() {
        let round = |bound_from, buckets: &[(u64, u64)]| Round {
            latency: Latency {
                bound_from,
                buckets: buckets.to_vec(),
                ..Latency::default()
            },
            ..Round::default()
        };
        let point = Point {
            rounds: vec![
                round(None, &[(10, 5), (30, 1)]),
                round(Some(15), &[(10, 1), (20, 3), (40, 0)]),
            ],
            ..Point::default()
        };
        let merged = merged(&point).unwrap();
        assert_eq!(merged.buckets, [(10, 6), (20, 3), (30, 1)]);
        for (share, expected) in [
            (0.0, "10 µs"),
            (0.6, "10 µs"),
            (0.61, "≥20 µs"),
            (1.0, "≥30 µs"),
        ] {
            assert_eq!(show(merged.percentile(share)), expected, "{share}");
        }
        assert_eq!(super::merged(&Point::default()), None);
    }

    #[test]
    fn steps_end_where_the_axis_does_or_the_deliveries_do() {
        let ends = |end| {
            let histogram = Histogram {
                buckets: vec![(10, 90), (20, 9), (30, 1)],
                bound_from: None,
            };
            let record = Record {
                servers: vec!["a".to_owned()],
                ..Record::default()
            };
            let series = series(&record, 0, &histogram, end);
            let marks: Vec<f64> = series.marks.iter().map(|mark| mark.x).collect();
            (series.line.last().copied(), marks)
        };
        assert_eq!(ends(1e6), (Some((100.0, 30e-6)), vec![2.0, 10.0, 100.0]));
        assert_eq!(ends(50.0), (Some((50.0, 20e-6)), vec![2.0, 10.0]));
    }
}
