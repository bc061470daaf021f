//! A record as tables of text, for standard output.

use super::metric::Metric;
use super::record::{Point, Record};
use super::stats::{figure, ratio};

use Metric::*;

/// The tables of a scenario: a title and the columns.
pub(super) fn tables(scenario: &str) -> &'static [(&'static str, &'static [Metric])] {
    const SPEED: &[Metric] = &[
        DeliveriesPerSecond,
        MessagesPerSecond,
        P50,
        P90,
        P99,
        P99_9,
        Max,
        Lost,
        Connect,
    ];
    const COST: &[Metric] = &[
        CpuPerMillion,
        SwitchesPerDelivery,
        RssPerClient,
        ThreadsPerClient,
    ];
    match scenario {
        _ => &[("What it does", SPEED), ("What it costs the server", COST)],
    }
}

/// All tables of a record.
pub fn tables_of(record: &Record) -> String {
    let mut text = heading(record);
    for (title, metrics) in tables(&record.scenario) {
        text.push_str(&format!("\n{title}\n"));
        text.push_str(&align(&rows(record, metrics)));
    }
    text
}

fn heading(record: &Record) -> String {
    let Record {
        scenario,
        size,
        duration,
        machine,
        ..
    } = record;
    let rounds = record.points.iter().map(|point| point.rounds.len()).max();
    let load = match (record.rate, record.senders) {
        (Some(rate), _) => format!("open loop at {rate} a second"),
        (None, Some(senders)) => format!("closed loop, {senders} senders"),
        (None, None) => "closed loop".to_owned(),
    };
    format!(
        "{scenario}: {load}, {size} bytes a message, {} rounds of {duration} s, medians\n{}, {} cores, \
         {}\n",
        rounds.unwrap_or(0),
        machine.cpu,
        machine.cores,
        machine.kernel,
    )
}

fn rows(record: &Record, metrics: &[Metric]) -> Vec<Vec<String>> {
    let mut rows = vec![
        ["clients".to_owned(), "server".to_owned()]
            .into_iter()
            .chain(metrics.iter().map(|metric| metric.heading().to_owned()))
            .collect(),
    ];
    let mut clients = None;
    for point in &record.points {
        let size = if clients == Some(point.clients) {
            String::new()
        } else {
            point.clients.to_string()
        };
        clients = Some(point.clients);
        let mut row = |first: String, second: String, cell: &dyn Fn(Metric) -> String| {
            let cells: Vec<String> = metrics.iter().map(|&metric| cell(metric)).collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
                rows.push([first, second].into_iter().chain(cells).collect());
            }
        };
        row(size, point.server.clone(), &|metric| median(point, metric));
        row(String::new(), "  spread".to_owned(), &|metric| {
            spread(point, metric)
        });
        row(String::new(), "  ratio".to_owned(), &|metric| {
            ratio(record, point, metric).map_or(String::new(), |ratio| format!("×{ratio:.2}"))
        });
    }
    rows
}

fn median(point: &Point, metric: Metric) -> String {
    figure(point, metric).map_or("-".to_owned(), |figure| {
        // One fault in any round is to be seen.
        let value = if metric.is_fault() {
            figure.high
        } else {
            figure.median
        };
        metric.unit().show(value)
    })
}

fn spread(point: &Point, metric: Metric) -> String {
    match figure(point, metric) {
        Some(figure) if point.rounds.len() > 1 && !metric.is_fault() => {
            format!("±{:.0} %", figure.spread() * 100.0)
        }
        _ => String::new(),
    }
}

/// Sets the columns to one width: the second to the left, the others to the right.
fn align(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let cell = match column {
                0 => format!("{cell:>width$}"),
                1 => format!("  {cell:<width$}"),
                _ => format!("  {cell:>width$}"),
            };
            line.push_str(&cell);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
