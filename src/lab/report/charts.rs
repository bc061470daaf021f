//! The charts of a load test, each an SVG made from the [`Record`].
//!
//! They are drawn by hand (`plot.rs`) and take their colours from a style sheet, so that one
//! drawing serves light and dark mode, on a page or as a file of its own.

use crate::lab::report::axis::Axis;
use crate::lab::report::chart::Chart;
use crate::lab::report::plot::{Mark, Series};
use crate::lab::report::{distribution, timeline, words};
use crate::lab::results::metric::{Metric, metric};
use crate::lab::results::record::Record;
use crate::lab::results::stats;
use crate::lab::results::units::{Unit, count};

/// All charts of a run, in the order in which a page shows them.
pub fn all(record: &Record) -> Vec<Chart> {
    let chart = |name, title, metrics| against_clients(record, name, title, metrics);
    let mut charts = vec![
        chart("deliveries", "Deliveries per second", &["rate"]),
        timeline::chart(record),
        chart("memory", "Memory per client", &["rss"]),
        // These two have one axis, which holds both, so that they can be compared.
        chart("latency-p50", "Median latency", &["p50", "p99"]),
        chart("latency-p99", "99th percentile of latency", &["p99", "p50"]),
        distribution::chart(record),
        chart("cpu", "Server CPU time per million deliveries", &["cpu"]),
    ];
    match record.scenario.as_str() {
        "idle" => {
            charts.push(chart("threads", "Threads per client", &["threads"]));
            charts.push(chart("connect", "Time to connect", &["connect"]));
        }
        "churn" => {
            charts.push(chart("rss-left", "Memory left behind", &["rss-left"]));
            charts.push(chart(
                "threads-left",
                "Threads left behind",
                &["threads-left"],
            ));
        }
        // What a slow consumer does to the others is seen over time.
        "slow" => charts.swap(0, 1),
        _ => {}
    }
    charts
}

/// The first metric against the number of clients; the others only widen the axis.
fn against_clients(record: &Record, name: &'static str, title: &str, metrics: &[&str]) -> Chart {
    let counts = record.client_counts();
    let title = match counts[..] {
        [] => title.to_owned(),
        [clients] => format!("{title} at {}", count(clients, "client")),
        _ => format!("{title} against clients"),
    };
    let metrics: Vec<&Metric> = metrics.iter().map(|name| metric(name)).collect();
    let metric = metrics[0];
    if !words::is_in(record, metric) {
        return Chart::absent(name, title, record, metric);
    }

    let places = 0..record.servers.len();
    let series = places.map(|place| series(record, metric, place));
    let series: Vec<Series> = series.filter(|series| !series.marks.is_empty()).collect();
    let points = record.points.iter();
    let figures = points.flat_map(|point| metrics.iter().filter_map(|m| stats::figure(point, m)));
    let (low, high) = figures.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), figure| {
        (low.min(figure.low.number), high.max(figure.high.number))
    });
    let label = axis_label(metric);
    let y = match metric.unit {
        Unit::Seconds => Axis::log(&format!("{label}, log scale"), metric.unit, low, high),
        _ => Axis::linear(label, metric.unit, low, high),
    };
    let clients = counts.iter().map(|&count| count as f64);
    let ticks = clients.map(|count| (count, Unit::Number.show(count)));
    let x = Axis::through("clients", ticks.collect());
    Chart::drawn(
        name,
        title,
        words::finding(record, metric),
        (&x, &y),
        &series,
    )
}

fn series(record: &Record, metric: &Metric, place: usize) -> Series {
    let server = &record.servers[place];
    let mark = |clients: usize| {
        let point = record.point(server, clients)?;
        let figure = stats::figure(point, metric)?;
        let tip = words::tip(metric, point, &figure);
        let mark = Mark::new(clients as f64, figure.value.number, tip);
        Some(mark.within(figure.low.number, figure.high.number))
    };
    let marks: Vec<Mark> = record
        .client_counts()
        .into_iter()
        .filter_map(mark)
        .collect();
    let line = marks.iter().map(|mark| (mark.x, mark.y)).collect();
    Series::new(server, place, line, marks)
}

fn axis_label(metric: &Metric) -> &'static str {
    match (metric.unit, metric.name) {
        (Unit::Seconds, "connect") => "time",
        (Unit::Seconds, _) => "latency",
        (Unit::Bytes, _) => "resident memory",
        (Unit::Number, "cpu") => "CPU seconds",
        (Unit::Number, _) => metric.heading,
    }
}
