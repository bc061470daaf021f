//! `--html`: a run as one page that needs nothing but itself: no network, no script, no font file.
//!
//! The page is HTML that is well-formed XML too, which is what its tests hold it to.

use std::collections::BTreeMap;

use crate::lab::report::charts::{self, Drawing};
use crate::lab::report::{plot, table, words};
use crate::lab::results::metric::Metric;
use crate::lab::results::record::{Point, Record};
use crate::lab::scenario;
use crate::text::escape;
use crate::units::count;

/// The whole page.
pub fn page(record: &Record) -> String {
    // Each word in a box of its own: a line breaks between words, not at the hyphens within.
    let words = record.command.iter();
    let words = words.map(|word| element("span", &shell_words::quote(word)));
    format!(
        include_str!("page.html"),
        title = escape(&words::title(record)),
        style = [charts::STYLE, include_str!("page.css")].concat(),
        date = date(record.started),
        leads = leads(record),
        about = scenario::find(&record.scenario).map_or("", |scenario| scenario.about),
        command = words.collect::<String>(),
        facts = facts(record),
        figures = figures(record),
        results = results(record),
        warnings = warnings(record),
    )
}

/// An element with what is in it; the tag may have attributes.
fn outer(tag: &str, inner: &str) -> String {
    let name = tag.split(' ').next().unwrap_or(tag);
    format!("<{tag}>{inner}</{name}>\n")
}

/// An element with a text.
fn element(tag: &str, text: &str) -> String {
    outer(tag, &escape(text))
}

/// An element for each text.
fn elements(tag: &str, texts: &[String]) -> String {
    texts.iter().map(|text| element(tag, text)).collect()
}

/// An element for a text that is not empty.
fn small(text: &str) -> String {
    match text {
        "" => String::new(),
        text => element("small", text),
    }
}

/// A time as UTC, from seconds since 1970.
fn date(seconds: u64) -> String {
    let time = jiff::Timestamp::from_second(seconds as i64).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// What is to be known first.
fn leads(record: &Record) -> String {
    let failures = words::failures(record).into_iter();
    let failures: Vec<_> = failures.map(|why| format!("Failed: {why}.")).collect();
    let mut text = elements("p class=\"lead bad\"", &failures);
    text += &elements("p class=\"lead\"", &words::leads(record));
    if !record.warnings.is_empty() {
        let warnings = count(record.warnings.len(), "warning");
        text += &format!("<p class=\"about\"><a href=\"#warnings\">{warnings}</a> below.</p>\n");
    }
    text
}

fn facts(record: &Record) -> String {
    let commit = record.commit.as_ref();
    let commit = commit.map_or(String::new(), |commit| format!(" (commit {commit})"));
    let mut rounds = words::rounds(record) + " per server and number of clients";
    if record.servers.len() > 1 {
        rounds += ", servers alternating";
    }
    let facts = [
        ("Machine", words::machine(record)),
        ("threadline", record.version.clone() + &commit),
        ("Seed", record.seed.to_string()),
        ("Rounds", rounds),
        ("Load", words::load(record)),
    ];
    let fact = |(term, fact): (&str, String)| element("dt", term) + &element("dd", &fact);
    facts.map(|known| outer("div", &fact(known))).concat()
}

/// The charts, and why others are absent.
fn figures(record: &Record) -> String {
    let mut figures = String::new();
    let mut absent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for chart in charts::all(record) {
        match chart.drawing {
            Err(reason) => absent.entry(reason).or_default().push(chart.title),
            Ok(Drawing { finding, svg }) => {
                let caption = element("h3", &chart.title) + &element("p", &finding);
                let figure = outer("figcaption", &caption) + &svg;
                figures += &outer(&format!("figure id=\"{}\"", chart.name), &figure);
            }
        }
    }
    let mut text = outer("div class=\"charts\"", &figures);
    for (why, what) in &absent {
        let sentence = format!("Not drawn, because {why}: {}.", words::listed(what));
        text += &element("p class=\"absent\"", &sentence);
    }
    text
}

fn results(record: &Record) -> String {
    let notes = |notes: &[String]| elements("p class=\"notes\"", notes);
    let mut text = String::new();
    for (title, metrics) in table::tables(record) {
        text += &table(record, title, &metrics);
        let meanings = words::meanings(&metrics);
        if !meanings.is_empty() {
            text += &notes(&[meanings.join("; ") + "."]);
        }
    }
    let range = "below it the lowest and the highest round";
    text + &notes(&words::notes(record, range))
}

fn table(record: &Record, title: &str, metrics: &[&Metric]) -> String {
    let headings = ["server"].into_iter();
    let headings = headings.chain(metrics.iter().map(|metric| metric.heading));
    let headings: String = headings
        .map(|heading| element("th scope=\"col\"", heading))
        .collect();
    let mut text = outer("thead", &outer("tr", &headings));
    let all = metrics.len() + 1;
    for clients in record.client_counts() {
        let group = format!("th scope=\"rowgroup\" colspan=\"{all}\"");
        let mut rows = outer("tr", &element(&group, &count(clients, "client")));
        for (place, server) in record.servers.iter().enumerate() {
            if let Some(point) = record.point(server, clients) {
                rows += &row(record, place, point, metrics);
            }
        }
        text += &outer("tbody", &rows);
    }
    let region =
        format!("div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\"");
    element("h3", title) + &outer(&region, &outer("table", &text))
}

fn row(record: &Record, place: usize, point: &Point, metrics: &[&Metric]) -> String {
    let name = plot::key(place) + &escape(&point.server);
    let name = outer("span class=\"server\"", &name) + &small(&words::remark(record, point));
    let mut cells = outer("th scope=\"row\"", &name);
    for metric in metrics {
        let cell = table::cell(record, point, metric);
        let tag = if cell.is_bad {
            "td class=\"bad\""
        } else {
            "td"
        };
        let value = element("b", &cell.value) + &small(&cell.range) + &small(&cell.ratio);
        cells += &outer(tag, &value);
    }
    outer(&format!("tr class=\"{}\"", plot::class(place)), &cells)
}

fn warnings(record: &Record) -> String {
    if record.warnings.is_empty() {
        return String::new();
    }
    let heading = element("h2", "Read these figures with care");
    let list = outer("ul", &elements("li", &record.warnings));
    let section = "section id=\"warnings\" class=\"warnings\" role=\"note\"";
    outer(section, &(heading + &list))
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
