//! The charts, in the page and as files.

use std::collections::HashSet;

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

/// The colours of this name in a style sheet, in the order in which they stand there: light, dark.
fn colours(style: &str, name: &str) -> Vec<[f64; 3]> {
    let declaration = format!("--{name}: #");
    let values = style.split(declaration.as_str()).skip(1);
    let part = |hex: &str| f64::from(u8::from_str_radix(hex, 16).expect(name)) / 255.0;
    let colour = |hex: &str| [&hex[..2], &hex[2..4], &hex[4..6]].map(part);
    values.map(colour).collect()
}

/// Red, green and blue in proportion to their light.
fn linear(colour: [f64; 3]) -> [f64; 3] {
    colour.map(|part| match part {
        dark if dark <= 0.04045 => dark / 12.92,
        part => ((part + 0.055) / 1.055).powf(2.4),
    })
}

/// The contrast ratio of WCAG 2.
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let [red, green, blue] = linear(colour);
        0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
    };
    let (one, other) = (luminance(one), luminance(other));
    one.max(other) / one.min(other)
}

/// How far apart two colours are to the eye: the distance in CIELAB. Below 2 they look the same.
fn distance(one: [f64; 3], other: [f64; 3]) -> f64 {
    let lab = |colour: [f64; 3]| {
        let [red, green, blue] = linear(colour);
        let x = 0.4339 * red + 0.3762 * green + 0.1899 * blue;
        let y = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        let z = 0.0177 * red + 0.1095 * green + 0.8728 * blue;
        let [x, y, z] = [x, y, z].map(f64::cbrt);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    };
    let squares = lab(one).into_iter().zip(lab(other));
    squares.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn eight_servers_have_colours_and_dashes_of_their_own() {
    let record = sample::many(9);
    let chart = &charts::all(&record)[0];
    let svg = chart.file().expect("a chart");
    let document = parse("many", &svg);
    let classes: Vec<_> = (document.descendants())
        .filter(|node| has_class(*node, "series"))
        .filter_map(|node| node.attribute("class"))
        .collect();
    let expected: Vec<String> = [0, 1, 2, 3, 4, 5, 6, 7, 0]
        .map(|place| format!("series c{place}"))
        .to_vec();
    assert_eq!(classes, expected, "the ninth begins again");

    let style = document
        .descendants()
        .find(|n| n.tag_name().name() == "style");
    let style = style.and_then(|n| n.text()).expect("a style of its own");
    let pages = colours(style, "page");
    let all: Vec<_> = (0..8).map(|c| colours(style, &format!("c{c}"))).collect();
    assert_eq!(pages.len(), 2, "light and dark: {style}");
    for (mode, page) in pages.into_iter().enumerate() {
        for (place, modes) in all.iter().enumerate() {
            let what = format!("colour {place} of mode {mode}");
            let colour = modes[mode];
            assert!(contrast(colour, page) >= 3.0, "{what} fades on its page");
            if mode == 0 {
                assert!(contrast(colour, [1.0; 3]) >= 3.0, "{what} fades on paper");
            }
            for (other, modes) in all.iter().enumerate().take(place) {
                let apart = distance(colour, modes[mode]);
                assert!(apart > 20.0, "{what} is like colour {other}: {apart}");
            }
        }
    }
    let dashes = (0..8).map(|c| {
        let rule = style.split_once(&format!(".chart .c{c} .line {{"));
        rule.map(|(_, rest)| rest.split_once('}').expect("an end").0)
    });
    let different: HashSet<_> = dashes.collect();
    assert_eq!(different.len(), 8, "{different:?}");
}
