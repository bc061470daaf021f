//! What a figure of a run comes to, in words: captions, tooltips, and why something is missing.

use crate::lab::results::metric::{Metric, Unit};
use crate::lab::results::record::Record;
use crate::lab::results::stats::{self, Figure};
use crate::lab::results::units::{self, thousands};

/// The servers compared at the most clients that all of them reached, then what lies beyond, or
/// where the first server came from.
pub(crate) fn finding(record: &Record, metric: Metric) -> String {
    let counts = record.client_counts();
    let at = |server: &str, count: usize| stats::figure(record.point(server, count)?, metric);
    let reached = |count: &usize| {
        let there = record.servers.iter().filter(|s| at(s, *count).is_some());
        there.count()
    };
    let largest = counts.iter().rev().find(|count| reached(count) > 0);
    // Of the counts that most servers reached, the largest: `max_by_key` takes the last of equals.
    let (Some(&largest), Some(&shared)) = (largest, counts.iter().max_by_key(|c| reached(c)))
    else {
        return absent(record, metric);
    };
    let text = comparison(record, metric, shared, true);
    if largest > shared {
        return format!("{text} {}", comparison(record, metric, largest, false));
    }
    let before = record.servers.first().and_then(|first| {
        let mut smaller = counts.iter().filter(|count| **count < shared);
        smaller.find_map(|count| Some((first, *count, at(first, *count)?)))
    });
    match before {
        Some((first, count, value)) => format!(
            "{text} At {} clients {first} had {}.",
            thousands(count as u64),
            metric.unit().show(value.median)
        ),
        None => text,
    }
}

/// All servers at one number of clients: the values and, where wanted, each one's ratio to the first.
fn comparison(record: &Record, metric: Metric, count: usize, ratios: bool) -> String {
    let at = |server: &str| stats::figure(record.point(server, count)?, metric);
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
            metric.unit().show(here.median)
        } else {
            value(metric, here.median)
        };
        unit_is_said = true;
        let compared = match first
            .filter(|(_, base)| ratios && place > 0 && base.median > 0.0 && here.median > 0.0)
        {
            Some((first, base)) if overlap(base, here) => {
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

/// Whether the rounds of two servers reach into one another, so that a difference may be chance.
fn overlap(a: Figure, b: Figure) -> bool {
    a.low <= b.high && b.low <= a.high
}

/// A value with what it is.
fn value(metric: Metric, value: f64) -> String {
    let value = metric.unit().show(value);
    match metric.unit() {
        Unit::Number => format!("{value} {}", metric.heading()),
        Unit::Bytes => format!("{value} a client"),
        Unit::Seconds => value,
    }
}

/// What the pointer sees at one point.
pub(crate) fn tip(
    metric: Metric,
    server: &str,
    clients: usize,
    figure: &Figure,
    rounds: usize,
) -> String {
    let over = match rounds {
        0 | 1 => "one round".to_owned(),
        _ => {
            let range = metric.unit().show_range(figure.low, figure.high);
            format!("{range} over {rounds} rounds")
        }
    };
    let clients = thousands(clients as u64);
    format!(
        "{server}, {clients} clients: {} ({over})",
        value(metric, figure.median)
    )
}

/// Whether any point of the record has this figure, and one that is not zero.
pub(crate) fn is_in(record: &Record, metric: Metric) -> bool {
    let mut figures = record
        .points
        .iter()
        .filter_map(|point| stats::figure(point, metric));
    figures.any(|figure| figure.low != 0.0 || figure.high != 0.0)
}

/// Why no point of the record has this figure.
pub(crate) fn absent(record: &Record, metric: Metric) -> String {
    let rounds = || record.points.iter().flat_map(|point| &point.rounds);
    let needs_the_process = matches!(metric, Metric::RssPerClient | Metric::CpuPerMillion);
    if rounds().next().is_none() {
        "no round was measured".to_owned()
    } else if needs_the_process && rounds().all(|round| round.server.is_none()) {
        "loadtest had no server process to look at".to_owned()
    } else if metric == Metric::RssPerClient {
        "no client was connected, or none made the server grow".to_owned()
    } else if rounds().all(|round| round.messages == 0) {
        format!("nothing was sent in this run ({})", record.scenario)
    } else if rounds().all(|round| round.deliveries == 0) {
        "nothing was delivered".to_owned()
    } else {
        "all its figures are zero".to_owned()
    }
}
