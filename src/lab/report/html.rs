//! `--html`: a run as one page that needs nothing but itself: no network, no script, no font file.
//!
//! The page is HTML that is well-formed XML too, which is what its tests hold it to.

use std::fmt::Write;

use crate::lab::report::chart::{self, Chart};
use crate::lab::report::charts;
use crate::lab::report::finding;
use crate::lab::report::plot;
use crate::lab::report::table;
use crate::lab::results::metric::{Metric, Unit};
use crate::lab::results::record::{Point, Record};
use crate::lab::results::stats;
use crate::lab::results::units::{self, thousands};
use crate::text::escape;

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn page(record: &Record) -> String {
    let title = title(record);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n\
         <meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>\n\
         <link rel=\"icon\" href=\"data:,\"/>\n\
         <title>{}</title>\n<style>\n{}{STYLE}</style>\n</head>\n<body>\n",
        escape(&title),
        chart::STYLE
    );
    header(&mut out, record, &title);
    warnings(&mut out, record);
    run(&mut out, record);
    figures(&mut out, &charts::all(record));
    results(&mut out, record);
    let _ = writeln!(
        out,
        "<footer>Written by <code>loadtest</code> of threadline {}. Figures from one machine: the \
         ratios travel, the absolute values do not.</footer>\n</body>\n</html>",
        escape(&version(record))
    );
    out
}

fn title(record: &Record) -> String {
    let counts = record.client_counts();
    let clients = match (counts.first(), counts.last()) {
        (Some(first), Some(last)) if first < last => {
            format!(
                ", {} to {} clients",
                thousands(*first as u64),
                thousands(*last as u64)
            )
        }
        (Some(only), _) => format!(", {} clients", thousands(*only as u64)),
        _ => String::new(),
    };
    let servers = match record.servers.split_first() {
        Some((first, [])) => format!(": {first}"),
        Some((first, others)) if others.len() > 3 => {
            format!(": {first} against {} others", others.len())
        }
        Some((first, others)) => format!(": {first} against {}", listed(others)),
        None => String::new(),
    };
    format!("{}{clients}{servers}", record.scenario)
}

/// `a, b and c`
fn listed(names: &[String]) -> String {
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn version(record: &Record) -> String {
    match &record.commit {
        Some(commit) => format!("{} (commit {commit})", record.version),
        None => record.version.clone(),
    }
}

fn header(out: &mut String, record: &Record, title: &str) {
    let about = match record.scenario.as_str() {
        "chat" => {
            "Clients in one chat room. Every message goes to every client, and every client checks every message."
        }
        "echo" => "Each connection has one request in flight and checks its answer.",
        "idle" => {
            "Clients that connect and stay silent: what a connection costs when it does nothing."
        }
        "churn" => "Clients that connect, say one thing and leave: what is left behind afterwards.",
        "slow" => "A chat room with clients that never read: what the others notice of them.",
        _ => "",
    };
    let headlines = [Metric::DeliveriesPerSecond, Metric::RssPerClient];
    let headline = headlines
        .into_iter()
        .find(|metric| finding::is_in(record, *metric));
    let finding = headline.map_or(String::new(), |metric| finding::finding(record, metric));
    let _ = writeln!(
        out,
        "<header>\n<p class=\"kind\">threadline load test, {}</p>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n<p class=\"about\">{about}</p>\n</header>",
        date(record.started),
        escape(title),
        escape(&finding)
    );
}

fn warnings(out: &mut String, record: &Record) {
    if record.warnings.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<section class=\"warnings\" role=\"note\">\n<h2>Read these figures with care</h2>\n<ul>"
    );
    for warning in &record.warnings {
        let _ = writeln!(out, "<li>{}</li>", escape(warning));
    }
    out.push_str("</ul>\n</section>\n");
}

fn run(out: &mut String, record: &Record) {
    let machine = &record.machine;
    let rounds = record
        .points
        .iter()
        .map(|p| p.rounds.len())
        .max()
        .unwrap_or(0);
    let processors = if machine.cores == 1 {
        "processor"
    } else {
        "processors"
    };
    let mut facts = vec![
        (
            "Machine",
            format!(
                "{}, {} {processors}, {}",
                machine.cpu,
                machine.cores,
                Unit::Bytes.show(machine.memory as f64)
            ),
        ),
        ("Kernel", machine.kernel.clone()),
        ("threadline", version(record)),
        ("Seed", record.seed.to_string()),
        (
            "Rounds",
            format!(
                "{rounds} of {} for each server and number of clients{}",
                Unit::Seconds.show(record.duration),
                if record.servers.len() > 1 {
                    ", the servers in turn"
                } else {
                    ""
                }
            ),
        ),
    ];
    if let Some(load) = load(record) {
        facts.push(("Load", load));
    }
    // Each word in a box of its own: a line breaks between words, not at the hyphens within.
    let words = record.command.iter().map(|word| {
        let word = shell_words::quote(word);
        format!("<span>{}</span>", escape(&word))
    });
    let _ = writeln!(
        out,
        "<section class=\"run\" aria-label=\"How it was measured\">\n<pre><code>{}</code></pre>\n<dl>",
        words.collect::<Vec<_>>().join(" ")
    );
    for (term, fact) in facts {
        let _ = writeln!(out, "<div><dt>{term}</dt><dd>{}</dd></div>", escape(&fact));
    }
    out.push_str("</dl>\n</section>\n");
}

