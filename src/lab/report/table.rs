//! A record as tables of text, none wider than a terminal.

use crate::lab::report::words;
use crate::lab::results::metric::{Metric, metric};
use crate::lab::results::record::{Point, Record};
use crate::lab::results::stats::{figure, ratio};
use crate::lab::results::units;
use crate::text::{columns, printable, width, wrap};

/// Columns of the smallest terminal in use.
pub const WIDTH: usize = 80;

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
    let value = figure.value;
    let varies = !metric.is_worst() && figure.low.number < figure.high.number;
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

/// How text shows the range of the rounds.
pub const SPREAD: &str = "± is half the range of the rounds";

/// All tables of a record.
pub fn text(record: &Record) -> String {
    let line = |text: &str| wrap(text, WIDTH, "", "  ");
    let machine = &record.machine;
    let (scenario, load, rounds) = (&record.scenario, words::load(record), words::rounds(record));
    let mut text = line(&format!("{scenario}: {load}; {rounds}"));
    let cores = units::count(machine.cores, "core");
    text += &line(&format!("{}, {cores}, {}", machine.cpu, machine.kernel));
    for (title, metrics) in tables(record) {
        text += &format!("\n{title}\n{}", fit(&rows(record, &metrics)));
        for meaning in words::meanings(&metrics) {
            text += &wrap(&meaning, WIDTH, "  ", "    ");
        }
    }
    let failures = words::failures(record).into_iter();
    let failures = failures.map(|failure| format!("failed: {failure}"));
    let notes = failures.chain(notes(record, SPREAD));
    text + "\n" + &notes.map(|note| line(&note)).collect::<String>()
}

/// The first row of a table with these figures.
pub fn head(metrics: &[&Metric]) -> Vec<String> {
    let figures = metrics.iter().map(|metric| metric.heading);
    ["clients", "server"]
        .into_iter()
        .chain(figures)
        .map(str::to_owned)
        .collect()
}

/// A table as rows, the first with the headings.
pub fn rows(record: &Record, metrics: &[&Metric]) -> Vec<Vec<String>> {
    let mut rows = vec![head(metrics)];
    let mut clients = None;
    for point in &record.points {
        let is_first = clients.replace(point.clients) != Some(point.clients);
        let size = if is_first {
            point.clients.to_string()
        } else {
            String::new()
        };
        let remark = words::remark(record, point).map_or(String::new(), |text| format!("  {text}"));
        let cells: Vec<_> = metrics
            .iter()
            .map(|metric| cell(record, point, metric))
            .collect();
        let mut row = |first: String, second: &str, part: fn(&Cell) -> &str, none: &str| {
            let parts = cells.iter().map(|cell| cell.as_ref().map_or(none, part));
            let parts: Vec<String> = parts.map(str::to_owned).collect();
            if !remark.is_empty() && second == remark || !is_empty(&parts) {
                rows.push([vec![first, second.to_owned()], parts].concat());
            }
        };
        row(size, &shortened(&point.server), |cell| &cell.value, "-");
        row(String::new(), &remark, |_| "", "");
        row(String::new(), "  spread", |cell| &cell.spread, "");
        row(String::new(), "  ratio", |cell| &cell.ratio, "");
    }
    rows
}

fn is_empty(cells: &[String]) -> bool {
    cells.iter().all(String::is_empty)
}

/// A name that leaves room for figures.
pub fn shortened(name: &str) -> String {
    let mut short = printable(name);
    while width(&short) > NAME {
        short.pop();
        short.pop();
        short.push('…');
    }
    short
}

