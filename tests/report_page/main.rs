//! The page that `loadtest --html` writes: its text here, its looks in a real browser in
//! `browser.rs`.
#![cfg(feature = "lab")]

#[path = "../common/mod.rs"]
mod common;

mod browser;
mod random;
mod sample;

use std::process::Command;

use proptest::prelude::*;
use roxmltree::{Document, Node, ParsingOptions};
use threadline::lab::charts;
use threadline::lab::html::page;
use threadline::lab::record::Record;

/// Every kind of run, by name.
fn samples() -> Vec<(&'static str, Record)> {
    vec![
        ("sweep", sample::sweep()),
        ("one_count", sample::one_count()),
        ("least", sample::least()),
        ("idle", sample::idle()),
        ("slow", sample::slow()),
        ("churn", sample::churn()),
        ("frozen", sample::frozen()),
        ("hostile", sample::hostile()),
        ("hostile_sweep", sample::hostile_sweep()),
        ("empty", Record::default()),
    ]
}

fn parse<'a>(name: &str, text: &'a str) -> Document<'a> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options)
        .unwrap_or_else(|err| panic!("{name} is not well-formed: {err}\n{text}"))
}

fn elements<'a>(within: Node<'a, 'a>, tag: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    within
        .descendants()
        .filter(move |node| node.has_tag_name(tag))
}

