//! A record as tables of text, none wider than a terminal.

use crate::lab::report::words;
use crate::lab::results::metric::{Metric, metric};
use crate::lab::results::record::{Point, Record};
use crate::lab::results::stats::{figure, ratio};
use crate::text::{columns, printable, width, wrap};
use crate::units;

/// Columns of the smallest terminal in use.
pub const WIDTH: usize = 80;

/// Columns of a server's name, which leave room for a figure.
const NAME: usize = 24;

const CHAT: &str = "Throughput: rate messages pause lost connect";
const ECHO: &str = "Throughput: rate lost damaged dropped pause connect";
const IDLE: &str = "Per silent client: rss virtual threads mappings descriptors connect dropped";
const CHURN: &str = "Throughput: rate lost damaged pause";
const SLOW: &str = "What the clients that read notice: pause rate messages lost dropped";
const LATENCY: &str = "Latency: p50 p90 p95 p99 p99.9 max";
const FAULTS: &str = "Faults in what was delivered: lost duplicated out-of-order damaged dropped";
const COST: &str = "What it costs the server: cpu switches rss threads mappings descriptors";
const LEFT: &str = "Left behind after all clients have gone: \
                    threads-left descriptors-left mappings-left rss-left cpu";

/// A title and the columns.
pub type Table = (&'static str, Vec<&'static Metric>);

/// The tables of a record, with the figures that any of its rounds has.
pub fn tables(record: &Record) -> Vec<Table> {
    let tables: &[&str] = match record.scenario.as_str() {
        "echo" => &[ECHO, LATENCY, COST],
        "idle" => &[IDLE],
        "churn" => &[CHURN, LATENCY, LEFT],
        "slow" => &[SLOW, LATENCY, COST],
        _ if words::is_sound(record) => &[CHAT, LATENCY, COST],
        _ => &[CHAT, LATENCY, FAULTS, COST],
    };
    let is_known = |metric: &&Metric| record.points.iter().any(|p| figure(p, metric).is_some());
    let table = |table: &&'static str| {
        let (title, names) = table.split_once(": ")?;
        let metrics: Vec<_> = names.split(' ').map(metric).filter(is_known).collect();
        (!metrics.is_empty()).then_some((title, metrics))
    };
    tables.iter().filter_map(table).collect()
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

pub fn cell(record: &Record, point: &Point, metric: &Metric) -> Cell {
    let mut cell = Cell {
        value: value(point, metric),
        ..Cell::default()
    };
    if let Some(figure) = figure(point, metric) {
        if !metric.is_worst() && figure.low.number < figure.high.number {
            cell.range = figure.range(metric);
            cell.spread = format!("±{}", units::percent(figure.spread()));
        }
        cell.is_bad = metric.is_fault() && figure.value.number > 0.0;
    }
    if let Some((ratio, _)) = ratio(record, point, metric) {
        cell.ratio = format!("×{}", units::ratio(ratio));
    }
    cell
}

/// The value of a figure, or a dash.
pub fn value(point: &Point, metric: &Metric) -> String {
    let figure = figure(point, metric);
    figure.map_or("–".to_owned(), |figure| metric.show(figure.value))
}

/// How text shows the range of the rounds.
pub const SPREAD: &str = "± is half the range of the rounds";

/// All tables of a record.
pub fn text(record: &Record) -> String {
    let line = |line: &str| wrap(line, WIDTH, "", "  ");
    let (scenario, load, rounds) = (&record.scenario, words::load(record), words::rounds(record));
    let mut text = line(&format!("{scenario}: {load}; {rounds}"));
    text += &line(&words::machine(record));
    for failure in words::failures(record) {
        text += &line(&format!("failed: {failure}"));
    }
    for (title, metrics) in tables(record) {
        text += &format!("\n{title}\n{}", fit(&rows(record, &metrics)));
        for meaning in words::meanings(&metrics) {
            text += &wrap(&meaning, WIDTH, "  ", "    ");
        }
    }
    let notes = words::notes(record, SPREAD);
    text + "\n" + &notes.iter().map(|note| line(note)).collect::<String>()
}

/// The first row of a table with these figures.
pub fn head(metrics: &[&Metric]) -> Vec<String> {
    let headings = metrics.iter().map(|metric| metric.heading.to_owned());
    row("clients", "server", headings)
}

pub fn row(first: &str, second: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    let labels = [first, second].map(str::to_owned);
    labels.into_iter().chain(cells).collect()
}

/// A table as rows, the first with the headings.
pub fn rows(record: &Record, metrics: &[&Metric]) -> Vec<Vec<String>> {
    let mut rows = vec![head(metrics)];
    let mut last = None;
    for point in &record.points {
        let clients = match last.replace(point.clients) {
            Some(clients) if clients == point.clients => String::new(),
            _ => point.clients.to_string(),
        };
        let cells = metrics.iter().map(|metric| cell(record, point, metric));
        let cells: Vec<Cell> = cells.collect();
        let all = |part: fn(&Cell) -> &str| cells.iter().map(part).map(str::to_owned);
        let name = shortened(&point.server);
        rows.push(row(&clients, &name, all(|cell| &cell.value)));
        let remark = words::remark(record, point);
        if !remark.is_empty() {
            rows.push(row("", &format!("  {remark}"), all(|_| "")));
        }
        let more = [
            row("", "  spread", all(|cell| &cell.spread)),
            row("", "  ratio", all(|cell| &cell.ratio)),
        ];
        rows.extend(more.into_iter().filter(|row| !is_empty(&row[2..])));
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
    let block = |from: usize, to: usize| {
        let has_cells = |row: &&Vec<String>| !is_empty(&row[from..to]) || is_empty(&row[2..]);
        let rows = rows.iter().filter(has_cells);
        let rows: Vec<_> = rows
            .map(|row| [&row[..2], &row[from..to]].concat())
            .collect();
        columns(&rows, &[1])
    };
    let fits = |text: &str| text.lines().all(|line| width(line) <= WIDTH);
    let all = rows[0].len();
    let (mut blocks, mut from) = (Vec::new(), 2);
    while from < all {
        let mut ends = (from + 1..=all).rev();
        let to = ends.find(|&to| fits(&block(from, to))).unwrap_or(from + 1);
        blocks.push(block(from, to));
        from = to;
    }
    blocks.join("\n")
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
    fn a_run_without_rounds_is_not_called_sound() {
        let mut record = record();
        record.points.iter_mut().for_each(|p| p.rounds.clear());
        let text = text(&record);
        assert!(text.contains("\nNothing was measured.\n"), "{text}");
        assert!(!text.contains("nothing lost"), "{text}");
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
        let failed = "failed: go at 10 clients, round 2: died (exit status 2): fatal error";
        let heading = said.split("\n\n").next();
        assert!(heading.is_some_and(|text| text.contains(failed)), "{said}");
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
