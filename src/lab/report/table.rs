//! A record as tables of text, none wider than a terminal.

use crate::lab::report::words;
use crate::lab::results::metric::{Metric, metric};
use crate::lab::results::record::{Point, Record};
use crate::lab::results::stats::{figure, ratio};
use crate::lab::results::units;
use crate::text::{columns, width, wrap};

/// Columns of the smallest terminal in use.
const WIDTH: usize = 80;

/// Columns of a server's name, which leave room for a figure.
const NAME: usize = 24;

const LATENCY: (&str, &str) = ("Latency", "p50 p90 p95 p99 p99.9 max");
const FAULTS: (&str, &str) = (
    "Faults in what was delivered",
    "lost duplicated out-of-order damaged dropped",
);
const COST: (&str, &str) = (
    "What it costs the server",
    "cpu switches rss threads mappings descriptors",
);

/// What stands in place of the faults where there are none.
const SOUND: &str =
    "Every client checked every message: nothing lost, doubled, damaged or out of order.";

/// A title and the columns.
pub type Table = (&'static str, Vec<&'static Metric>);

/// The tables of a record, with the figures that any of its rounds has.
pub fn tables(record: &Record) -> Vec<Table> {
    let tables: &[(&str, &str)] = match record.scenario.as_str() {
        "echo" => &[
            ("Throughput", "rate lost damaged dropped pause connect"),
            LATENCY,
            COST,
        ],
        "idle" => &[(
            "Per silent client",
            "rss virtual threads mappings descriptors connect dropped",
        )],
        "churn" => &[
            ("Throughput", "rate lost damaged pause"),
            LATENCY,
            (
                "Left behind after all clients have gone",
                "threads-left descriptors-left mappings-left rss-left cpu",
            ),
        ],
        "slow" => &[
            (
                "What the clients that read notice",
                "pause rate messages lost dropped",
            ),
            LATENCY,
            COST,
        ],
        _ => &[
            ("Throughput", "rate messages pause lost connect"),
            LATENCY,
            FAULTS,
            COST,
        ],
    };
    let is_known = |metric: &&Metric| record.points.iter().any(|p| figure(p, metric).is_some());
    let tables = tables
        .iter()
        .filter(|table| **table != FAULTS || !is_sound(record));
    tables
        .map(|(title, names)| {
            let metrics = names.split(' ').map(metric).filter(is_known);
            (*title, metrics.collect())
        })
        .filter(|(_, metrics): &Table| !metrics.is_empty())
        .collect()
}

/// What is to be read below the tables.
pub fn notes(record: &Record, spread: &str) -> Vec<String> {
    let mut notes = words::notes(record, spread);
    if matches!(record.scenario.as_str(), "chat" | "slow") && is_sound(record) {
        notes.insert(0, SOUND.to_owned());
    }
    notes
}

/// Whether no round of the record has a fault.
fn is_sound(record: &Record) -> bool {
    let has = |name, point| figure(point, metric(name)).is_some_and(|f| f.high.number > 0.0);
    let has_any = |point| FAULTS.1.split(' ').any(|name| has(name, point));
    !record.points.iter().any(has_any)
}

/// A figure of a point, in words.
#[derive(Default)]
pub struct Cell {
    pub value: String,
    /// The lowest and the highest round, or nothing.
    pub range: String,
    /// The same as half the distance.
    pub spread: String,
    /// To the first server, or nothing.
    pub ratio: String,
    pub is_bad: bool,
}

pub fn cell(record: &Record, point: &Point, metric: &Metric) -> Option<Cell> {
    let figure = figure(point, metric)?;
    let value = figure.judged(metric);
    let varies = !metric.worst && figure.low.number < figure.high.number;
    let if_varies = |text: String| if varies { text } else { String::new() };
    let times = ratio(record, point, metric).map(|ratio| format!("×{}", units::ratio(ratio)));
    Some(Cell {
        value: metric.show(value),
        range: if_varies(figure.range(metric)),
        spread: if_varies(format!("±{}", units::percent(figure.spread()))),
        ratio: times.unwrap_or_default(),
        is_bad: metric.is_fault() && value.number > 0.0,
    })
}

