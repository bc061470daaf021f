//! The page that `loadtest --html` writes: sound here, what it says and draws in modules of their
//! own, its looks in a real browser in `browser.rs`.
#![cfg(all(feature = "lab", unix))]

#[path = "../common/mod.rs"]
mod common;

mod browser;
mod figures;
mod random;
mod sample;
mod words;

use std::process::Command;

use roxmltree::{Document, Node, ParsingOptions};
use threadline::lab::report::html::page;
use threadline::lab::results::record::Record;

/// Every kind of run, by name.
fn samples() -> Vec<(&'static str, Record)> {
    vec![
        ("sweep", sample::sweep()),
        ("one_count", sample::one_count()),
        ("least", sample::least()),
        ("idle", sample::idle()),
        ("slow", sample::slow()),
        ("freezing", sample::freezing()),
        ("churn", sample::churn()),
        ("frozen", sample::frozen()),
        ("hostile", sample::hostile()),
        ("hostile_sweep", sample::hostile_sweep()),
        ("wide", sample::wide()),
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
                let is_within = value.starts_with("data:") || value.starts_with('#');
                assert!(is_within, "{name}: {key}={value}");
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
