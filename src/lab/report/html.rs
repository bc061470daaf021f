//! `--html`: a run as one page that needs nothing but itself: no network, no script, no font file.
//!
//! The page is HTML that is well-formed XML too, which is what its tests hold it to.

use std::collections::BTreeMap;

use crate::lab::report::chart::{self, Drawing};
use crate::lab::report::{charts, plot, table, words};
use crate::lab::results::metric::Metric;
use crate::lab::results::record::{Point, Record};
use crate::text::escape;
use crate::units::{Unit, count};

/// The whole page.
pub fn page(record: &Record) -> String {
    let (figures, absent) = figures(record);
    // Each word in a box of its own: a line breaks between words, not at the hyphens within.
    let words = record.command.iter();
    let words = words.map(|word| element("span", &shell_words::quote(word)));
    format!(
        include_str!("page.html"),
        title = escape(&words::title(record)),
        chart_style = chart::STYLE,
        page_style = include_str!("page.css"),
        date = date(record.started),
        leads = leads(record),
        about = words::about(record),
        command = words.collect::<Vec<_>>().join(" "),
        facts = facts(record),
        figures = figures,
        absent = absent,
        results = results(record),
        warnings = warnings(record),
        version = escape(&version(record)),
    )
}

/// An element with a text; the tag may have attributes.
fn element(tag: &str, text: &str) -> String {
    let name = tag.split(' ').next().unwrap_or(tag);
    format!("<{tag}>{}</{name}>", escape(text))
}

/// An element for each text, a line each.
fn elements(tag: &str, texts: &[String]) -> String {
    let elements = texts.iter().map(|text| element(tag, text) + "\n");
    elements.collect()
}

/// An element for a text that is not empty.
fn small(text: &str) -> String {
    match text {
        "" => String::new(),
        text => element("small", text),
    }
}

fn version(record: &Record) -> String {
    let commit = record.commit.iter();
    let commit = commit.map(|commit| format!(" (commit {commit})"));
    record.version.clone() + &commit.collect::<String>()
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
    let machine = &record.machine;
    let cores = count(machine.cores, "processor");
    let memory = Unit::Bytes.show(machine.memory as f64);
    let mut rounds = words::rounds(record) + " per server and number of clients";
    if record.servers.len() > 1 {
        rounds += ", servers alternating";
    }
    let facts = [
        ("Machine", format!("{}, {cores}, {memory}", machine.cpu)),
        ("Kernel", machine.kernel.clone()),
        ("threadline", version(record)),
        ("Seed", record.seed.to_string()),
        ("Rounds", rounds),
        ("Load", words::load(record)),
    ];
    let facts = facts.map(|(term, fact)| (term, element("dd", &fact)));
    let facts = facts.map(|(term, fact)| format!("<div><dt>{term}</dt>{fact}</div>\n"));
    facts.concat()
}

/// The charts, and why others are absent.
fn figures(record: &Record) -> (String, String) {
    let mut figures = String::new();
    let mut absent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for chart in charts::all(record) {
        match chart.drawing {
            Err(reason) => absent.entry(reason).or_default().push(chart.title),
            Ok(Drawing { finding, svg }) => {
                let (name, title) = (chart.name, element("h3", &chart.title));
                let caption = title + &element("p", &finding);
                figures += &format!("<figure id=\"{name}\">\n<figcaption>{caption}</figcaption>\n");
                figures += &(svg + "</figure>\n");
            }
        }
    }
    let absent = absent.iter();
    let absent = absent.map(|(why, what)| (why, words::listed(what)));
    let absent = absent.map(|(why, what)| format!("Not drawn, because {why}: {what}."));
    let absent: Vec<String> = absent.collect();
    (figures, elements("p class=\"absent\"", &absent))
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
    let heading = |metric: &&Metric| element("th scope=\"col\"", metric.heading);
    let mut text = format!(
        "<h3>{title}</h3>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\">\n\
         <table>\n<thead><tr><th scope=\"col\">server</th>{}</tr></thead>\n",
        metrics.iter().map(heading).collect::<String>()
    );
    for clients in record.client_counts() {
        text += &format!(
            "<tbody>\n<tr><th class=\"count\" scope=\"rowgroup\" colspan=\"{}\"><span>{}</span></th></tr>\n",
            metrics.len() + 1,
            count(clients, "client")
        );
        for (place, server) in record.servers.iter().enumerate() {
            if let Some(point) = record.point(server, clients) {
                text += &row(record, place, point, metrics);
            }
        }
        text += "</tbody>\n";
    }
    text + "</table>\n</div>\n"
}

fn row(record: &Record, place: usize, point: &Point, metrics: &[&Metric]) -> String {
    let cells = metrics.iter().map(|metric| {
        let cell = table::cell(record, point, metric);
        let class = if cell.is_bad { " class=\"bad\"" } else { "" };
        let (range, ratio) = (small(&cell.range), small(&cell.ratio));
        format!("<td{class}><b>{}</b>{range}{ratio}</td>", cell.value)
    });
    format!(
        "<tr class=\"{}\"><th scope=\"row\"><span class=\"server\">{}{}</span>{}</th>{}</tr>\n",
        plot::class(place),
        plot::key(place),
        escape(&point.server),
        small(&words::remark(record, point)),
        cells.collect::<String>()
    )
}

fn warnings(record: &Record) -> String {
    if record.warnings.is_empty() {
        return String::new();
    }
    format!(
        "<section id=\"warnings\" class=\"warnings\" role=\"note\">\n\
         <h2>Read these figures with care</h2>\n<ul>\n{}</ul>\n</section>\n",
        elements("li", &record.warnings)
    )
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
