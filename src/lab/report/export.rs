//! A record for other programs: CSV for spreadsheets, Markdown for where people talk.

use crate::lab::report::table::{self, Cell};
use crate::lab::report::words;
use crate::lab::results::metric;
use crate::lab::results::record::Record;
use crate::text::escape;

/// One row per round, in seconds, bytes and numbers, under the names of `--fail-if`.
pub fn csv(record: &Record) -> String {
    let first =
        "scenario,server,clients,stalled,round,connected,cut_short,latency_bound_from,failed,";
    let mut text = format!("{first}{}\n", metric::names().replace(", ", ","));
    for point in &record.points {
        let mut row = |round: usize, more: &str, failed: &str, figures: &[String]| {
            let fields = [
                field(&record.scenario),
                field(&point.server),
                point.clients.to_string(),
                point.stalled.to_string(),
                round.to_string(),
                more.to_owned(),
                field(failed),
                figures.join(","),
            ];
            text += &(fields.join(",") + "\n");
        };
        for (i, round) in point.rounds.iter().enumerate() {
            let figures = metric::ALL.iter().map(|metric| metric.of(round));
            let figures: Vec<_> = figures
                .map(|value| value.map_or(String::new(), |value| value.number.to_string()))
                .collect();
            let bound = round.latency.bound_from.map(|micros| micros as f64 / 1e6);
            let bound = bound.map_or(String::new(), |seconds| seconds.to_string());
            let more = format!("{},{},{bound}", round.connected, round.cut_short);
            row(i + 1, &more, "", &figures);
        }
        if let Some(failed) = &point.failed {
            row(
                failed.round,
                ",,",
                &failed.what,
                &vec![String::new(); metric::ALL.len()],
            );
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
    let plain = |text: &str| escape(text).replace('|', "\\|").replace('\n', " ");
    let (load, rounds) = (words::load(record), words::rounds(record));
    let mut text = format!("## {}\n\n{load}; {rounds}.\n", plain(&words::title(record)));
    for (title, metrics) in table::tables(record) {
        let headings: Vec<_> = metrics.iter().map(|metric| metric.heading).collect();
        text += &format!(
            "\n### {title}\n\n| clients | server | {} |\n",
            headings.join(" | ")
        );
        text += &format!("|--:|---|{}\n", "--:|".repeat(metrics.len()));
        for point in &record.points {
            let remark = words::remark(record, point).map_or(String::new(), |r| format!(" ({r})"));
            text += &format!("| {} | {}{remark} |", point.clients, plain(&point.server));
            for metric in &metrics {
                let Cell {
                    value,
                    spread,
                    ratio,
                    ..
                } = table::cell(record, point, metric).unwrap_or_default();
                let parts = [value, spread, ratio]
                    .into_iter()
                    .filter(|part| !part.is_empty());
                text += &format!(" {} |", parts.collect::<Vec<_>>().join(" "));
            }
            text.push('\n');
        }
    }
    let notes = table::notes(record, "± is half the range of the rounds");
    let lists = [notes, words::failures(record), record.warnings.clone()];
    text.push('\n');
    lists
        .iter()
        .flatten()
        .for_each(|line| text += &format!("- {}\n", plain(line)));
    text
}
