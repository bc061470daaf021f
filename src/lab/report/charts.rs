//! The charts of a load test, each an SVG made from the [`Record`].
//!
//! They are drawn by hand (`plot.rs`) and take their colours from a style sheet, so that one
//! drawing serves light and dark mode, on a page or as a file of its own.

use crate::lab::report::axis::Axis;
use crate::lab::report::chart::{Chart, Drawing};
use crate::lab::report::distribution;
use crate::lab::report::finding::{self, finding};
use crate::lab::report::plot::{self, Mark, Series};
use crate::lab::results::metric::{Metric, Unit};
use crate::lab::results::record::Record;
use crate::lab::results::stats::{self, Figure};
use crate::lab::results::units::thousands;

/// All charts of a run, in the order in which a page shows them.
pub fn all(record: &Record) -> Vec<Chart> {
    use Metric::*;
    let chart = |name, title, metrics| against_clients(record, name, title, metrics);
    let mut charts = vec![
        chart("deliveries", "Deliveries a second", &[DeliveriesPerSecond]),
        chart("memory", "Memory per client", &[RssPerClient]),
        // These two have one axis, which holds both, so that they can be compared.
        chart("latency-p50", "Median latency", &[P50, P99]),
        chart("latency-p99", "99th percentile of latency", &[P99, P50]),
        distribution::chart(record),
        chart(
            "cpu",
            "Server CPU time per million deliveries",
            &[CpuPerMillion],
        ),
    ];
    if record.scenario == "idle" {
        charts.push(chart("threads", "Threads per client", &[ThreadsPerClient]));
        charts.push(chart("connect", "Time to connect", &[Connect]));
    }
    charts
}

/// The first metric against the number of clients, or a bar a server where there is one number;
/// the other metrics only widen the axis.
fn against_clients(record: &Record, name: &'static str, title: &str, metrics: &[Metric]) -> Chart {
    let counts = record.client_counts();
    let title = match counts.as_slice() {
        [] => title.to_owned(),
        [count] => format!("{title} at {} clients", thousands(*count as u64)),
        _ => format!("{title} against clients"),
    };
    let metric = metrics[0];
    if !finding::is_in(record, metric) {
        let drawing = Err(finding::absent(record, metric));
        return Chart {
            name,
            title,
            drawing,
        };
    }

    let series: Vec<Series> = record
        .servers
        .iter()
        .enumerate()
        .map(|(place, server)| series(record, metric, place, server))
        .filter(|series| !series.marks.is_empty())
        .collect();
    let points = record.points.iter();
    let all: Vec<Figure> = points
        .flat_map(|point| {
            metrics
                .iter()
                .filter_map(|metric| stats::figure(point, *metric))
        })
        .collect();
    let low = all.iter().map(|s| s.low).fold(f64::INFINITY, f64::min);
    let high = all.iter().map(|s| s.high).fold(f64::NEG_INFINITY, f64::max);

    let finding = finding(record, metric);
    let spoken = format!("{title}. {finding}");
    let label = axis_label(metric);
    let svg = if counts.len() == 1 {
        // Bars say what they say by their length, so they have zero and no logarithm.
        let axis = Axis::linear(label, metric.unit(), low, high);
        plot::bars(&spoken, &axis, metric.unit(), &series)
    } else {
        let clients = counts.iter().map(|count| *count as f64);
        let ticks = clients.map(|count| (count, Unit::Number.show(count)));
        let y = match metric.unit() {
            Unit::Seconds => Axis::log(&format!("{label}, log scale"), metric.unit(), low, high),
            _ => Axis::linear(label, metric.unit(), low, high),
        };
        plot::lines(
            &spoken,
            &Axis::through("clients", ticks.collect()),
            &y,
            &series,
        )
    };
    Chart {
        name,
        title,
        drawing: Ok(Drawing { finding, svg }),
    }
}

fn series(record: &Record, metric: Metric, place: usize, server: &str) -> Series {
    let marks: Vec<Mark> = record
        .client_counts()
        .into_iter()
        .filter_map(|count| {
            let point = record.point(server, count)?;
            let y = stats::figure(point, metric)?;
            let tip = finding::tip(metric, server, count, &y, point.rounds.len());
            Some(Mark {
                x: count as f64,
                y,
                tip,
            })
        })
        .collect();
    Series {
        name: server.to_owned(),
        place,
        line: marks.iter().map(|mark| (mark.x, mark.y.median)).collect(),
        marks,
    }
}

fn axis_label(metric: Metric) -> &'static str {
    match metric.unit() {
        Unit::Seconds if metric == Metric::Connect => "time",
        Unit::Seconds => "latency",
        Unit::Bytes => "resident memory",
        Unit::Number if metric == Metric::CpuPerMillion => "CPU seconds",
        Unit::Number => metric.heading(),
    }
}
