//! What a figure of a run comes to, in words: captions, tooltips, and why something is missing.

use super::record::Record;
use super::summary::{self, Figure, Spread};
use super::units::{self, Unit, thousands};

/// The servers compared at the most clients that all of them reached, then what lies beyond, or
/// where the first server came from.
pub(super) fn finding(record: &Record, figure: &Figure) -> String {
    let counts = summary::client_counts(record);
    let at = |server: &str, count: usize| figure.over(summary::point(record, server, count)?);
    let reached = |count: &usize| {
        let there = record.servers.iter().filter(|s| at(s, *count).is_some());
        there.count()
    };
    let largest = counts.iter().rev().find(|count| reached(count) > 0);
    // Of the counts that most servers reached, the largest: `max_by_key` takes the last of equals.
    let (Some(&largest), Some(&shared)) = (largest, counts.iter().max_by_key(|c| reached(c)))
    else {
        return absent(record, figure);
    };
    let text = comparison(record, figure, shared);
    if largest > shared {
        return format!("{text} {}", comparison(record, figure, largest));
    }
    let before = record.servers.first().and_then(|first| {
        let mut smaller = counts.iter().filter(|count| **count < shared);
        smaller.find_map(|count| Some((first, *count, at(first, *count)?)))
    });
    match before {
        Some((first, count, value)) => format!(
            "{text} At {} clients {first} had {}.",
            thousands(count as u64),
            figure.unit.show(value.median)
        ),
        None => text,
    }
}

/// All servers at one number of clients: the values, and each one's ratio to the first.
fn comparison(record: &Record, figure: &Figure, count: usize) -> String {
    let at = |server: &str| figure.over(summary::point(record, server, count)?);
    let first = record
        .servers
        .first()
        .and_then(|name| Some((name, at(name)?)));
    let mut parts = Vec::new();
    let mut unit_is_said = false;
    for (place, server) in record.servers.iter().enumerate() {
        let Some(here) = at(server) else {
            parts.push(format!("{server} not measured"));
            continue;
        };
        let value = if unit_is_said {
            figure.unit.show(here.median)
        } else {
            value(figure, here.median)
        };
        unit_is_said = true;
        let compared = match first.filter(|(_, base)| place > 0 && base.median > 0.0) {
            Some((first, base)) if base.overlaps(&here) => {
                format!(" (no clear difference from {first})")
            }
            Some((first, base)) => {
                format!(
                    " ({} times {first})",
                    units::ratio(here.median / base.median)
                )
            }
            None => String::new(),
        };
        parts.push(format!("{server} {value}{compared}"));
    }
    format!(
        "At {} clients: {}.",
        thousands(count as u64),
        parts.join("; ")
    )
}

/// A value with what it is.
fn value(figure: &Figure, value: f64) -> String {
    let value = figure.unit.show(value);
    match figure.unit {
        Unit::Count => format!("{value} {}", figure.name),
        _ => value,
    }
}

/// What the pointer sees at one point.
pub(super) fn tip(
    figure: &Figure,
    server: &str,
    clients: usize,
    spread: &Spread,
    rounds: usize,
) -> String {
    let over = match rounds {
        0 | 1 => "one round".to_owned(),
        _ => {
            let range = figure.unit.show_range(spread.low, spread.high);
            format!("{range} over {rounds} rounds")
        }
    };
    let clients = thousands(clients as u64);
    format!(
        "{server}, {clients} clients: {} ({over})",
        value(figure, spread.median)
    )
}

/// Why no point of the record has this figure.
pub(super) fn absent(record: &Record, figure: &Figure) -> String {
    let rounds = || record.points.iter().flat_map(|point| &point.rounds);
    let needs_the_process = [summary::MEMORY.name, summary::CPU.name].contains(&figure.name);
    if rounds().next().is_none() {
        "no round was measured".to_owned()
    } else if needs_the_process && rounds().all(|round| round.server.is_none()) {
        "loadtest had no server process to look at".to_owned()
    } else if figure.name == summary::MEMORY.name {
        "no client was connected, or none made the server grow".to_owned()
    } else if rounds().all(|round| round.messages == 0) {
        format!("nothing was sent in this run ({})", record.scenario)
    } else if rounds().all(|round| round.deliveries == 0) {
        "nothing was delivered".to_owned()
    } else {
        "all its figures are zero".to_owned()
    }
}
