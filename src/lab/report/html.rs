//! `--html`: a run as one page that needs nothing but itself: no network, no script, no font file.
//!
//! The page is HTML that is well-formed XML too, which is what its tests hold it to.

use std::fmt::Write;

use crate::lab::report::chart::{self, Chart};
use crate::lab::report::{charts, plot, table, words};
use crate::lab::results::metric::{Metric, metric};
use crate::lab::results::record::Record;
use crate::lab::results::units::{self, Unit};
use crate::text::escape;

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn page(record: &Record) -> String {
    let title = words::title(record);
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
    run(&mut out, record);
    figures(&mut out, &charts::all(record));
    results(&mut out, record);
    warnings(&mut out, record);
    let _ = writeln!(
        out,
        "<footer>Written by <code>loadtest</code> of threadline {}. Figures from one machine: the \
         ratios travel, the absolute values do not.</footer>\n</body>\n</html>",
        escape(&version(record))
    );
    out
}

fn version(record: &Record) -> String {
    match &record.commit {
        Some(commit) => format!("{} (commit {commit})", record.version),
        None => record.version.clone(),
    }
}

fn header(out: &mut String, record: &Record, title: &str) {
    let (about, headline) = match record.scenario.as_str() {
        "chat" => (
            "Clients in one chat room. Every message goes to every client, and every client checks \
             every message.",
            "rate",
        ),
        "echo" => (
            "Each connection has one request in flight and checks its answer.",
            "rate",
        ),
        "idle" => (
            "Clients that connect and stay silent: what a connection costs when it does nothing.",
            "rss",
        ),
        "churn" => (
            "Clients that connect, send one message and leave: what is left behind afterwards.",
            "rate",
        ),
        "slow" => (
            "A chat room with clients that never read: what the others notice of them.",
            "pause",
        ),
        _ => ("", "rate"),
    };
    let _ = writeln!(
        out,
        "<header>\n<p class=\"kind\">threadline load test, {}</p>\n<h1>{}</h1>",
        date(record.started),
        escape(title)
    );
    for failure in words::failures(record) {
        let _ = writeln!(
            out,
            "<p class=\"lead bad\">Failed: {}.</p>",
            escape(&failure)
        );
    }
    let metric = metric(headline);
    let leads = match metric.name {
        "pause" => vec![format!("Longest pause. {}", words::finding(record, metric))],
        _ => vec![words::finding(record, metric)],
    };
    for lead in leads.into_iter().chain(words::losses(record)) {
        let _ = writeln!(out, "<p class=\"lead\">{}</p>", escape(&lead));
    }
    let _ = writeln!(out, "<p class=\"about\">{about}</p>");
    if !record.warnings.is_empty() {
        let warnings = units::count(record.warnings.len(), "warning");
        let _ = writeln!(
            out,
            "<p class=\"about\"><a href=\"#warnings\">{warnings}</a> below.</p>"
        );
    }
    out.push_str("</header>\n");
}

fn warnings(out: &mut String, record: &Record) {
    if record.warnings.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<section id=\"warnings\" class=\"warnings\" role=\"note\">\n<h2>Read these figures with care</h2>\n<ul>"
    );
    for warning in &record.warnings {
        let _ = writeln!(out, "<li>{}</li>", escape(warning));
    }
    out.push_str("</ul>\n</section>\n");
}

fn run(out: &mut String, record: &Record) {
    let machine = &record.machine;
    let processors = if machine.cores == 1 {
        "processor"
    } else {
        "processors"
    };
    let facts = [
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
                "{} per server and number of clients{}",
                words::rounds(record),
                if record.servers.len() > 1 {
                    ", servers alternating"
                } else {
                    ""
                }
            ),
        ),
        ("Load", words::load(record)),
    ];
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

/// A time as UTC, from seconds since 1970.
fn date(seconds: u64) -> String {
    jiff::Timestamp::from_second(seconds as i64).map_or(String::new(), |time| {
        time.strftime("%Y-%m-%d %H:%M UTC").to_string()
    })
}

fn figures(out: &mut String, all: &[Chart]) {
    out.push_str(
        "<section>\n<h2>Charts</h2>\n<p class=\"notes\">A mark is the median of the rounds, its bar \
         reaches from the lowest to the highest. Each server has its mark and its dashes.</p>\n\
         <div class=\"charts\">\n",
    );
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
            escape(&words::listed(&titles))
        );
    }
    out.push_str("</section>\n");
}

fn results(out: &mut String, record: &Record) {
    out.push_str("<section>\n<h2>Results</h2>\n");
    let tables = table::tables(record);
    if tables.is_empty() {
        out.push_str("<p>Nothing was measured.</p>\n");
    }
    for (title, metrics) in tables {
        table(out, record, title, &metrics);
        let meanings = words::meanings(&metrics);
        if !meanings.is_empty() {
            let _ = writeln!(
                out,
                "<p class=\"notes\">{}.</p>",
                escape(&meanings.join("; "))
            );
        }
    }
    for note in table::notes(record, "below it the lowest and the highest round") {
        let _ = writeln!(out, "<p class=\"notes\">{}</p>", escape(&note));
    }
    out.push_str("</section>\n");
}

fn table(out: &mut String, record: &Record, title: &str, metrics: &[&Metric]) {
    let _ = writeln!(
        out,
        "<h3>{title}</h3>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\">\n\
         <table>\n<thead><tr><th scope=\"col\">server</th>"
    );
    for metric in metrics {
        let _ = write!(out, "<th scope=\"col\">{}</th>", metric.heading);
    }
    out.push_str("</tr></thead>\n");
    for count in record.client_counts() {
        let _ = writeln!(
            out,
            "<tbody>\n<tr><th class=\"count\" scope=\"rowgroup\" colspan=\"{}\"><span>{}</span></th></tr>",
            metrics.len() + 1,
            units::count(count, "client")
        );
        for (place, server) in record.servers.iter().enumerate() {
            let Some(point) = record.point(server, count) else {
                continue;
            };
            let remark = small(&words::remark(record, point).unwrap_or_default());
            let _ = write!(
                out,
                "<tr class=\"{}\"><th scope=\"row\"><span class=\"server\">{}{}</span>{remark}</th>",
                plot::class(place),
                plot::key(place),
                escape(server)
            );
            for metric in metrics {
                let Some(cell) = table::cell(record, point, metric) else {
                    out.push_str("<td>–</td>");
                    continue;
                };
                let class = if cell.is_bad { " class=\"bad\"" } else { "" };
                let (range, ratio) = (small(&cell.range), small(&cell.ratio));
                let _ = write!(out, "<td{class}><b>{}</b>{range}{ratio}</td>", cell.value);
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n");
    }
    out.push_str("</table>\n</div>\n");
}

fn small(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!("<small>{}</small>", escape(text)),
    }
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
