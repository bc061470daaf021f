//! The page that `loadtest --html` writes: its text here, its looks in a browser in `browser.rs`.
#![cfg(feature = "lab")]

mod sample;

use roxmltree::{Document, Node, ParsingOptions};
use threadline::lab::charts;
use threadline::lab::html::page;
use threadline::lab::record::Record;

#[test]
fn dump() {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, record) in samples() {
        std::fs::write(dir.join(format!("{name}.html")), page(&record)).unwrap();
        for c in charts::all(&record) {
            if let Some(f) = c.file() {
                std::fs::write(dir.join(format!("{name}-{}.svg", c.name)), f).unwrap();
            }
        }
    }
}

fn samples() -> Vec<(&'static str, Record)> {
    vec![
        ("sweep", sample::sweep()),
        ("one_count", sample::one_count()),
        ("least", sample::least()),
        ("idle", sample::idle()),
        ("frozen", sample::frozen()),
        ("hostile", sample::hostile()),
        ("empty", Record::default()),
    ]
}
