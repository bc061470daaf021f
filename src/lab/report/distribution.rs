//! The distribution of latency, as HdrHistogram plots it: each further nine of the percentile takes
//! as much room as the one before, so that the tail can be seen.

use hdrhistogram::Histogram;

use crate::lab::report::axis::Axis;
use crate::lab::report::plot::{Mark, Plot, Series, bounds};
use crate::lab::report::words;
use crate::lab::results::metric::{Value, metric};
use crate::lab::results::record::{Point, Record};
use crate::units::{Unit, count};

/// The percentiles with a label: one in so many deliveries lies above. What lies beyond the last is a
/// handful of deliveries, and the finding names the longest.
const PERCENTILES: [f64; 7] = [2.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];

/// The number of nines of the last of them, where the axis ends.
const LAST: f64 = 6.0;

/// Latency over its percentiles, a line for each server, at the largest number of clients.
pub fn plot(record: &Record) -> Option<Plot> {
    let clients = record.largest(|point| merged(point).is_some())?;
    let series = |server: &String| series(server, record.point(server, clients)?);
    let series: Vec<_> = record.servers.iter().map(series).collect();
    let [(_, end), latencies] = bounds(&series)?;
    let end = end.max(1.0);
    let ticks = PERCENTILES.map(|one_in| (one_in.log10(), percentile(one_in)));
    let ticks = ticks.into_iter().filter(|(nines, _)| *nines <= end);
    let finding = words::each(record, clients, |point| {
        let latencies = merged(point)?;
        let [half, most, all] = [0.5, 0.999, 1.0].map(|share| within(point, &latencies, share).1);
        let within = format!("half within {half}, 99.9% within {most}, all within {all}");
        Some(within)
    });
    let label = format!("percentile at {}", count(clients, "client"));
    Some(Plot {
        finding: format!("All rounds together. {finding}"),
        x: Axis::new(&label, false, (0.0, end), ticks.collect()),
        y: Axis::of(Unit::Seconds, "latency", latencies),
        series,
    })
}

/// The latencies of all rounds of a point, in microseconds; none where no latency was taken.
fn merged(point: &Point) -> Option<Histogram<u64>> {
    // As precise as those of the rounds.
    let mut merged = Histogram::new(2).ok()?;
    for (micros, count) in point.rounds.iter().flat_map(|round| &round.latency.buckets) {
        merged.record_n(*micros, *count).ok()?;
    }
    (!merged.is_empty()).then_some(merged)
}

/// The seconds within which a share (0 to 1) lies, and how they are shown.
fn within(point: &Point, latencies: &Histogram<u64>, share: f64) -> (f64, String) {
    let micros = latencies.value_at_quantile(share);
    let number = micros as f64 / 1e6;
    let mut rounds = point.rounds.iter();
    let is_bound = rounds.any(|round| round.latency.is_bound(micros));
    (number, metric("p50").show(Value { number, is_bound }))
}

fn percentile(one_in: f64) -> String {
    format!("{}%", 100.0 - 100.0 / one_in)
}

/// Steps up to the end of the axis, with a mark at each percentile that they hold.
fn series(server: &str, point: &Point) -> Option<Series> {
    let latencies = merged(point)?;
    let total = latencies.len() as f64;
    // No delivery is above the slowest: its step ends where one in `total` has its place.
    let nines = |left: f64| (total / left.max(1.0)).log10().min(LAST);
    let mut line = Vec::new();
    let mut left = total;
    for step in latencies.iter_recorded() {
        let from = nines(left);
        left -= step.count_at_value() as f64;
        if from < LAST {
            let latency = step.value_iterated_to() as f64 / 1e6;
            line.extend([(from, latency), (nines(left), latency)]);
        }
    }
    let held = PERCENTILES.iter().filter(|one_in| **one_in <= total);
    let mark = |&one_in: &f64| {
        let (latency, shown) = within(point, &latencies, 1.0 - 1.0 / one_in);
        Mark {
            x: one_in.log10(),
            y: [latency; 3],
            tip: format!("{server}: {} within {shown}", percentile(one_in)),
        }
    };
    let marks = held.map(mark).collect();
    Some(Series { line, marks })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::results::record::{Latency, Round};

    fn round(bound_from: Option<u64>, buckets: &[(u64, u64)]) -> Round {
        Round {
            latency: Latency {
                bound_from,
                buckets: buckets.to_vec(),
                ..Latency::default()
            },
            ..Round::default()
        }
    }

    fn point<const ROUNDS: usize>(rounds: [Round; ROUNDS]) -> Point {
        Point {
            rounds: rounds.to_vec(),
            ..Point::default()
        }
    }

    #[test]
    fn histograms_of_rounds_add_up() {
        let point = point([
            round(None, &[(10, 5), (30, 1)]),
            round(Some(15), &[(10, 1), (20, 3), (40, 0)]),
        ]);
        let merged = merged(&point).unwrap();
        let steps = merged.iter_recorded();
        let steps = steps.map(|step| (step.value_iterated_to(), step.count_at_value()));
        assert_eq!(steps.collect::<Vec<_>>(), [(10, 6), (20, 3), (30, 1)]);
        for (share, expected) in [
            (0.0, "10 µs"),
            (0.6, "10 µs"),
            (0.61, "≥20 µs"),
            (1.0, "≥30 µs"),
        ] {
            assert_eq!(within(&point, &merged, share).1, expected, "{share}");
        }
        assert_eq!(super::merged(&Point::default()), None);
    }

    #[test]
    fn steps_end_where_the_axis_does_or_the_deliveries_do() {
        let ends = |buckets: &[(u64, u64)]| {
            let series = series("a", &point([round(None, buckets)])).unwrap();
            let marks: Vec<f64> = series.marks.iter().map(|mark| mark.x).collect();
            (
                series.line.last().copied(),
                marks.len(),
                marks.last().copied(),
            )
        };
        let few = [(10, 90), (20, 9), (30, 1)];
        assert_eq!(ends(&few), (Some((2.0, 30e-6)), 3, Some(2.0)));
        let many = [(10, 9_999_990), (20, 9), (30, 1)];
        assert_eq!(ends(&many), (Some((6.0, 10e-6)), 7, Some(6.0)));
    }
}
