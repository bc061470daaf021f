//! The page in a real browser, headless: what a reader sees, measured. The pages are left in
//! `target/tmp/report_page` to be looked at.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use threadline::lab::report::html::page;

use crate::common::browser;
use crate::sample;

const PHONE: u32 = 390;
const DESKTOP: u32 = 1280;

/// What a browser made of a page at two widths, and what it complained of.
struct Seen {
    phone: Value,
    desktop: Value,
    console: Vec<String>,
}

fn directory() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report_page");
    fs::create_dir_all(&directory).expect("a directory for the pages");
    directory
}

/// Shows a page in frames as wide as a phone and a desktop, and asks the browser what it sees.
fn look(name: &str, html: &str, dark: bool) -> Seen {
    let name = format!("{name}-{}", if dark { "dark" } else { "light" });
    let directory = directory();
    fs::write(directory.join(format!("{name}.html")), html).expect("the page is written");
    let srcdoc = html.replace('&', "&amp;").replace('"', "&quot;");
    let frame = |width| {
        format!(
            "<iframe width=\"{width}\" height=\"900\" style=\"border:0\" srcdoc=\"{srcdoc}\"></iframe>"
        )
    };
    let harness = directory.join(format!("{name}-harness.html"));
    let script = include_str!("browser.js");
    let text = format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><body>{}{}<script>{script}</script></body>",
        frame(PHONE),
        frame(DESKTOP)
    );
    fs::write(&harness, text).expect("the harness is written");

    let scheme = if dark { 0 } else { 1 };
    let (dom, log) = browser::load(
        &harness,
        &[
            // As on a phone, where they take no room.
            "--hide-scrollbars",
            "--window-size=1800,1000",
            &format!("--blink-settings=preferredColorScheme={scheme}"),
        ],
    );
    let measured = dom
        .split_once("MEASURED")
        .and_then(|(_, rest)| rest.split_once("END"))
        .unwrap_or_else(|| panic!("{name}: the browser measured nothing\n{dom}\n{log}"))
        .0;
    let mut measured: Vec<Value> = serde_json::from_str(measured).expect("the measures are JSON");
    let desktop = measured.pop().expect("two frames");
    let phone = measured.pop().expect("two frames");
    let console = log.lines().filter(|line| line.contains("CONSOLE"));
    Seen {
        phone,
        desktop,
        console: console.map(str::to_owned).collect(),
    }
}

/// What must hold of any page, at any width, in both modes.
fn check(name: &str, seen: &Seen) {
    assert!(seen.console.is_empty(), "{name}: {:#?}", seen.console);
    for (view, width) in [(&seen.phone, PHONE), (&seen.desktop, DESKTOP)] {
        assert_eq!(view["width"], width, "{name}");
        assert_eq!(
            view["page_width"], width,
            "{name}: the page scrolls sideways: {}",
            view["too_wide"]
        );
        assert_eq!(view["too_wide"], Value::Array(vec![]), "{name} at {width}");
        assert_eq!(
            view["requests"],
            Value::Array(vec![]),
            "{name}: not self-contained"
        );
        for figure in view["figures"].as_array().expect("figures") {
            let what = format!("{name} at {width}: {figure}");
            assert!(figure["width"].as_f64().unwrap() > 300.0, "{what}");
            assert!(figure["height"].as_f64().unwrap() > 40.0, "{what}");
            assert!(
                figure["text"].as_f64().unwrap() >= 9.5,
                "too small to read: {what}"
            );
            assert_eq!(
                figure["outside"],
                Value::Array(vec![]),
                "text is cut off: {what}"
            );
            assert_eq!(figure["touching"], 0, "names lie upon each other: {what}");
            assert!(
                figure["label"].as_str().is_some_and(|l| l.len() > 20),
                "{what}"
            );
        }
    }
}

/// Figures by their id, with the number of marks of each series.
fn marks(view: &Value) -> Vec<(String, Vec<u64>)> {
    let figures = view["figures"].as_array().expect("figures");
    let one = |figure: &Value| {
        let marks = figure["marks"].as_array().expect("marks");
        let id = figure["id"].as_str().expect("an id").to_owned();
        assert_eq!(figure["series"], marks.len(), "{figure}");
        assert_eq!(figure["colours"], marks.len().min(8), "{figure}");
        (
            id,
            marks
                .iter()
                .map(|n| n.as_u64().expect("a number"))
                .collect(),
        )
    };
    figures.iter().map(one).collect()
}

