//! A record as tables of text, for standard output.

use crate::lab::results::metric::Metric;
use crate::lab::results::record::{Point, Record};
use crate::lab::results::stats::{figure, ratio};
use crate::lab::results::units;
use crate::text::columns;

use Metric::*;

/// The tables of a scenario: a title and the columns.
pub(crate) fn tables(scenario: &str) -> &'static [(&'static str, &'static [Metric])] {
    match scenario {
        "echo" => &[
            (
                "What it does",
                &[
                    DeliveriesPerSecond,
                    P50,
                    P90,
                    P99,
                    P99_9,
                    Max,
                    Lost,
                    Damaged,
                    Connect,
                ],
            ),
            ("What it costs the server", COST),
        ],
        "idle" => &[(
            "What a silent client takes",
            &[
                RssPerClient,
                VirtualPerClient,
                ThreadsPerClient,
                MappingsPerClient,
                DescriptorsPerClient,
                Connect,
                Dropped,
            ],
        )],
        "churn" => &[
            (
                "What it does",
                &[
                    DeliveriesPerSecond,
                    P50,
                    P90,
                    P99,
                    P99_9,
                    Max,
                    Lost,
                    Damaged,
                ],
            ),
            (
                "What is left behind when all have gone",
                &[
                    ThreadsLeft,
                    DescriptorsLeft,
                    MappingsLeft,
                    RssLeft,
                    CpuPerMillion,
                ],
            ),
        ],
        "slow" => &[
            (
                "What those who read notice",
                &[
                    DeliveriesPerSecond,
                    MessagesPerSecond,
                    P50,
                    P99,
                    Max,
                    Pause,
                    Lost,
                    Dropped,
                ],
            ),
            ("What it costs the server", COST),
        ],
        _ => &[
            (
                "What it does",
                &[
                    DeliveriesPerSecond,
                    MessagesPerSecond,
                    P50,
                    P90,
                    P99,
                    P99_9,
                    Max,
                    Lost,
                    Connect,
                ],
            ),
            ("Faults in what was delivered", FAULTS),
            ("What it costs the server", COST),
        ],
    }
}

/// What a sound server has none of, and the pause.
pub(crate) const FAULTS: &[Metric] = &[Lost, Duplicated, OutOfOrder, Damaged, Dropped, Pause];

const COST: &[Metric] = &[
    CpuPerMillion,
    SwitchesPerDelivery,
    RssPerClient,
    ThreadsPerClient,
    MappingsPerClient,
    DescriptorsPerClient,
];

/// All tables of a record.
pub fn tables_of(record: &Record) -> String {
    let mut text = heading(record);
    let sound = is_sound(record);
    for &(title, metrics) in tables(&record.scenario) {
        if metrics == FAULTS && sound {
            text.push_str(&format!("\n{SOUND}\n"));
            continue;
        }
        text.push_str(&format!("\n{title}\n"));
        text.push_str(&columns(&rows(record, metrics), &[1]));
    }
    text
}

/// What stands in place of the table of faults where there are none.
pub(crate) const SOUND: &str =
    "Every client checked every message: nothing lost, doubled, damaged or out of order.";

/// Whether no round of the record has a fault.
pub(crate) fn is_sound(record: &Record) -> bool {
    let mut faults = FAULTS.iter().filter(|metric| metric.is_fault());
    faults.all(|&metric| {
        let none = |point| figure(point, metric).is_none_or(|figure| figure.high == 0.0);
        record.points.iter().all(none)
    })
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
    let load = match (scenario.as_str(), record.rate, record.senders) {
        ("idle", ..) => "silent".to_owned(),
        (_, Some(rate), _) => format!("open loop, {rate} a second, {size} bytes a message"),
        (_, None, Some(senders)) => {
            format!("closed loop, {senders} senders, {size} bytes a message")
        }
        (_, None, None) => format!("closed loop, {size} bytes a message"),
    };
    let rounds = rounds.unwrap_or(0);
    let (cpu, cores, kernel) = (&machine.cpu, machine.cores, &machine.kernel);
    let rounds = match rounds {
        1 => format!("one round of {duration} s"),
        _ => format!("medians of {rounds} rounds of {duration} s"),
    };
    let ratios = match &record.servers[..] {
        [first, _, ..] => format!(", ratios to {first}"),
        _ => String::new(),
    };
    format!("{scenario}: {load}, {rounds}{ratios}\n{cpu}, {cores} cores, {kernel}\n")
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
        let server = match point.fewer() {
            Some(connected) => format!("{} ({connected} in)", point.server),
            None => point.server.clone(),
        };
        row(size, server, &|metric| median(point, metric));
        row(String::new(), "  spread".to_owned(), &|metric| {
            spread(point, metric)
        });
        row(String::new(), "  ratio".to_owned(), &|metric| {
            ratio(record, point, metric)
                .map_or(String::new(), |ratio| format!("×{}", units::ratio(ratio)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::results::record::{Point, Round};

    fn record() -> Record {
        let point = |server: &str, rates: [u64; 3]| Point {
            server: server.to_owned(),
            clients: 10,
            rounds: rates
                .map(|deliveries| Round {
                    connected: 10,
                    seconds: 1.0,
                    deliveries,
                    messages: deliveries / 10,
                    ..Round::default()
                })
                .to_vec(),
            ..Point::default()
        };
        Record {
            scenario: "chat".to_owned(),
            senders: Some(5),
            size: 64,
            duration: 1.0,
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
        tables_of(record)
            .lines()
            .filter(|line| line.trim_start().starts_with(first))
            .map(|line| line.split_whitespace().map(str::to_owned).collect())
            .collect()
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
    fn faults_have_a_table_when_there_are_any() {
        let mut record = record();
        assert!(tables_of(&record).contains("nothing lost"));
        record.points[1].rounds[2].damaged = 7;
        let text = tables_of(&record);
        assert!(!text.contains("nothing lost"), "{text}");
        assert!(text.contains("Faults in what was delivered"), "{text}");
        let faults = lines(&record, "go");
        assert!(
            faults.iter().any(|line| line.contains(&"7".to_owned())),
            "{text}"
        );
    }

    #[test]
    fn a_row_says_when_not_all_clients_got_in() {
        let mut record = record();
        record.points[1].rounds[2].connected = 7;
        let text = tables_of(&record);
        assert!(
            text.contains("go (7 in)") && !text.contains("ours ("),
            "{text}"
        );
    }

    #[test]
    fn every_scenario_has_its_tables() {
        for scenario in ["chat", "echo", "idle", "churn", "slow"] {
            assert!(!tables(scenario).is_empty(), "{scenario}");
        }
    }
}
