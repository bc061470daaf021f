//! The charts of a load test, each an SVG made from the [`Record`].
//!
//! They are drawn by hand (`plot.rs`) and take their colours from a style sheet, so that one
//! drawing serves light and dark mode, on a page or as a file of its own.

use crate::lab::report::axis::Axis;
use crate::lab::report::plot::{HEIGHT, Mark, Plot, Series, WIDTH, bounds};
use crate::lab::report::{distribution, table, timeline, words};
use crate::lab::results::metric::{Metric, metric};
use crate::lab::results::record::Record;
use crate::lab::results::stats;
use crate::text::escape;

/// Colours and fonts of every chart, light and dark.
pub(crate) const STYLE: &str = include_str!("chart.css");

/// One chart.
pub struct Chart {
    /// A name for files and anchors: `deliveries`.
    pub name: &'static str,
    /// What is drawn.
    pub title: String,
    /// The chart, or the reason why there is none.
    pub drawing: Result<Drawing, String>,
}

/// A chart that could be drawn.
pub struct Drawing {
    /// What it shows, in words and figures.
    pub finding: String,
    /// An `svg` element, for a page that has the charts' style sheet.
    pub svg: String,
}

impl Chart {
    /// The chart as a file of its own, with its title and its style; none if it is absent.
    pub fn file(&self) -> Option<String> {
        const MARGIN: f64 = 14.0;
        const TITLE: f64 = 24.0;
        let Drawing { finding, svg } = self.drawing.as_ref().ok()?;
        let (left, top) = (-MARGIN, -MARGIN - TITLE);
        let (width, height) = (WIDTH + 2.0 * MARGIN, HEIGHT + 2.0 * MARGIN + TITLE);
        let title = escape(&self.title);
        Some(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" \
             width=\"{:.0}\" height=\"{:.0}\" viewBox=\"{left} {top} {width} {height}\" \
             role=\"img\" aria-label=\"{title}. {}\">\n<style>\n{STYLE}</style>\n\
             <rect class=\"page\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/>\n\
             <text class=\"title\" x=\"0\" y=\"-14\">{title}</text>\n{svg}</svg>\n",
            width * 1.5,
            height * 1.5,
            escape(finding),
        ))
    }
}

/// The scenario that has a chart (`""` is every one), the chart's name, its title, and its figures: the
/// first is drawn, the others only widen the axis.
type Row = (&'static str, &'static str, &'static str, &'static str);

const CHARTS: [Row; 11] = [
    ("", "deliveries", "Deliveries per second", "rate"),
    ("", "timeline", "Deliveries over time", "rate"),
    ("", "memory", "Memory per client", "rss"),
    // These two have one axis, which holds both, so that they can be compared.
    ("", "latency-p50", "Median latency", "p50 p99"),
    ("", "latency-p99", "99th percentile of latency", "p99 p50"),
    ("", "distribution", "Distribution of latency", "p50"),
    ("", "cpu", "Server CPU time per million deliveries", "cpu"),
    ("idle", "threads", "Threads per client", "threads"),
    ("idle", "connect", "Time to connect", "connect"),
    ("churn", "rss-left", "Memory left behind", "rss-left"),
    (
        "churn",
        "threads-left",
        "Threads left behind",
        "threads-left",
    ),
];

/// All charts of a run, in the order in which a page shows them.
pub fn all(record: &Record) -> Vec<Chart> {
    let rows = CHARTS.iter();
    let rows = rows.filter(|row| row.0.is_empty() || row.0 == record.scenario);
    let mut charts: Vec<Chart> = rows.map(|row| chart(record, row)).collect();
    if record.scenario == "slow" {
        // What a slow consumer does to the others is seen over time.
        charts.swap(0, 1);
    }
    charts
}

fn chart(record: &Record, (_, name, title, figures): &Row) -> Chart {
    let figures: Vec<&Metric> = figures.split(' ').map(metric).collect();
    let plot = match *name {
        "timeline" => timeline::plot(record),
        "distribution" => distribution::plot(record),
        _ => against_clients(record, &figures),
    };
    let names = record.servers.iter().map(|name| table::shortened(name));
    let names: Vec<String> = names.collect();
    let drawing = plot.map(|mut plot| Drawing {
        svg: plot.draw(&format!("{title}. {}", plot.finding), &names),
        finding: plot.finding,
    });
    Chart {
        name,
        title: (*title).to_owned(),
        drawing: drawing.ok_or_else(|| words::absent(record, figures[0])),
    }
}

/// The first figure against the number of clients, or none if it is zero everywhere.
fn against_clients(record: &Record, figures: &[&Metric]) -> Option<Plot> {
    let all: Vec<_> = (figures.iter().map(|metric| series(record, metric))).collect();
    let [_, heights] = bounds(all.iter().flatten())?;
    let (metric, series) = (figures[0], all.into_iter().next()?);
    if bounds(&series)?[1] == (0.0, 0.0) {
        return None;
    }
    Some(Plot {
        finding: words::finding(record, metric)?,
        x: Axis::through("clients", &record.client_counts()),
        y: Axis::of(metric.unit, metric.heading, heights),
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
