//! The distribution of latency, as HdrHistogram plots it: each further nine of the percentile takes
//! as much room as the one before, so that the tail can be seen.

use super::charts::{Chart, Drawing};
use super::finding;
use super::plot::{self, Axis, Mark, Series};
use super::record::Record;
use super::summary::{self, Spread};
use super::units::{Unit, thousands};

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
pub(super) fn chart(record: &Record) -> Chart {
    let counts = summary::client_counts(record);
    let latencies = |count: usize| -> Vec<Option<Histogram>> {
        let of = |server: &str| summary::merged_latency(summary::point(record, server, count)?);
        record.servers.iter().map(|server| of(server)).collect()
    };
    let mut found = counts.iter().rev().map(|count| (*count, latencies(*count)));
    let Some((count, histograms)) = found.find(|(_, all)| all.iter().any(Option::is_some)) else {
        return Chart {
            name: "distribution",
            title: "Distribution of latency".to_owned(),
            drawing: Err(finding::absent(record, &summary::P50)),
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
        Unit::Micros,
        low.unwrap_or(1) as f64,
        high.unwrap_or(1) as f64,
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
                let micros = summary::percentile(histogram, share).unwrap_or_default();
                Unit::Micros.show(micros as f64)
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
            line.push((from, *upper as f64));
            line.push((to.min(end), *upper as f64));
        }
    }
    let marks = PERCENTILES
        .iter()
        .filter(|(at, _)| *at <= total.min(end))
        .filter_map(|(at, text)| {
            let micros = summary::percentile(histogram, 1.0 - 1.0 / at)? as f64;
            Some(Mark {
                x: *at,
                y: Spread {
                    median: micros,
                    low: micros,
                    high: micros,
                },
                tip: format!("{server}: {text} within {}", Unit::Micros.show(micros)),
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