fn expected(figures: &[(&str, &[u64])]) -> Vec<(String, Vec<u64>)> {
    let own = |(id, marks): &(&str, &[u64])| ((*id).to_owned(), marks.to_vec());
    figures.iter().map(own).collect()
}

#[test]
#[ignore = "needs Chromium"]
fn a_sweep_is_drawn_whole_in_light_and_in_dark() {
    let html = page(&sample::sweep());
    let light = look("sweep", &html, false);
    let dark = look("sweep", &html, true);
    for (name, seen) in [("light", &light), ("dark", &dark)] {
        check(name, seen);
        for view in [&seen.phone, &seen.desktop] {
            // The second server did not reach the largest size.
            let all = &[4, 3, 4];
            assert_eq!(
                marks(view),
                expected(&[
                    ("deliveries", all),
                    ("timeline", &[5, 5]),
                    ("memory", all),
                    ("latency-p50", all),
                    ("latency-p99", all),
                    ("distribution", &[7, 7]),
                    ("cpu", all),
                ]),
                "{name}"
            );
        }
    }

    assert_eq!(light.phone["dark"], false);
    assert_eq!(dark.phone["dark"], true);
    let brightness = |seen: &Seen, what: &str| -> u32 {
        let colour = seen.phone[what].as_str().expect("a colour");
        let parts = colour
            .trim_start_matches("rgb(")
            .trim_end_matches(')')
            .split(", ");
        parts.map(|n| n.parse::<u32>().expect(colour)).sum()
    };
    assert!(
        brightness(&light, "background") > 600,
        "{}",
        light.phone["background"]
    );
    assert!(brightness(&light, "ink") < 200, "{}", light.phone["ink"]);
    assert!(
        brightness(&dark, "background") < 150,
        "{}",
        dark.phone["background"]
    );
    assert!(brightness(&dark, "ink") > 600, "{}", dark.phone["ink"]);

    // On the phone the table scrolls in its own box, which is within the page.
    let boxes = light.phone["scrolls"].as_array().expect("boxes");
    assert!(!boxes.is_empty());
    for scroll in boxes {
        assert!(scroll[0].as_u64() < Some(u64::from(PHONE)), "{scroll}");
    }
    assert!(boxes[0][1].as_u64() > boxes[0][0].as_u64(), "{boxes:?}");
}

#[test]
#[ignore = "needs Chromium"]
fn one_size_is_drawn_as_points() {
    let seen = look("one_count", &page(&sample::one_count()), false);
    check("one_count", &seen);
    let one = &[1, 1, 1];
    assert_eq!(
        marks(&seen.phone),
        expected(&[
            ("deliveries", one),
            ("timeline", &[5, 5, 5]),
            ("memory", one),
            ("latency-p50", one),
            ("latency-p99", one),
            ("distribution", &[7, 7, 7]),
            ("cpu", one),
        ])
    );

    let seen = look("least", &page(&sample::least()), true);
    check("least", &seen);
    let one = &[1];
    assert_eq!(
        marks(&seen.phone),
        expected(&[
            ("deliveries", one),
            ("timeline", &[5]),
            ("latency-p50", one),
            ("latency-p99", one),
            ("distribution", &[7]),
        ])
    );
}

#[test]
#[ignore = "needs Chromium"]
fn odd_runs_make_sound_pages() {
    for (name, record, figures) in [
        ("idle", sample::idle(), 3),
        ("slow", sample::slow(), 7),
        ("churn", sample::churn(), 8),
        ("freezing", sample::freezing(), 7),
        ("frozen", sample::frozen(), 1),
        ("hostile", sample::hostile(), 7),
        ("hostile_sweep", sample::hostile_sweep(), 7),
        ("wide", sample::wide(), 7),
        (
            "empty",
            threadline::lab::results::record::Record::default(),
            0,
        ),
    ] {
        let seen = look(name, &page(&record), true);
        check(name, &seen);
        assert_eq!(marks(&seen.phone).len(), figures, "{name}");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn unsound_page_is_detected() {
    let html = page(&sample::least()).replace(
        "</body>",
        "<img src=\"https://127.0.0.1:9/x.png\" alt=\"\"/><hr style=\"width: 500px\"/></body>",
    );
    let seen = look("unsound", &html, false);
    assert!(
        seen.console
            .iter()
            .any(|line| line.contains("Content Security Policy")),
        "{:?}",
        seen.console
    );
    assert_eq!(seen.phone["requests"][0], "https://127.0.0.1:9/x.png");
    assert_eq!(seen.phone["too_wide"][0], "HR.");
}
