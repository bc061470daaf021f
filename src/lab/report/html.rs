//! `--html`: a run as one page that needs nothing but itself: no network, no script, no font file.
//!
//! The page is HTML that is well-formed XML too, which is what its tests hold it to.

use std::collections::BTreeMap;

use crate::lab::report::{chart, charts, plot, table, words};
use crate::lab::results::metric::Metric;
use crate::lab::results::record::{Point, Record};
use crate::lab::results::units::{Unit, count};
use crate::text::escape;

/// The whole page.
pub fn page(record: &Record) -> String {
    let (figures, absent) = figures(record);
    // Each word in a box of its own: a line breaks between words, not at the hyphens within.
    let words = record.command.iter();
    let words = words.map(|word| element("span", "", &shell_words::quote(word)));
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

fn element(tag: &str, class: &str, text: &str) -> String {
    let class = match class {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    };
    format!("<{tag}{class}>{}</{tag}>", escape(text))
}

/// An element for a text that is not empty.
fn small(text: &str) -> String {
    match text {
        "" => String::new(),
        text => element("small", "", text),
    }
}

fn version(record: &Record) -> String {
    match &record.commit {
        Some(commit) => format!("{} (commit {commit})", record.version),
        None => record.version.clone(),
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
    let failures = failures.map(|failure| ("lead bad", format!("Failed: {failure}.")));
    let leads = words::leads(record).into_iter().map(|lead| ("lead", lead));
    let mut text: String = failures
        .chain(leads)
        .map(|(class, lead)| element("p", class, &lead) + "\n")
        .collect();
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
    let turns = if record.servers.len() > 1 {
        ", servers alternating"
    } else {
        ""
    };
    let rounds = format!(
        "{} per server and number of clients{turns}",
        words::rounds(record)
    );
    let facts = [
        ("Machine", format!("{}, {cores}, {memory}", machine.cpu)),
        ("Kernel", machine.kernel.clone()),
        ("threadline", version(record)),
        ("Seed", record.seed.to_string()),
        ("Rounds", rounds),
        ("Load", words::load(record)),
    ];
    let fact = |(term, fact): &(&str, String)| {
        format!("<div><dt>{term}</dt>{}</div>\n", element("dd", "", fact))
    };
    facts.iter().map(fact).collect()
}

/// The charts, and why others are absent.
fn figures(record: &Record) -> (String, String) {
    let mut figures = String::new();
    let mut absent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for chart in charts::all(record) {
        match chart.drawing {
            Err(reason) => absent.entry(reason).or_default().push(chart.title),
            Ok(drawing) => {
                let title = element("h3", "", &chart.title);
                let finding = element("p", "", &drawing.finding);
                figures += &format!(
                    "<figure id=\"{}\">\n<figcaption>{title}{finding}</figcaption>\n{}</figure>\n",
                    chart.name, drawing.svg
                );
            }
        }
    }
    let absent = absent.iter().map(|(reason, titles)| {
        let text = format!("Not drawn, because {reason}: {}.", words::listed(titles));
        element("p", "absent", &text) + "\n"
    });
    (figures, absent.collect())
}

fn results(record: &Record) -> String {
    let note = |text: &str| element("p", "notes", text) + "\n";
    let tables = table::tables(record);
    if tables.is_empty() {
        return note("Nothing was measured.");
    }
    let mut text = String::new();
    for (title, metrics) in tables {
        text += &table(record, title, &metrics);
        let meanings = words::meanings(&metrics);
        if !meanings.is_empty() {
            text += &note(&(meanings.join("; ") + "."));
        }
    }
    let notes = table::notes(record, "below it the lowest and the highest round");
    text + &notes.iter().map(|text| note(text)).collect::<String>()
}

fn table(record: &Record, title: &str, metrics: &[&Metric]) -> String {
    let headings = metrics
        .iter()
        .map(|metric| format!("<th scope=\"col\">{}</th>", metric.heading));
    let mut text = format!(
        "<h3>{title}</h3>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\">\n\
         <table>\n<thead><tr><th scope=\"col\">server</th>{}</tr></thead>\n",
        headings.collect::<String>()
    );
    for clients in record.client_counts() {
        text += &format!(
            "<tbody>\n<tr><th class=\"count\" scope=\"rowgroup\" colspan=\"{}\"><span>{}</span></th></tr>\n",
            metrics.len() + 1,
            count(clients, "client")
        );
        let servers = record.servers.iter().enumerate();
        let rows = servers.filter_map(|(place, server)| {
            Some(row(record, place, record.point(server, clients)?, metrics))
        });
        text += &rows.collect::<String>();
        text += "</tbody>\n";
    }
    text + "</table>\n</div>\n"
}

fn row(record: &Record, place: usize, point: &Point, metrics: &[&Metric]) -> String {
    let cells = metrics
        .iter()
        .map(|metric| match table::cell(record, point, metric) {
            None => "<td>–</td>".to_owned(),
            Some(cell) => format!(
                "<td{}><b>{}</b>{}{}</td>",
                if cell.is_bad { " class=\"bad\"" } else { "" },
                cell.value,
                small(&cell.range),
                small(&cell.ratio)
            ),
        });
    format!(
        "<tr class=\"{}\"><th scope=\"row\"><span class=\"server\">{}{}</span>{}</th>{}</tr>\n",
        plot::class(place),
        plot::key(place),
        escape(&point.server),
        small(&words::remark(record, point).unwrap_or_default()),
        cells.collect::<String>()
    )
}

fn warnings(record: &Record) -> String {
    if record.warnings.is_empty() {
        return String::new();
    }
    let warnings = record.warnings.iter();
    let warnings: String = warnings
        .map(|text| element("li", "", text) + "\n")
        .collect();
    format!(
        "<section id=\"warnings\" class=\"warnings\" role=\"note\">\n\
         <h2>Read these figures with care</h2>\n<ul>\n{warnings}</ul>\n</section>\n"
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
