//! The charts of a load test, each an SVG made from the [`Record`].
//!
//! They are drawn by hand (`plot.rs`) and take their colours from a style sheet, so that one
//! drawing serves light and dark mode, on a page or as a file of its own.

use crate::lab::report::axis::Axis;
use crate::lab::report::chart::Chart;
use crate::lab::report::plot::{Mark, Plot, Series, bounds};
use crate::lab::report::{distribution, timeline, words};
use crate::lab::results::metric::{Metric, metric};
use crate::lab::results::record::Record;
use crate::lab::results::stats;
use crate::lab::results::units::{Unit, count};

/// All charts of a run, in the order in which a page shows them.
pub fn all(record: &Record) -> Vec<Chart> {
    let chart = |name, title, figure, plot| Chart::new(record, name, title, figure, plot);
    let against = |name, title, figures: &[&'static str]| {
        let plot = against_clients(record, figures);
        chart(name, title, figures[0], plot)
    };
    let (over_time, distribution) = (timeline::plot(record), distribution::plot(record));
    let mut charts = vec![
        against("deliveries", "Deliveries per second", &["rate"]),
        chart("timeline", "Deliveries over time", "rate", over_time),
        against("memory", "Memory per client", &["rss"]),
        // These two have one axis, which holds both, so that they can be compared.
        against("latency-p50", "Median latency", &["p50", "p99"]),
        against("latency-p99", "99th percentile of latency", &["p99", "p50"]),
        chart(
            "distribution",
            "Distribution of latency",
            "p50",
            distribution,
        ),
        against("cpu", "Server CPU time per million deliveries", &["cpu"]),
    ];
    let (left, threads_left) = ("Memory left behind", "Threads left behind");
    match record.scenario.as_str() {
        "idle" => charts.extend([
            against("threads", "Threads per client", &["threads"]),
            against("connect", "Time to connect", &["connect"]),
        ]),
        "churn" => charts.extend([
            against("rss-left", left, &["rss-left"]),
            against("threads-left", threads_left, &["threads-left"]),
        ]),
        // What a slow consumer does to the others is seen over time.
        "slow" => charts.swap(0, 1),
        _ => {}
    }
    charts
}

/// The first figure against the number of clients, or none if it is zero everywhere; the other figures
/// only widen the axis.
fn against_clients(record: &Record, figures: &[&str]) -> Option<Plot> {
    let of_servers = |name: &&str| -> Vec<Option<Series>> {
        let servers = record.servers.iter();
        servers
            .map(|server| series(record, server, metric(name)))
            .collect()
    };
    let mut all: Vec<_> = figures.iter().map(of_servers).collect();
    let [_, heights] = bounds(all.iter().flatten())?;
    let series = all.swap_remove(0);
    if bounds(&series)?[1] == (0.0, 0.0) {
        return None;
    }
    let metric = metric(figures[0]);
    let label = match metric.unit {
        Unit::Seconds => "time",
        Unit::Bytes => "resident memory",
        Unit::Number => metric.heading,
    };
    let counts = record.client_counts();
    Some(Plot {
        at: match counts[..] {
            [clients] => format!("at {}", count(clients, "client")),
            _ => "against clients".to_owned(),
        },
        finding: words::finding(record, metric),
        x: Axis::through("clients", &counts),
        y: Axis::of(metric.unit, label, heights),
        series,
    })
}

fn series(record: &Record, server: &str, metric: &Metric) -> Option<Series> {
    let mark = |clients: &usize| {
        let point = record.point(server, *clients)?;
        let figure = stats::figure(point, metric)?;
        let (x, tip) = (*clients as f64, words::tip(metric, point, &figure));
        let y = [figure.low, figure.value, figure.high].map(|value| value.number);
        Some(Mark { x, y, tip })
    };
    let marks: Vec<Mark> = record.client_counts().iter().filter_map(mark).collect();
    let line = marks.iter().map(|mark| (mark.x, mark.y[1])).collect();
    (!marks.is_empty()).then_some(Series { line, marks })
}