/// All tables of a record.
pub fn text(record: &Record) -> String {
    let line = |text: &str| wrap(text, WIDTH, "", "  ");
    let machine = &record.machine;
    let mut text = line(&format!(
        "{}: {}; {}",
        record.scenario,
        words::load(record),
        words::rounds(record)
    ));
    text += &line(&format!(
        "{}, {} cores, {}",
        machine.cpu, machine.cores, machine.kernel
    ));
    for (title, metrics) in tables(record) {
        text += &format!("\n{title}\n{}", fit(&rows(record, &metrics)));
        for meaning in words::meanings(&metrics) {
            text += &wrap(&meaning, WIDTH, "  ", "    ");
        }
    }
    let notes = notes(record, "± is half the range of the rounds");
    if !notes.is_empty() {
        text.push('\n');
    }
    notes.iter().for_each(|note| text += &line(note));
    text
}

fn rows(record: &Record, metrics: &[&Metric]) -> Vec<Vec<String>> {
    let head = ["clients", "server"].into_iter();
    let head = head.chain(metrics.iter().map(|metric| metric.heading));
    let mut rows = vec![head.map(str::to_owned).collect()];
    let mut clients = None;
    for point in &record.points {
        let size = match clients.replace(point.clients) {
            Some(same) if same == point.clients => String::new(),
            _ => point.clients.to_string(),
        };
        let name = shortened(&point.server);
        let name = words::remark(record, point)
            .map_or(name.clone(), |remark| format!("{name} ({remark})"));
        let cells: Vec<_> = metrics
            .iter()
            .map(|metric| cell(record, point, metric))
            .collect();
        let mut row = |first: String, second: &str, part: fn(&Cell) -> &str, none: &str| {
            let parts = cells
                .iter()
                .map(|cell| cell.as_ref().map_or(none, part).to_owned());
            rows.push(
                [first, second.to_owned()]
                    .into_iter()
                    .chain(parts)
                    .collect(),
            );
        };
        row(size, &name, |cell| &cell.value, "-");
        row(String::new(), "  spread", |cell| &cell.spread, "");
        row(String::new(), "  ratio", |cell| &cell.ratio, "");
    }
    rows
}

/// A name that leaves room for figures.
pub fn shortened(name: &str) -> String {
    if width(name) <= NAME {
        return name.to_owned();
    }
    let mut short = String::new();
    for c in name.chars() {
        if width(&short) + width(c.encode_utf8(&mut [0; 4])) >= NAME {
            break;
        }
        short.push(c);
    }
    short + "…"
}

/// Sets rows in columns; what does not fit beside the first two stands in blocks of its own below.
/// Rows that have nothing in a block are left out of it.
pub fn fit(rows: &[Vec<String>]) -> String {
    let columns_of = |row: &[String], range: &[usize]| -> Vec<String> {
        [0, 1]
            .iter()
            .chain(range)
            .map(|&column| row[column].clone())
            .collect()
    };
    let widest = |column: usize| {
        rows.iter()
            .map(|row| width(&row[column]))
            .max()
            .unwrap_or(0)
            + 2
    };
    let head = widest(0) + widest(1) - 2;
    let mut blocks: Vec<Vec<usize>> = Vec::new();
    let mut taken = WIDTH;
    for column in 2..rows[0].len() {
        if taken + widest(column) > WIDTH {
            blocks.push(Vec::new());
            taken = head;
        }
        taken += widest(column);
        blocks.last_mut().expect("one was pushed").push(column);
    }
    let blocks = blocks.iter().map(|block| {
        let has_any = |row: &&Vec<String>| block.iter().any(|&column| !row[column].is_empty());
        let rows: Vec<_> = rows
            .iter()
            .filter(has_any)
            .map(|row| columns_of(row, block))
            .collect();
        columns(&rows, &[1])
    });
    blocks.collect::<Vec<_>>().join("\n")
}
