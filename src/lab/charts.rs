//! The charts of a load test, each an SVG made from the [`Record`].
//!
//! They are drawn by hand ([`super::plot`]) and take their colours from a style sheet, so that one
//! drawing serves light and dark mode, on a page or as a file of its own.

use super::plot::{self, Axis, Mark, Series, escape};
use super::record::Record;
use super::summary::{self, Figure, Spread};
use super::units::{Unit, thousands};

/// Colours and fonts of every chart, light and dark.
pub(super) const STYLE: &str = include_str!("chart.css");

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
    /// An `svg` element, to be put into a page that has the chart's style sheet.
    pub svg: String,
}

impl Chart {
    /// The chart as a file of its own, with its title and its style; none if it is absent.
    pub fn file(&self) -> Option<String> {
        let drawing = self.drawing.as_ref().ok()?;
        let view = drawing.svg.split("viewBox=\"").nth(1)?.split('"').next()?;
        let size: Vec<f64> = view.split(' ').filter_map(|n| n.parse().ok()).collect();
        let (width, height) = (*size.get(2)? + 24.0, *size.get(3)? + 48.0);
        Some(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" width=\"{:.0}\" height=\"{:.0}\" \
             viewBox=\"-12 -36 {width} {height}\" role=\"img\" aria-label=\"{}\">\n\
             <style>\n{STYLE}</style>\n\
             <rect x=\"-12\" y=\"-36\" width=\"{width}\" height=\"{height}\" style=\"fill: var(--page)\"/>\n\
             <text class=\"title\" x=\"0\" y=\"-14\">{}</text>\n{}</svg>\n",
            width * 1.5,
            height * 1.5,
            escape(&format!("{}. {}", self.title, drawing.finding)),
            escape(&self.title),
            drawing.svg.replacen(
                "<svg ",
                &format!("<svg width=\"{}\" height=\"{}\" ", size[2], size[3]),
                1
            ),
        ))
    }
}

/// All charts of a run, in the order in which a page shows them.
pub fn all(record: &Record) -> Vec<Chart> {
    let latencies = [summary::P50, summary::P99];
    let mut charts = vec![
        against_clients(
            record,
            "deliveries",
            "Deliveries a second",
            &[summary::DELIVERIES],
        ),
        against_clients(record, "memory", "Memory per client", &[summary::MEMORY]),
    ];
    for (i, name, title) in [
        (0, "latency-p50", "Median latency"),
        (1, "latency-p99", "99th percentile of latency"),
    ] {
        // Both have the axis that holds both, so that they can be compared.
        let figures = [latencies[i], latencies[1 - i]];
        charts.push(against_clients(record, name, title, &figures));
    }
    charts.push(distribution(record));
    charts.push(against_clients(
        record,
        "cpu",
        "Server CPU seconds per million deliveries",
        &[summary::CPU],
    ));
    charts
}

/// The first figure against the number of clients, or a bar a server where there is one number;
/// the other figures only widen the axis.
fn against_clients(record: &Record, name: &'static str, title: &str, figures: &[Figure]) -> Chart {
    let figure = figures[0];
    let drawing = if figure.is_in(record) {
        Ok(draw(record, title, figures))
    } else {
        Err(absent(record, &figure))
    };
    let across = if summary::client_counts(record).len() > 1 {
        " against clients"
    } else {
        ""
    };
    Chart {
        name,
        title: format!("{title}{across}"),
        drawing,
    }
}

fn draw(record: &Record, title: &str, figures: &[Figure]) -> Drawing {
    let figure = figures[0];
    let counts = summary::client_counts(record);
    let series: Vec<Series> = record
        .servers
        .iter()
        .enumerate()
        .map(|(place, server)| series(record, &figure, place, server, &counts))
        .filter(|series| !series.marks.is_empty())
        .collect();
    let all: Vec<Spread> = record
        .points
        .iter()
        .flat_map(|point| figures.iter().filter_map(|figure| figure.over(point)))
        .collect();
    let low = all.iter().map(|s| s.low).fold(f64::INFINITY, f64::min);
    let high = all.iter().map(|s| s.high).fold(f64::NEG_INFINITY, f64::max);

    let finding = finding(record, &figure);
    let spoken = format!("{title}. {finding}");
    let svg = match counts.as_slice() {
        [count] => {
            let label = format!(
                "{}, {} clients",
                axis_label(&figure),
                thousands(*count as u64)
            );
            plot::bars(
                &spoken,
                &Axis::linear(&label, figure.unit, low, high),
                figure.unit,
                &series,
            )
        }
        _ => {
            let ticks = counts
                .iter()
                .map(|c| (*c as f64, Unit::Count.show(*c as f64)))
                .collect();
            let label = axis_label(&figure);
            let y = if figure.unit == Unit::Micros {
                Axis::log(&format!("{label}, log scale"), figure.unit, low, high)
            } else {
                Axis::linear(label, figure.unit, low, high)
            };
            plot::lines(&spoken, &Axis::through("clients", ticks), &y, &series)
        }
    };
    Drawing { finding, svg }
}

