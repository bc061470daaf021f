//! A record for other programs: CSV for spreadsheets, Markdown for where people talk.

use crate::lab::report::{table, words};
use crate::lab::results::metric;
use crate::lab::results::record::{Failure, Record};
use crate::text::escape;

/// One row per round, in seconds, bytes and numbers, under the names of `--fail-if`; and one per server
/// and size from where it failed on.
pub fn csv(record: &Record) -> String {
    let first =
        "scenario,server,clients,stalled,round,connected,cut_short,latency_bound_from,failed,";
    let mut text = format!("{first}{}\n", metric::names().replace(", ", ","));
    for point in &record.points {
        let (scenario, server) = (&record.scenario, field(&point.server));
        let of_point = format!("{scenario},{server},{},{}", point.clients, point.stalled);
        for (round, nth) in point.rounds.iter().zip(1..) {
            let (connected, cut_short) = (round.connected, round.cut_short);
            let bound = round.latency.bound_from.map(|micros| micros as f64 / 1e6);
            let figures = metric::ALL
                .iter()
                .map(|metric| Some(metric.of(round)?.number));
            let numbers = [bound, None].into_iter().chain(figures);
            let numbers = numbers.map(|number| number.map_or(String::new(), |n| n.to_string()));
            let numbers = numbers.collect::<Vec<_>>().join(",");
            text += &format!("{of_point},{nth},{connected},{cut_short},{numbers}\n");
        }
        if let Some(Failure { round, what, .. }) = &point.failed {
            let no_figures = ",".repeat(metric::ALL.len());
            text += &format!("{of_point},{round},,,,{}{no_figures}\n", field(what));
        }
    }
    text
}

fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

/// The tables, as GitHub and others show them.
pub fn markdown(record: &Record) -> String {
    let plain = |text: &String| escape(text).replace('|', "\\|").replace('\n', " ");
    let (load, rounds) = (words::load(record), words::rounds(record));
    let mut text = format!("## {}\n\n{load}; {rounds}.\n", plain(&words::title(record)));
    for (title, metrics) in table::tables(record) {
        text += &format!("\n### {title}\n\n");
        for (i, row) in table::rows(record, &metrics).iter().enumerate() {
            let cells: Vec<String> = row.iter().map(plain).collect();
            text += &format!("| {} |\n", cells.join(" | "));
            if i == 0 {
                text += &format!("|--:|---|{}\n", "--:|".repeat(metrics.len()));
            }
        }
    }
    let notes = words::notes(record, table::SPREAD);
    let lines = [notes, words::failures(record), record.warnings.clone()].concat();
    let lines = lines.iter().map(|line| format!("- {}\n", plain(line)));
    text + "\n" + &lines.collect::<String>()
}