/// Sets rows in columns; what does not fit beside the first two stands in blocks of its own below.
/// Rows that have nothing in a block are left out of it.
pub fn fit(rows: &[Vec<String>]) -> String {
    let widest = |column: usize| {
        let cells = rows.iter().map(|row| width(&row[column]));
        cells.max().unwrap_or(0) + 2
    };
    let mut blocks: Vec<Vec<usize>> = Vec::new();
    let mut taken = WIDTH;
    for column in 2..rows[0].len() {
        taken += widest(column);
        match blocks.last_mut() {
            Some(block) if taken <= WIDTH => block.push(column),
            _ => {
                blocks.push(vec![column]);
                taken = widest(0) + widest(1) - 2 + widest(column);
            }
        }
    }
    let blocks = blocks.iter().map(|block| {
        let cut = |row: &Vec<String>| {
            let cells = block.iter().map(|&column| row[column].clone());
            let cells: Vec<String> = cells.collect();
            let is_left_out = is_empty(&cells) && !is_empty(&row[2..]);
            (!is_left_out).then(|| [&row[..2], &cells].concat())
        };
        columns(&rows.iter().filter_map(cut).collect::<Vec<_>>(), &[1])
    });
    blocks.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::results::record::{Cost, Failure, Latency, Round};

    fn record() -> Record {
        let round = |deliveries| Round {
            connected: 10,
            seconds: 1.0,
            deliveries,
            messages: deliveries / 10,
            server: Some(Cost {
                clients: 10,
                rss: 123_456_789,
                ..Cost::default()
            }),
            latency: Latency {
                p50: 123_456,
                max: 1_234_567_890,
                ..Latency::default()
            },
            ..Round::default()
        };
        let point = |server: &str, rates: [u64; 3]| Point {
            server: server.to_owned(),
            clients: 10,
            rounds: rates.map(round).to_vec(),
            ..Point::default()
        };
        Record {
            scenario: "chat".to_owned(),
            senders: Some(5),
            size: 64,
            duration: 1.0,
            rounds: 3,
            servers: vec!["ours".to_owned(), "go".to_owned()],
            points: vec![
                point("ours", [900, 1000, 1100]),
                point("go", [500, 500, 500]),
            ],
            ..Record::default()
        }
    }

    /// The lines of the tables that begin with these words, as words.
    fn lines(record: &Record, first: &str) -> Vec<Vec<String>> {
        let text = text(record);
        let lines = text
            .lines()
            .filter(|line| line.trim_start().starts_with(first));
        let words = lines.map(|line| line.split_whitespace().map(str::to_owned).collect());
        words.collect()
    }

    #[test]
    fn each_server_has_its_median_its_spread_and_its_ratio() {
        let record = record();
        assert_eq!(
            lines(&record, "10  ours")[0][..4],
            ["10", "ours", "1k", "100"]
        );
        assert_eq!(lines(&record, "spread")[0][..3], ["spread", "±10", "%"]);
        assert_eq!(lines(&record, "go")[0][..3], ["go", "500", "50"]);
        assert_eq!(lines(&record, "ratio")[0][..3], ["ratio", "×0.50", "×0.50"]);
    }

    #[test]
    fn there_are_no_more_senders_than_clients() {
        let mut record = record();
        assert!(text(&record).starts_with("chat: 5 senders, "));
        record.points[0].clients = 3;
        assert!(text(&record).starts_with("chat: up to 5 senders, "));
    }

    #[test]
    fn faults_have_a_table_when_there_are_any() {
        let mut record = record();
        assert!(text(&record).contains("nothing lost"));
        record.points[1].rounds[2].damaged = 7;
        let text = text(&record);
        assert!(!text.contains("nothing lost"), "{text}");
        assert!(text.contains("Faults in what was delivered"), "{text}");
        let faults = lines(&record, "go");
        assert!(
            faults.iter().any(|line| line.contains(&"7".to_owned())),
            "{text}"
        );
    }

    #[test]
    fn row_says_when_not_all_clients_got_in_or_the_server_failed() {
        let mut record = record();
        record.points[1].rounds[2].connected = 7;
        let said = text(&record);
        assert_eq!(said.matches("\n           7 in\n").count(), 4, "{said}");
        assert_eq!(
            said.matches("go").count(),
            4,
            "each beside its server: {said}"
        );
        record.points[1].rounds.truncate(1);
        record.points[1].failed = Some(Failure {
            clients: 10,
            round: 2,
            what: "died (exit status 2)".to_owned(),
            last_words: Some("fatal error".to_owned()),
        });
        let said = text(&record);
        assert!(said.contains("  failed, 1 of 3 rounds\n"), "{said}");
        assert!(
            said.contains("failed: go at 10 clients, round 2: died (exit status 2): fatal error"),
            "{said}"
        );
    }

    #[test]
    fn no_line_is_wider_than_80_columns() {
        let mut record = record();
        record.machine.cpu = "A processor with a name as long as those of Intel are".to_owned();
        record.servers[1] = "一个名字很长的聊天服务器和它的很长的说明".to_owned();
        record.points[1].server = record.servers[1].clone();
        record.points[1].rounds[0].lost = 123_456_789;
        record.points[1].rounds[0].latency.bound_from = Some(1);
        record.points[1].rounds.truncate(2);
        record.points[1].rounds[1].connected = 7;
        record.points[1].rounds[1].cut_short = true;
        record.interrupted = true;
        for scenario in ["chat", "echo", "idle", "churn", "slow"] {
            record.scenario = scenario.to_owned();
            let text = text(&record);
            let widest = text.lines().max_by_key(|line| width(line)).unwrap();
            assert!(width(widest) <= 80, "{widest}");
            assert!(text.contains("一个名字"), "{text}");
        }
    }

    #[test]
    fn every_figure_of_a_table_is_known() {
        for scenario in ["chat", "echo", "idle", "churn", "slow"] {
            let mut record = record();
            record.scenario = scenario.to_owned();
            assert!(!tables(&record).is_empty(), "{scenario}");
        }
    }
}
