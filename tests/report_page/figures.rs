//! The charts, in the page and as files.

use roxmltree::Node;
use threadline::lab::report::charts;
use threadline::lab::report::html::page;

use crate::{check_self_contained, elements, has_class, parse, sample, samples, text};

#[test]
fn every_chart_says_what_it_shows() {
    let html = page(&sample::sweep());
    let document = parse("sweep", &html);
    let figures: Vec<Node> = elements(document.root(), "figure").collect();
    assert_eq!(figures.len(), 7);
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
        "At 1,000 clients: threadline 336k deliveries/s; go 183k (×0.54); floor 1.06M (×3.17). \
         At 5,000 clients: threadline 266k deliveries/s; go not measured; floor 1.07M (×4.01)."
    );
    let tip = text(elements(figures[0], "title").next().expect("a tip"));
    assert_eq!(
        tip,
        "threadline, 10 clients: 301k deliveries/s (280–325k over 3 rounds)"
    );
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
