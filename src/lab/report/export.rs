//! A record for other programs: CSV for spreadsheets, Markdown for where people talk.

use crate::lab::report::{table, words};
use crate::lab::results::metric;
use crate::lab::results::record::{Record, Round};
use crate::text::escape;

/// One row per round, in seconds, bytes and numbers, under the names of `--fail-if`; and one per
/// server that failed.
pub fn csv(record: &Record) -> String {
    let first =
        "scenario,server,clients,stalled,round,connected,cut_short,latency_bound_from,failed,";
    let mut text = format!("{first}{}\n", metric::names().replace(", ", ","));
    for point in &record.points {
        let rounds = point.rounds.iter().enumerate();
        let rounds = rounds.map(|(i, round)| (i + 1, Some(round), ""));
        let failed = point
            .failed
            .iter()
            .map(|failed| (failed.round, None, failed.what.as_str()));
        for (nth, round, failed) in rounds.chain(failed) {
            let of =
                |value: fn(&Round) -> Option<String>| round.and_then(value).unwrap_or_default();
            let mut fields = vec![
                field(&record.scenario),
                field(&point.server),
                point.clients.to_string(),
                point.stalled.to_string(),
                nth.to_string(),
                of(|round| Some(round.connected.to_string())),
                of(|round| Some(round.cut_short.to_string())),
                of(|round| Some((round.latency.bound_from? as f64 / 1e6).to_string())),
                field(failed),
            ];
            let figures = metric::ALL.iter().map(|metric| metric.of(round?));
            fields
                .extend(figures.map(|value| value.map_or(String::new(), |v| v.number.to_string())));
            text += &(fields.join(",") + "\n");
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
    let notes = table::notes(record, table::SPREAD);
    let lines = [notes, words::failures(record), record.warnings.clone()].concat();
    let lines = lines.iter().map(|line| format!("- {}\n", plain(line)));
    text + "\n" + &lines.collect::<String>()
}
