//! The charts of a load test, each an SVG made from the [`Record`].
//!
//! They are drawn by hand (`plot.rs`) and take their colours from a style sheet, so that one
//! drawing serves light and dark mode, on a page or as a file of its own.

use crate::lab::report::axis::Axis;
use crate::lab::report::chart::{Chart, Drawing};
use crate::lab::report::plot::{Mark, Plot, Series, bounds};
use crate::lab::report::{distribution, table, timeline, words};
use crate::lab::results::metric::{Metric, metric};
use crate::lab::results::record::Record;
use crate::lab::results::stats;
use crate::units::{Unit, count};

/// The name of a chart, its title, and its figures: the first is drawn, the others only widen the axis.
type Row = (&'static str, &'static str, &'static str);

const EVERYWHERE: [Row; 7] = [
    ("deliveries", "Deliveries per second", "rate"),
    ("timeline", "Deliveries over time", "rate"),
    ("memory", "Memory per client", "rss"),
    // These two have one axis, which holds both, so that they can be compared.
    ("latency-p50", "Median latency", "p50 p99"),
    ("latency-p99", "99th percentile of latency", "p99 p50"),
    ("distribution", "Distribution of latency", "p50"),
    ("cpu", "Server CPU time per million deliveries", "cpu"),
];
const IDLE: [Row; 2] = [
    ("threads", "Threads per client", "threads"),
    ("connect", "Time to connect", "connect"),
];
const CHURN: [Row; 2] = [
    ("rss-left", "Memory left behind", "rss-left"),
    ("threads-left", "Threads left behind", "threads-left"),
];

/// All charts of a run, in the order in which a page shows them.
pub fn all(record: &Record) -> Vec<Chart> {
    let more: &[Row] = match record.scenario.as_str() {
        "idle" => &IDLE,
        "churn" => &CHURN,
        _ => &[],
    };
    let rows = EVERYWHERE.iter().chain(more);
    let mut charts: Vec<Chart> = rows.map(|row| chart(record, row)).collect();
    if record.scenario == "slow" {
        // What a slow consumer does to the others is seen over time.
        charts.swap(0, 1);
    }
    charts
}

fn chart(record: &Record, (name, title, figures): &Row) -> Chart {
    let figures: Vec<&Metric> = figures.split(' ').map(metric).collect();
    let plot = match *name {
        "timeline" => timeline::plot(record),
        "distribution" => distribution::plot(record),
        _ => against_clients(record, &figures),
    };
    let at = plot.as_ref().map_or("", |plot| &plot.at);
    let title = format!("{title}{at}");
    let names = record.servers.iter().map(|name| table::shortened(name));
    let names: Vec<String> = names.collect();
    let drawing = plot.map(|mut plot| Drawing {
        svg: plot.draw(&format!("{title}. {}", plot.finding), &names),
        finding: plot.finding,
    });
    Chart {
        name,
        title,
        drawing: drawing.ok_or_else(|| words::absent(record, figures[0])),
    }
}

/// The first figure against the number of clients, or none if it is zero everywhere.
fn against_clients(record: &Record, figures: &[&Metric]) -> Option<Plot> {
    let all: Vec<_> = (figures.iter().map(|metric| series(record, metric))).collect();
    let [_, heights] = bounds(all.iter().flatten())?;
    let series = all.into_iter().next()?;
    if bounds(&series)?[1] == (0.0, 0.0) {
        return None;
    }
    let metric = figures[0];
    let label = match metric.unit {
        Unit::Seconds => "time",
        Unit::Bytes => "resident memory",
        Unit::Number => metric.heading,
    };
    let counts = record.client_counts();
    Some(Plot {
        at: match counts[..] {
            [clients] => format!(" at {}", count(clients, "client")),
            _ => " against clients".to_owned(),
        },
        finding: words::finding(record, metric),
        x: Axis::through("clients", &counts),
        y: Axis::of(metric.unit, label, heights),
        series,
    })
}

/// A figure of each server, with a mark at each number of clients.
fn series(record: &Record, metric: &Metric) -> Vec<Option<Series>> {
    let counts = record.client_counts();
    let of_server = |server: &String| {
        let mark = |&clients: &usize| {
            let point = record.point(server, clients)?;
            let figure = stats::figure(point, metric)?;
            let (x, tip) = (clients as f64, words::tip(metric, point, &figure));
            let y = [figure.low, figure.value, figure.high].map(|value| value.number);
            Some(Mark { x, y, tip })
        };
        let marks: Vec<Mark> = counts.iter().filter_map(mark).collect();
        let line = marks.iter().map(|mark| (mark.x, mark.y[1])).collect();
        (!marks.is_empty()).then_some(Series { line, marks })
    };
    record.servers.iter().map(of_server).collect()
}