/// The text of a node and of all within it, with single spaces.
fn text(node: Node) -> String {
    let parts: Vec<&str> = node
        .descendants()
        .filter_map(|n| n.is_text().then(|| n.text())?)
        .collect();
    parts
        .join(" ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn has_class(node: Node, class: &str) -> bool {
    node.attribute("class")
        .is_some_and(|all| all.split(' ').any(|c| c == class))
}

/// Nothing in the document asks for anything outside it, and nothing runs.
fn check_self_contained(name: &str, document: &Document) {
    for node in document.descendants().filter(Node::is_element) {
        let tag = node.tag_name().name();
        assert!(
            !["script", "img", "iframe", "object", "embed", "base"].contains(&tag),
            "{name}: {tag}"
        );
        for attribute in node.attributes() {
            let (key, value) = (attribute.name(), attribute.value());
            assert!(!key.starts_with("on"), "{name}: {key}={value}");
            if ["href", "src", "srcset", "action", "data"].contains(&key) {
                assert!(value.starts_with("data:"), "{name}: {key}={value}");
            }
            assert!(
                key == "content" || !value.contains("://"),
                "{name}: {key}={value}"
            );
            for word in ["NaN", "inf"] {
                let drawn = ["d", "x", "y", "width", "height", "viewBox"].contains(&key);
                assert!(!drawn || !value.contains(word), "{name}: {key}={value}");
            }
        }
        if tag == "style" {
            let css = node.text().unwrap_or_default();
            assert!(
                !css.contains("url(") && !css.contains("@import"),
                "{name}: {css}"
            );
        }
    }
}

#[test]
fn every_page_is_well_formed_and_self_contained() {
    for (name, record) in samples() {
        let html = page(&record);
        assert!(
            html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"),
            "{name}: {html:.80}"
        );
        let document = parse(name, &html);
        check_self_contained(name, &document);
        assert_eq!(elements(document.root(), "h1").count(), 1, "{name}");
        assert_eq!(
            elements(document.root(), "title").next().map(text),
            elements(document.root(), "h1").next().map(text)
        );
        assert!(
            html.contains("default-src 'none'"),
            "{name} lets the browser load things"
        );
        let seen = text(document.root());
        for word in ["NaN", "inf ", "×–"] {
            assert!(!seen.contains(word), "{name} shows {word:?}: {seen}");
        }
    }
}

#[test]
fn the_page_says_how_it_was_measured() {
    let html = page(&sample::sweep());
    let seen = text(parse("sweep", &html).root());
    for fact in [
        "chat, 10 to 5,000 clients: threadline against go and floor",
        "2026-09-21 14:13 UTC",
        "Example processor at 3.0 GHz, 2 processors, 24 GiB",
        "Linux 6.18.0",
        "0.1.0 (commit 3055f85)",
        "loadtest chat -c 10,100,1000,5000 --server 'go@127.0.0.1:8000=./chat' --floor --html report.html",
        "Seed 42",
        "3 of 5 s for each server and number of clients, the servers in turn",
        "10 senders, 64 B a message, closed loop",
        "Read these figures with care The generator used 98% of a processor against floor",
    ] {
        assert!(seen.contains(fact), "no {fact:?} in {seen}");
    }
}

#[test]
fn the_table_has_medians_spreads_and_ratios() {
    let html = page(&sample::sweep());
    let document = parse("sweep", &html);
    let tables: Vec<Node> = elements(document.root(), "table").collect();
    let columns: Vec<String> = tables
        .iter()
        .flat_map(|table| elements(*table, "thead"))
        .map(text)
        .collect();
    assert_eq!(
        columns,
        [
            "server deliveries/s messages/s p50 p90 p99 p99.9 max lost connect",
            "server lost duplicated out of order damaged dropped pause",
            "server CPU s/million switches/delivery RSS/client threads/client mappings/client fds/client",
        ]
    );
    let rows: Vec<String> = elements(document.root(), "tr").map(text).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let at = rows
        .iter()
        .position(|row| *row == "1,000 clients")
        .expect("the third size");
    assert!(
        rows[at + 1].starts_with("threadline 336k 312–363k 336 312–363 3.9 ms"),
        "{rows:#?}"
    );
    assert!(
        rows[at + 2].starts_with("go 183k 170–198k ×0.54"),
        "{rows:#?}"
    );
    assert!(
        rows[at + 2].contains(" 3 60 ms"),
        "the lost ones of the worst round: {rows:#?}"
    );
    assert!(
        rows[at + 3].starts_with("floor 1.06M 990k–1.15M ×3.17"),
        "{rows:#?}"
    );
    assert!(
        rows.contains(&"go not measured – – – – – – – – –"),
        "{rows:#?}"
    );
    let bad = document
        .descendants()
        .filter(|node| has_class(*node, "bad"));
    // Once among what it does, once among the faults.
    assert_eq!(bad.map(text).collect::<Vec<_>>(), ["3", "3"]);
}

#[test]
fn a_run_without_faults_says_so_in_one_line() {
    let mut record = sample::sweep();
    for round in record.points.iter_mut().flat_map(|point| &mut point.rounds) {
        round.lost = 0;
    }
    let html = page(&record);
    let seen = text(parse("sound", &html).root());
    assert!(
        seen.contains("Every client checked every message: nothing lost"),
        "{seen}"
    );
    assert!(!seen.contains("out of order damaged"), "{seen}");
}

#[test]
fn nothing_left_behind_is_a_result() {
    let html = page(&sample::churn());
    let document = parse("churn", &html);
    let table = elements(document.root(), "table")
        .nth(1)
        .expect("a second table");
    let rows: Vec<String> = elements(table, "tr").map(text).collect();
    assert_eq!(
        rows[0],
        "server threads left fds left mappings left RSS left CPU s/million"
    );
    assert!(
        rows[2].starts_with("threadline 990 connected 0 0 0 2 MiB 3.1"),
        "{rows:#?}"
    );
}

#[test]
fn a_room_with_stalled_clients_stands_beside_itself() {
    let html = page(&sample::slow());
    let seen = text(parse("slow", &html).root());
    let finding = "At 100 clients: threadline 541k deliveries/s; threadline, 10 stalled 245k (0.45 times threadline).";
    assert!(seen.contains(finding), "{seen}");
}

#[test]
fn every_chart_says_what_it_shows() {
    let html = page(&sample::sweep());
    let document = parse("sweep", &html);
    let figures: Vec<Node> = elements(document.root(), "figure").collect();
    assert_eq!(figures.len(), 6);
    for figure in &figures {
        let name = figure.attribute("id").expect("a figure has an id");
        let caption = elements(*figure, "figcaption")
            .map(text)
            .next()
            .expect("a caption");
        let svg = elements(*figure, "svg").next().expect("a chart");
        assert_eq!(svg.attribute("role"), Some("img"), "{name}");
        let label = svg.attribute("aria-label").expect("a label");
        assert_eq!(label.replacen(". ", " ", 1), caption, "{name}");
        for word in ["threadline ", "go ", "floor "] {
            assert!(
                caption.replace(':', " ").contains(word),
                "{name} does not speak of {word}: {caption}"
            );
        }
        for mark in svg.descendants().filter(|node| has_class(*node, "mark")) {
            assert!(
                elements(mark, "title").count() == 1,
                "{name}: a mark without a tip"
            );
        }
    }
    let finding = text(elements(figures[0], "p").next().expect("a finding"));
    assert_eq!(
        finding,
        "At 1,000 clients: threadline 336k deliveries/s; go 183k (0.54 times threadline); floor 1.06M \
         (3.17 times threadline). At 5,000 clients: threadline 266k deliveries/s; go not measured; floor 1.07M."
    );
    let tip = text(elements(figures[0], "title").next().expect("a tip"));
    assert_eq!(
        tip,
        "threadline, 10 clients: 301k deliveries/s (280–325k over 3 rounds)"
    );
}

#[test]
fn what_cannot_be_drawn_says_why() {
    for (name, reason) in [
        (
            "idle",
            "Not drawn, because nothing was sent in this run (idle): Deliveries a second",
        ),
        (
            "frozen",
            "Not drawn, because nothing was delivered: Deliveries a second",
        ),
        (
            "least",
            "Not drawn, because loadtest had no server process to look at: Memory per client",
        ),
        (
            "empty",
            "Not drawn, because no round was measured: Deliveries a second",
        ),
    ] {
        let record = samples()
            .into_iter()
            .find(|(n, _)| *n == name)
            .expect("a sample")
            .1;
        let html = page(&record);
        let seen = text(parse(name, &html).root());
        assert!(seen.contains(reason), "{name}: no {reason:?} in {seen}");
    }
}

#[test]
fn names_and_warnings_are_text_and_no_more() {
    let html = page(&sample::hostile());
    let document = parse("hostile", &html);
    assert_eq!(elements(document.root(), "i").count(), 0);
    assert_eq!(
        elements(document.root(), "b")
            .filter(|b| text(*b).contains("server"))
            .count(),
        0
    );
    let seen = text(document.root());
    assert!(
        seen.contains("\"</p><img src=x onerror=alert(1)> & <b"),
        "{seen}"
    );
    assert!(seen.contains("<script>alert("), "{seen}");
    assert!(!html.contains('\u{1b}'));
}

#[test]
fn servers_that_do_not_differ_are_not_ranked() {
    let html = page(&sample::hostile());
    let seen = text(parse("hostile", &html).root());
    assert!(
        seen.contains("(no clear difference from <i>server & \"0\""),
        "{seen}"
    );
    assert!(!seen.contains("(1.00 times"), "{seen}");
}

#[test]
fn charts_are_files_of_their_own() {
    for (name, record) in samples() {
        for chart in charts::all(&record) {
            let Some(svg) = chart.file() else {
                assert!(
                    chart.drawing.is_err(),
                    "{name}: {} is drawn but no file",
                    chart.name
                );
                continue;
            };
            let name = format!("{name}: {}", chart.name);
            let document = parse(&name, &svg);
            check_self_contained(&name, &document);
            let root = document.root_element();
            assert_eq!(
                root.tag_name().namespace(),
                Some("http://www.w3.org/2000/svg"),
                "{name}"
            );
            assert!(
                root.attribute("aria-label")
                    .is_some_and(|l| l.starts_with(&chart.title)),
                "{name}"
            );
            let svg_ns = |tag| document.descendants().find(|n| n.tag_name().name() == tag);
            let style = svg_ns("style")
                .and_then(|n| n.text())
                .expect("a style of its own");
            assert!(style.contains("prefers-color-scheme: dark"), "{name}");
            assert_eq!(
                svg_ns("text").map(text).as_deref(),
                Some(chart.title.as_str()),
                "{name}"
            );
        }
    }
}

#[test]
fn loadtest_writes_the_page_and_the_charts() {
    let directory = tempfile::tempdir().expect("a directory");
    let (html, svg) = (
        directory.path().join("report.html"),
        directory.path().join("charts"),
    );
    let run = Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args([
            "chat", "--no-own", "--floor", "-c", "2,4", "-d", "100ms", "--rounds", "2",
        ])
        .arg("--html")
        .arg(&html)
        .arg("--svg")
        .arg(&svg)
        .output()
        .expect("loadtest can be started");
    assert!(run.status.success(), "{run:?}");

    let html = std::fs::read_to_string(html).expect("a page");
    let document = parse("a real run", &html);
    check_self_contained("a real run", &document);
    let figures = elements(document.root(), "figure").filter_map(|figure| figure.attribute("id"));
    let mut expected: Vec<String> = figures.map(|id| format!("chat-{id}.svg")).collect();
    assert!(expected.len() >= 4, "{expected:?}");
    let files = std::fs::read_dir(svg).expect("a directory of charts");
    let mut found: Vec<String> = files
        .map(|file| {
            file.expect("a file")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever was measured, the page is sound: zeros, gaps, shrinking memory, servers that are missing.
    #[test]
    fn no_run_makes_an_unsound_page(record in random::record()) {
        let html = page(&record);
        let document = parse("a random run", &html);
        check_self_contained("a random run", &document);
        for chart in charts::all(&record) {
            if let Some(svg) = chart.file() {
                parse(chart.name, &svg);
            }
        }
    }
}