fn series(
    record: &Record,
    figure: &Figure,
    place: usize,
    server: &str,
    counts: &[usize],
) -> Series {
    let marks: Vec<Mark> = counts
        .iter()
        .filter_map(|count| {
            let point = summary::point(record, server, *count)?;
            let y = figure.over(point)?;
            let tip = format!(
                "{server}, {} clients: {} {}",
                thousands(*count as u64),
                noun(figure, y.median),
                range(figure, &y, point.rounds.len()),
            );
            Some(Mark {
                x: *count as f64,
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

/// A value with what it is.
fn noun(figure: &Figure, value: f64) -> String {
    let value = figure.unit.show(value);
    match figure.unit {
        Unit::Count => format!("{value} {}", figure.name),
        _ => value,
    }
}

fn range(figure: &Figure, spread: &Spread, rounds: usize) -> String {
    if rounds < 2 {
        return "(one round)".to_owned();
    }
    let (low, high) = (figure.unit.show(spread.low), figure.unit.show(spread.high));
    format!("({low} to {high} over {rounds} rounds)")
}

fn axis_label(figure: &Figure) -> &'static str {
    match figure.name {
        "CPU s per million deliveries" => "CPU seconds",
        "p50" | "p99" => "latency",
        "memory per client" => "resident",
        name => name,
    }
}

/// What a chart of this figure shows at the largest number of clients, in words.
pub(super) fn finding(record: &Record, figure: &Figure) -> String {
    let counts = summary::client_counts(record);
    let at = |server: &str, count: usize| figure.over(summary::point(record, server, count)?);
    let Some((&largest, first_server)) = counts
        .iter()
        .rev()
        .find(|count| {
            record
                .servers
                .iter()
                .any(|server| at(server, **count).is_some())
        })
        .zip(record.servers.first())
    else {
        return absent(record, figure);
    };
    let first = at(first_server, largest);
    let mut parts = Vec::new();
    for (i, server) in record.servers.iter().enumerate() {
        let Some(here) = at(server, largest) else {
            parts.push(format!("{server} has no figure"));
            continue;
        };
        let value = if parts.is_empty() {
            noun(figure, here.median)
        } else {
            figure.unit.show(here.median)
        };
        let compared = match first.filter(|f| i > 0 && f.median > 0.0) {
            Some(f) if f.overlaps(&here) => format!(" (no clear difference from {first_server})"),
            Some(f) => format!(
                " ({} times {first_server})",
                Unit::Count.show(here.median / f.median)
            ),
            None => String::new(),
        };
        parts.push(format!("{server} {value}{compared}"));
    }
    let mut text = format!(
        "At {} clients: {}.",
        thousands(largest as u64),
        parts.join("; ")
    );
    if let Some((count, before)) = counts
        .iter()
        .filter(|count| **count < largest)
        .find_map(|count| Some((*count, at(first_server, *count)?)))
    {
        text.push_str(&format!(
            " At {} clients {first_server} had {}.",
            thousands(count as u64),
            figure.unit.show(before.median)
        ));
    }
    text
}

/// Why no point of the record has this figure.
fn absent(record: &Record, figure: &Figure) -> String {
    let rounds = || record.points.iter().flat_map(|point| &point.rounds);
    let needs_cost = [summary::MEMORY.name, summary::CPU.name].contains(&figure.name);
    if rounds().next().is_none() {
        "no round was measured".to_owned()
    } else if needs_cost && rounds().all(|round| round.server.is_none()) {
        "the server's process could not be looked at (it was not started by loadtest)".to_owned()
    } else if figure.name == summary::MEMORY.name {
        "no client was connected, or none made the server grow".to_owned()
    } else if rounds().all(|round| round.messages == 0) {
        format!("nothing was sent in this run ({})", record.scenario)
    } else if rounds().all(|round| round.deliveries == 0) {
        "nothing was delivered".to_owned()
    } else {
        "all figures are zero".to_owned()
    }
}

/// Latency over its percentiles, a line for each server, at the largest number of clients.
fn distribution(record: &Record) -> Chart {
    let largest = summary::client_counts(record)
        .into_iter()
        .rev()
        .find_map(|count| {
            let found: Vec<(usize, &String, Vec<(u64, u64)>)> = record
                .servers
                .iter()
                .enumerate()
                .filter_map(|(place, server)| {
                    let histogram = summary::merged_latency(summary::point(record, server, count)?);
                    (!histogram.is_empty()).then_some((place, server, histogram))
                })
                .collect();
            (!found.is_empty()).then_some((count, found))
        });
    let Some((count, found)) = largest else {
        return Chart {
            name: "distribution",
            title: "Distribution of latency".to_owned(),
            drawing: Err(absent(record, &summary::P50)),
        };
    };
    let title = format!(
        "Distribution of latency at {} clients",
        thousands(count as u64)
    );
    let show = |histogram: &[(u64, u64)], share: f64| {
        Unit::Micros.show(summary::percentile(histogram, share).unwrap_or(0) as f64)
    };
    let parts: Vec<String> = found
        .iter()
        .map(|(_, server, h)| {
            let (half, nearly_all, all) = (show(h, 0.5), show(h, 0.999), show(h, 1.0));
            format!("{server} half within {half}, 99.9% within {nearly_all}, all within {all}")
        })
        .collect();
    let finding = format!("{}.", parts.join("; "));

    let total = |h: &[(u64, u64)]| h.iter().map(|(_, count)| count).sum::<u64>() as f64;
    let most = found.iter().map(|(_, _, h)| total(h)).fold(1.0, f64::max);
    let low = found
        .iter()
        .filter_map(|(_, _, h)| h.first())
        .map(|b| b.0)
        .min()
        .unwrap_or(1);
    let high = found
        .iter()
        .filter_map(|(_, _, h)| h.last())
        .map(|b| b.0)
        .max()
        .unwrap_or(1);
    let x = Axis::percentiles("percentile", most);
    let y = Axis::log("latency, log scale", Unit::Micros, low as f64, high as f64);
    let series: Vec<Series> = found
        .into_iter()
        .map(|(place, server, histogram)| percentile_series(place, server, &histogram))
        .collect();
    let svg = plot::lines(&format!("{title}. {finding}"), &x, &y, &series);
    Chart {
        name: "distribution",
        title,
        drawing: Ok(Drawing { finding, svg }),
    }
}

/// A histogram as steps over 1 / (1 - share), with a mark at each labelled percentile that it holds.
fn percentile_series(place: usize, server: &str, histogram: &[(u64, u64)]) -> Series {
    let total = histogram.iter().map(|(_, count)| count).sum::<u64>() as f64;
    let mut line: Vec<(f64, f64)> = Vec::new();
    let mut seen = 0.0;
    for (upper, count) in histogram {
        let from = total / (total - seen);
        seen += *count as f64;
        // The slowest of all has nothing above it; it stands where the last but one delivery ends.
        let to = total / (total - seen).max(1.0);
        line.push((from, *upper as f64));
        line.push((to, *upper as f64));
    }
    let marks = [
        ("50%", 2.0),
        ("90%", 10.0),
        ("99%", 1e2),
        ("99.9%", 1e3),
        ("99.99%", 1e4),
        ("99.999%", 1e5),
    ]
    .into_iter()
    .filter(|(_, x)| *x <= total)
    .filter_map(|(percent, x)| {
        let micros = summary::percentile(histogram, 1.0 - 1.0 / x)? as f64;
        let tip = format!(
            "{server}: {percent} of the deliveries within {}",
            Unit::Micros.show(micros)
        );
        Some(Mark {
            x,
            y: Spread {
                median: micros,
                low: micros,
                high: micros,
            },
            tip,
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
