//! The distribution of latency, as HdrHistogram plots it: each further nine of the percentile takes
//! as much room as the one before, so that the tail can be seen.

use std::collections::BTreeMap;

use crate::lab::report::axis::Axis;
use crate::lab::report::chart::{Chart, Drawing};
use crate::lab::report::finding;
use crate::lab::report::plot::{self, Mark, Series};
use crate::lab::results::metric::{Metric, Unit};
use crate::lab::results::record::{Point, Record};
use crate::lab::results::stats::Figure;
use crate::lab::results::units::thousands;

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

/// (microseconds, count), ascending.
type Histogram = Vec<(u64, u64)>;

/// Latency over its percentiles, a line for each server, at the largest number of clients.
pub(crate) fn chart(record: &Record) -> Chart {
    let counts = record.client_counts();
    let latencies = |count: usize| -> Vec<Option<Histogram>> {
        let of = |server: &str| merged(record.point(server, count)?);
        record.servers.iter().map(|server| of(server)).collect()
    };
    let mut found = counts.iter().rev().map(|count| (*count, latencies(*count)));
    let Some((count, histograms)) = found.find(|(_, all)| all.iter().any(Option::is_some)) else {
        return Chart {
            name: "distribution",
            title: "Distribution of latency".to_owned(),
            drawing: Err(finding::absent(record, Metric::P50)),
        };
    };
    let title = format!(
        "Distribution of latency at {} clients",
        thousands(count as u64)
    );
    let finding = finding(&record.servers, &histograms);

    let present = || histograms.iter().flatten();
    let low = present()
        .filter_map(|h| h.first())
        .map(|bucket| bucket.0)
        .min();
    let high = present()
        .filter_map(|h| h.last())
        .map(|bucket| bucket.0)
        .max();
    let last_label = PERCENTILES[PERCENTILES.len() - 1].0;
    let end = present().map(total).fold(10.0, f64::max).min(last_label);
    let ticks = PERCENTILES.iter().filter(|(at, _)| *at <= end);
    let x = Axis::nines(
        "percentile",
        ticks.map(|(at, text)| (*at, (*text).to_owned())).collect(),
        end,
    );
    let y = Axis::log(
        "latency, log scale",
        Unit::Seconds,
        seconds(low.unwrap_or_default()),
        seconds(high.unwrap_or_default()),
    );
    let series: Vec<Series> = record
        .servers
        .iter()
        .zip(&histograms)
        .enumerate()
        .filter_map(|(place, (server, h))| Some(series(place, server, h.as_ref()?, end)))
        .collect();
    let svg = plot::lines(&format!("{title}. {finding}"), &x, &y, &series);
    Chart {
        name: "distribution",
        title,
        drawing: Ok(Drawing { finding, svg }),
    }
}

/// The latencies of all rounds of a point in one histogram; none where no latency was taken.
fn merged(point: &Point) -> Option<Histogram> {
    let mut merged: BTreeMap<u64, u64> = BTreeMap::new();
    let buckets = point.rounds.iter().flat_map(|round| &round.latency.buckets);
    for &(upper, count) in buckets.filter(|(_, count)| *count > 0) {
        *merged.entry(upper).or_default() += count;
    }
    (!merged.is_empty()).then(|| merged.into_iter().collect())
}

/// The value in microseconds below which a share (0 to 1) of a histogram lies.
fn percentile(histogram: &Histogram, share: f64) -> Option<u64> {
    let wanted = (total(histogram) * share).ceil().max(1.0) as u64;
    let mut seen = 0;
    let reaches = |(_, count): &&(u64, u64)| {
        seen += count;
        seen >= wanted
    };
    let found = histogram.iter().find(reaches);
    found.or(histogram.last()).map(|(upper, _)| *upper)
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

fn total(histogram: &Histogram) -> f64 {
    histogram.iter().map(|(_, count)| count).sum::<u64>() as f64
}

fn finding(servers: &[String], histograms: &[Option<Histogram>]) -> String {
    let parts: Vec<String> = servers
        .iter()
        .zip(histograms)
        .map(|(server, histogram)| {
            let Some(histogram) = histogram else {
                return format!("{server} not measured");
            };
            let within = |share| {
                let micros = percentile(histogram, share).unwrap_or_default();
                Unit::Seconds.show(seconds(micros))
            };
            let (half, most, all) = (within(0.5), within(0.999), within(1.0));
            format!("{server}: half within {half}, 99.9% within {most}, all within {all}")
        })
        .collect();
    format!("{}.", parts.join("; "))
}

/// A histogram as steps up to the end of the axis, with a mark at each percentile that it holds.
fn series(place: usize, server: &str, histogram: &Histogram, end: f64) -> Series {
    let total = total(histogram);
    let mut line: Vec<(f64, f64)> = Vec::new();
    let mut seen = 0.0;
    for (upper, count) in histogram {
        let from = total / (total - seen);
        seen += *count as f64;
        // No delivery is above the slowest: its step ends where one in `total` has its place.
        let to = total / (total - seen).max(1.0);
        if from < end {
            line.push((from, seconds(*upper)));
            line.push((to.min(end), seconds(*upper)));
        }
    }
    let marks = PERCENTILES
        .iter()
        .filter(|(at, _)| *at <= total.min(end))
        .filter_map(|(at, text)| {
            let value = seconds(percentile(histogram, 1.0 - 1.0 / at)?);
            Some(Mark {
                x: *at,
                y: Figure {
                    median: value,
                    low: value,
                    high: value,
                },
                tip: format!("{server}: {text} within {}", Unit::Seconds.show(value)),
            })
        })
        .collect();
    Series {
        name: server.to_owned(),
        place,
        line,
        marks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::results::record::{Latency, Round};

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
        let merged = merged(&point).unwrap();
        assert_eq!(merged, [(10, 6), (20, 3), (30, 1)]);
        assert_eq!(percentile(&merged, 0.0), Some(10));
        assert_eq!(percentile(&merged, 0.6), Some(10));
        assert_eq!(percentile(&merged, 0.61), Some(20));
        assert_eq!(percentile(&merged, 1.0), Some(30));
        assert_eq!(percentile(&Vec::new(), 0.5), None);
        assert_eq!(super::merged(&Point::default()), None);
    }

    #[test]
    fn steps_end_where_the_axis_does_or_the_deliveries_do() {
        let ends = |end| {
            let series = series(0, "a", &vec![(10, 90), (20, 9), (30, 1)], end);
            let marks: Vec<f64> = series.marks.iter().map(|mark| mark.x).collect();
            (series.line.last().copied(), marks)
        };
        assert_eq!(ends(1e6), (Some((100.0, 30e-6)), vec![2.0, 10.0, 100.0]));
        assert_eq!(ends(50.0), (Some((50.0, 20e-6)), vec![2.0, 10.0]));
    }
}
