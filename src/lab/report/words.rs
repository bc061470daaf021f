//! What a run comes to, in words: how it was measured, captions, notes, and why something is missing.

use crate::lab::results::metric::{Metric, Value, metric};
use crate::lab::results::record::{Point, Record, Round, is_floor};
use crate::lab::results::stats::{self, Figure};
use crate::units::{self, Unit, count, thousands};

/// `chat, 10 to 5,000 clients: threadline, go and floor`
pub fn title(record: &Record) -> String {
    let clients = match record.client_counts()[..] {
        [] => String::new(),
        [only] => format!(", {}", count(only, "client")),
        [first, .., last] => format!(", {} to {}", thousands(first as u64), count(last, "client")),
    };
    format!("{}{clients}: {}", record.scenario, listed(&record.servers))
}

/// `a, b and c`, or `a; a, 1 stalled` where a name has a comma.
pub fn listed(names: &[String]) -> String {
    match names.split_last() {
        _ if names.iter().any(|name| name.contains(',')) => names.join("; "),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// What the clients do.
pub fn load(record: &Record) -> String {
    if record.scenario == "idle" {
        return "silent clients".to_owned();
    }
    let senders = record.senders.map_or(String::new(), |senders| {
        let are_fewer = record.points.iter().any(|point| point.clients < senders);
        let up_to = if are_fewer { "up to " } else { "" };
        format!("{up_to}{}, ", count(senders, "sender"))
    });
    let size = Unit::Bytes.show(record.size as f64);
    let pace = match record.rate.map(|rate| Unit::Number.show(rate)) {
        None => "closed loop: each sends again when its message has come back".to_owned(),
        Some(rate) => {
            format!("open loop at {rate} messages/s, latency from the intended time of sending")
        }
    };
    format!("{senders}{size} per message, {pace}")
}

/// `A processor, 2 processors, 24 GiB, Linux 6.18.0`
pub fn machine(record: &Record) -> String {
    let machine = &record.machine;
    let processors = count(machine.cores, "processor");
    let memory = Unit::Bytes.show(machine.memory as f64);
    format!(
        "{}, {processors}, {memory}, {}",
        machine.cpu, machine.kernel
    )
}

/// How often and how long.
pub fn rounds(record: &Record) -> String {
    let rounds = count(record.rounds, "round");
    let mut text = format!("{rounds} of {}", Unit::Seconds.show(record.duration));
    if record.warm_up > 0.0 {
        text += &format!(" after {} of warm-up", Unit::Seconds.show(record.warm_up));
    }
    if record.interrupted {
        text += ", interrupted by Ctrl-C";
    }
    text
}

/// The texts that apply, of texts with whether they do.
fn such(all: &[(bool, &str)]) -> Vec<String> {
    let such = all.iter().filter(|(applies, _)| *applies);
    such.map(|(_, text)| (*text).to_owned()).collect()
}

/// A remark on a point beside its figures, or nothing.
pub fn remark(record: &Record, point: &Point) -> String {
    let (measured, failed) = (point.rounds.len(), point.failed.is_some());
    let cut_short = point.rounds.iter().any(|round| round.cut_short);
    let of_all = format!("{measured} of {}", count(record.rounds, "round"));
    let fewer = format!("{} in", thousands(point.fewer().unwrap_or(0) as u64));
    let remarks = such(&[
        (failed, "failed"),
        (measured > 0 && measured < record.rounds, &of_all),
        (measured == 0 && !failed, "not measured"),
        (cut_short, "cut short"),
        (point.fewer().is_some(), &fewer),
    ]);
    remarks.join(", ")
}

/// The servers that failed, a sentence each.
pub fn failures(record: &Record) -> Vec<String> {
    let sentence = |point: &Point| {
        let failed = point.failed.as_ref()?;
        let said = failed.last_words.as_ref();
        let said = said.map_or(String::new(), |said| format!(": {said}"));
        let (round, what) = (failed.round, &failed.what);
        // It is the same failure at all the larger sizes.
        let is_first = failed.clients == point.clients;
        is_first.then(|| format!("{point}, round {round}: {what}{said}"))
    };
    record.points.iter().filter_map(sentence).collect()
}

/// The headline: the main figure of the scenario, and the servers that lost deliveries.
pub fn leads(record: &Record) -> Vec<String> {
    let (what, figure) = match record.scenario.as_str() {
        "idle" => ("Memory per client. ", "rss"),
        "slow" => ("Longest pause. ", "pause"),
        _ => ("", "rate"),
    };
    let finding = finding(record, metric(figure)).into_iter();
    let mut leads: Vec<_> = finding.map(|finding| format!("{what}{finding}")).collect();
    let mut lost = Vec::new();
    for point in record.points.iter().filter(|point| stats::lost(point) > 0) {
        let (at, number) = (
            count(point.clients, "client"),
            thousands(stats::lost(point)),
        );
        lost.push(format!("{} {number} at {at}", point.server));
    }
    if !lost.is_empty() {
        leads.push(format!("Never delivered: {}.", lost.join("; ")));
    }
    leads
}

/// Whether no client of a room, where all check everything, saw any fault.
pub fn is_sound(record: &Record) -> bool {
    let is_checked = matches!(record.scenario.as_str(), "chat" | "slow");
    let rounds = record.points.iter().flat_map(|point| &point.rounds);
    let faults = rounds.map(|r| r.lost + r.duplicated + r.out_of_order + r.damaged + r.dropped);
    is_checked && faults.max() == Some(0)
}

const SOUND: &str =
    "Every client checked every message: nothing lost, doubled, damaged or out of order.";
/// What the sign before a figure means.
pub const BOUND: &str = "≥: deliveries never came. Each counts with the time that was waited for it, so that the true \
     value is not known.";
const FLOOR: &str = "floor: the built-in baseline, one thread with one write per client and batch.";

/// How figures are to be read; `spread` says how the range of the rounds is shown.
pub fn notes(record: &Record, spread: &str) -> Vec<String> {
    let rounds = || record.points.iter().flat_map(|point| &point.rounds);
    let medians = format!(
        "Each figure is the median of the rounds; {spread}. max, pause, lost and other faults are \
         those of the worst round."
    );
    let first = record.servers.first().map_or("", String::as_str);
    let ratios = format!("×: how many times that of {first}; not shown beside losses.");
    such(&[
        (rounds().next().is_none(), "Nothing was measured."),
        (is_sound(record), SOUND),
        (rounds().count() > record.points.len(), &medians),
        (rounds().any(|r| r.latency.bound_from.is_some()), BOUND),
        (record.servers.len() > 1, &ratios),
        (record.servers.iter().any(|name| is_floor(name)), FLOOR),
    ])
}

/// What the headings mean, where that is not plain.
pub fn meanings(metrics: &[&Metric]) -> Vec<String> {
    let meant = metrics.iter().filter(|metric| !metric.meaning.is_empty());
    let meant = meant.map(|metric| format!("{}: {}", metric.heading, metric.meaning));
    meant.collect()
}

/// The servers compared at the most clients that all of them reached, then what lies beyond; none where it
/// was not measured.
pub fn finding(record: &Record, metric: &Metric) -> Option<String> {
    let has = |point: &Point| stats::figure(point, metric).is_some();
    let largest = record.largest(has)?;
    let reached = |clients: &usize| {
        let points = record.points.iter().filter(|point| has(point));
        points.filter(|point| point.clients == *clients).count()
    };
    // Of the counts that most servers reached, the largest: `max_by_key` takes the last of equals.
    let most = record.client_counts().into_iter().max_by_key(reached);
    let beyond = comparison(record, metric, largest);
    Some(match most {
        Some(most) if most < largest => comparison(record, metric, most) + " " + &beyond,
        _ => beyond,
    })
}

/// All servers at one number of clients: the values, and each one's ratio to the first.
fn comparison(record: &Record, metric: &Metric, clients: usize) -> String {
    each(record, clients, |point| {
        let figure = stats::figure(point, metric)?;
        let shown = match record.servers.first() {
            Some(first) if *first == point.server => value(metric, figure.value),
            _ => metric.show(figure.value),
        };
        Some(match stats::ratio(record, point, metric) {
            Some((_, true)) => shown + " (≈)",
            Some((ratio, false)) => format!("{shown} (×{})", units::ratio(ratio)),
            None => shown,
        })
    })
}

/// What there is to say of each server at a number of clients: `At 10 clients: a 5 ms; b not measured.`
pub fn each(record: &Record, clients: usize, text: impl Fn(&Point) -> Option<String>) -> String {
    let of = |server: &String| {
        let point = record.point(server, clients);
        let text = point.and_then(&text).unwrap_or_else(|| {
            let failed = point.is_some_and(|point| point.failed.is_some());
            if failed { "failed" } else { "not measured" }.to_owned()
        });
        format!("{server} {text}")
    };
    let all: Vec<String> = record.servers.iter().map(of).collect();
    format!("At {}: {}.", count(clients, "client"), all.join("; "))
}

/// A value with what it is.
fn value(metric: &Metric, value: Value) -> String {
    let text = metric.show(value);
    match metric.unit {
        Unit::Number => format!("{text} {}", metric.heading),
        _ => text,
    }
}

/// What the pointer sees at one point.
pub fn tip(metric: &Metric, point: &Point, figure: &Figure) -> String {
    let mut over = count(point.rounds.len(), "round");
    if figure.low != figure.high {
        over = format!("{} over {over}", figure.range(metric));
    }
    let (at, value) = (count(point.clients, "client"), value(metric, figure.value));
    format!("{}, {at}: {value} ({over})", point.server)
}

/// Why no point of the record has this figure.
pub fn absent(record: &Record, metric: &Metric) -> String {
    let rounds = || record.points.iter().flat_map(|point| &point.rounds);
    let all = |test: fn(&Round) -> bool| rounds().all(test);
    let unseen = metric.is_of_server() && all(|round| round.server.is_none());
    let unsent = format!("nothing was sent in this run ({})", record.scenario);
    let reasons = such(&[
        (rounds().next().is_none(), "no round was measured"),
        (unseen, "loadtest had no server process to look at"),
        (metric.name == "rss", "no client made the server grow"),
        (all(|round| round.messages == 0), &unsent),
        (all(|round| round.deliveries == 0), "nothing was delivered"),
        (true, "all its figures are zero"),
    ]);
    reasons[0].clone()
}