fn load(record: &Record) -> Option<String> {
    let sent = record
        .points
        .iter()
        .flat_map(|p| &p.rounds)
        .any(|r| r.messages > 0);
    if !sent {
        return None;
    }
    let senders = record.senders.map_or(String::new(), |n| {
        format!("{} senders, ", thousands(n as u64))
    });
    let kind = match record.rate {
        Some(rate) => format!(
            "open loop at {} messages/s, latency from the intended time of sending",
            Unit::Number.show(rate)
        ),
        None => "closed loop: each sends again when its message has come back".to_owned(),
    };
    Some(format!(
        "{senders}{} a message, {kind}",
        Unit::Bytes.show(record.size as f64)
    ))
}

/// A time as UTC, from seconds since 1970 (the civil calendar by Howard Hinnant's method).
fn date(seconds: u64) -> String {
    let days = (seconds / 86_400) as i64 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

fn figures(out: &mut String, all: &[Chart]) {
    out.push_str("<section>\n<h2>Charts</h2>\n<div class=\"charts\">\n");
    // Why charts are absent, and which.
    let mut absent: Vec<(&str, Vec<String>)> = Vec::new();
    for chart in all {
        match &chart.drawing {
            Ok(drawing) => {
                let _ = writeln!(
                    out,
                    "<figure id=\"{}\">\n<figcaption><h3>{}</h3><p>{}</p></figcaption>\n{}</figure>",
                    chart.name,
                    escape(&chart.title),
                    escape(&drawing.finding),
                    drawing.svg
                );
            }
            Err(reason) => match absent.iter_mut().find(|(other, _)| other == reason) {
                Some((_, titles)) => titles.push(chart.title.clone()),
                None => absent.push((reason, vec![chart.title.clone()])),
            },
        }
    }
    out.push_str("</div>\n");
    for (reason, titles) in absent {
        let _ = writeln!(
            out,
            "<p class=\"absent\">Not drawn, because {}: {}.</p>",
            escape(reason),
            escape(&listed(&titles))
        );
    }
    out.push_str("</section>\n");
}

fn results(out: &mut String, record: &Record) {
    out.push_str("<section>\n<h2>Results</h2>\n");
    let measured = record.points.iter().any(|point| !point.rounds.is_empty());
    for &(title, metrics) in table::tables(&record.scenario).iter().filter(|_| measured) {
        if metrics == table::FAULTS && table::is_sound(record) {
            let _ = writeln!(out, "<p>{}</p>", table::SOUND);
            continue;
        }
        let has = |metric: &Metric| {
            let mut figures = record.points.iter().map(|p| stats::figure(p, *metric));
            figures.any(|figure| figure.is_some())
        };
        let metrics: Vec<Metric> = metrics.iter().copied().filter(has).collect();
        if !metrics.is_empty() {
            table(out, record, title, &metrics);
        }
    }
    match record.servers.first().filter(|_| measured) {
        None => out.push_str("<p>Nothing was measured.</p>\n"),
        Some(first) => {
            let _ = writeln!(
                out,
                "<p class=\"notes\">Each figure is the median over the rounds, below it the lowest \
                 and the highest round, then (×) the ratio to {}. Faults are those of the worst \
                 round.</p>",
                escape(first)
            );
        }
    }
    out.push_str("</section>\n");
}

fn table(out: &mut String, record: &Record, title: &str, metrics: &[Metric]) {
    let _ = writeln!(
        out,
        "<h3>{title}</h3>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\">\n\
         <table>\n<thead><tr><th scope=\"col\">server</th>"
    );
    for metric in metrics {
        let _ = write!(out, "<th scope=\"col\">{}</th>", metric.heading());
    }
    out.push_str("</tr></thead>\n");
    for count in record.client_counts() {
        let _ = writeln!(
            out,
            "<tbody>\n<tr><th class=\"count\" scope=\"rowgroup\" colspan=\"{}\"><span>{} clients</span></th></tr>",
            metrics.len() + 1,
            thousands(count as u64)
        );
        for (place, server) in record.servers.iter().enumerate() {
            let Some(point) = record.point(server, count) else {
                continue;
            };
            let _ = write!(
                out,
                "<tr class=\"c{}\"><th scope=\"row\"><span class=\"server\">{}</span>{}</th>",
                place % plot::COLOURS,
                escape(server),
                held(point)
            );
            for metric in metrics {
                cell(out, record, point, *metric);
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n");
    }
    out.push_str("</table>\n</div>\n");
}

/// What is to be said about a point beside its figures.
fn held(point: &Point) -> String {
    match point.fewer() {
        _ if point.rounds.is_empty() => "<small>not measured</small>".to_owned(),
        Some(fewer) => format!("<small>{} connected</small>", thousands(fewer as u64)),
        None => String::new(),
    }
}

fn cell(out: &mut String, record: &Record, point: &Point, metric: Metric) {
    let Some(figure) = stats::figure(point, metric) else {
        out.push_str("<td>–</td>");
        return;
    };
    if metric.is_fault() {
        let class = if figure.high > 0.0 {
            " class=\"bad\""
        } else {
            ""
        };
        let _ = write!(out, "<td{class}>{}</td>", thousands(figure.high as u64));
        return;
    }
    let _ = write!(out, "<td><b>{}</b>", metric.unit().show(figure.median));
    if figure.low < figure.high {
        let range = metric.unit().show_range(figure.low, figure.high);
        let _ = write!(out, "<small>{range}</small>");
    }
    if let Some(ratio) = stats::ratio(record, point, metric) {
        let _ = write!(out, "<small>×{}</small>", units::ratio(ratio));
    }
    out.push_str("</td>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_civil() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_399), "2000-02-28 23:59 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_767_225_599), "2025-12-31 23:59 UTC");
    }
}
