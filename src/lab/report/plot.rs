//! Drawing: axes and lines as SVG. It knows nothing of load tests; [`crate::lab::report::charts`] does.
//!
//! Nothing here names a colour or a font: every element has a class, and `chart.css` gives each
//! class its look in light and in dark mode. Each series has its mark and its dashes besides its
//! colour.

use std::fmt::{self, Write};

use crate::lab::report::axis::Axis;
use crate::text::escape;

/// Width of a chart in its own units; narrow, so that its text can still be read on a phone.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 272.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 40.0;
const LINE_HEIGHT: f64 = 15.0;
/// Colours and dashes in `chart.css`; the fifth series begins again, with another mark.
const COLOURS: usize = 4;

/// What one server contributes to a chart.
pub struct Series {
    pub name: String,
    /// Its place among all servers: the same colour and mark in every chart.
    pub place: usize,
    /// The line, in data units.
    pub line: Vec<(f64, f64)>,
    /// The points to be marked.
    pub marks: Vec<Mark>,
}

/// A marked point, with the range of the rounds as an error bar.
pub struct Mark {
    pub x: f64,
    pub y: f64,
    pub range: (f64, f64),
    /// What the pointer sees.
    pub tip: String,
}

impl Series {
    pub fn new(name: &str, place: usize, line: Vec<(f64, f64)>, marks: Vec<Mark>) -> Series {
        let name = name.to_owned();
        Series {
            name,
            place,
            line,
            marks,
        }
    }
}

impl Mark {
    /// A mark without a range.
    pub fn new(x: f64, y: f64, tip: String) -> Mark {
        let range = (y, y);
        Mark { x, y, range, tip }
    }

    pub fn within(self, low: f64, high: f64) -> Mark {
        let range = (low, high);
        Mark { range, ..self }
    }
}

/// The class of what belongs to a server.
pub fn class(place: usize) -> String {
    format!("c{}", place % COLOURS)
}

/// A server's mark by itself, for beside its name.
pub fn key(place: usize) -> String {
    let shape = shape(place);
    format!(
        "<svg class=\"chart key\" viewBox=\"-6 -6 12 12\" aria-hidden=\"true\">\
         <path class=\"mark\" d=\"M0 0{shape}\"/></svg>"
    )
}

fn shape(place: usize) -> &'static str {
    const SHAPES: [&str; 8] = [
        "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
        "m-3.6-3.6h7.2v7.2h-7.2z",
        "m0-4.9l4.9 4.9l-4.9 4.9l-4.9-4.9z",
        "m0-4.8l4.5 8h-9z",
        "m0 4.8l4.5-8h-9z",
        "m-1.6-5h3.2v3.4h3.4v3.2h-3.4v3.4h-3.2v-3.4h-3.4v-3.2h3.4z",
        "m-4.8-2.4h9.6v4.8h-9.6z",
        "m-2.4-4.8h4.8v9.6h-4.8z",
    ];
    SHAPES[place % SHAPES.len()]
}

/// The room a text takes, generously: fonts differ.
fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * 7.4
}

/// A name that fits beside a chart.
fn short(name: &str) -> String {
    const LONGEST: usize = 22;
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn open(height: f64, spoken: &str) -> String {
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-label=\"{}\">\n",
        escape(spoken)
    )
}

/// Width and height of a chart, in its own units.
pub fn size(svg: &str) -> Option<(f64, f64)> {
    let view = svg.split_once("viewBox=\"0 0 ")?.1.split('"').next()?;
    let (width, height) = view.split_once(' ')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// A line through points; those nearer than the eye can tell to the one before are left out.
fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut out = String::new();
    let mut last = (f64::NEG_INFINITY, 0.0);
    for (x, y) in points {
        if (x - last.0).abs() > 0.4 || (y - last.1).abs() > 0.4 {
            let to = if out.is_empty() { "M" } else { "L" };
            let _ = write!(out, "{to}{x:.1} {y:.1}");
            last = (x, y);
        }
    }
    out
}

/// Moves positions apart until none is nearer than `gap` to the next, staying within the bounds as
/// far as they go.
fn apart(positions: &mut [f64], gap: f64, low: f64, high: f64) {
    let mut order: Vec<usize> = (0..positions.len()).collect();
    order.sort_by(|a, b| positions[*a].total_cmp(&positions[*b]));
    let mut least = low;
    for &i in &order {
        positions[i] = positions[i].max(least);
        least = positions[i] + gap;
    }
    let mut most = high;
    for &i in order.iter().rev() {
        positions[i] = positions[i].min(most);
        most = positions[i] - gap;
    }
}

fn draw(out: &mut String, class: &str, path: fmt::Arguments<'_>) {
    let _ = writeln!(out, "<path class=\"{class}\" d=\"{path}\"/>");
}

fn write_text(out: &mut String, class: &str, (x, y): (f64, f64), anchor: &str, text: &str) {
    let text = escape(text);
    let _ = writeln!(
        out,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

/// A chart of lines, each named at its end.
pub fn lines(spoken: &str, x: &Axis, y: &Axis, series: &[Series]) -> String {
    let widest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
    let left = widest(&mut y.ticks.iter().map(|(_, text)| text_width(text))) + 8.0;
    let names = widest(&mut series.iter().map(|s| text_width(&short(&s.name)))) + 14.0;
    let frame = Frame {
        x,
        y,
        left,
        right: WIDTH - names,
        bottom: HEIGHT - BOTTOM,
    };

    let mut out = open(HEIGHT, spoken);
    frame.axes(&mut out);
    let mut names: Vec<f64> = series.iter().map(|s| frame.end(s).1).collect();
    apart(&mut names, LINE_HEIGHT, TOP, frame.bottom - 4.0);
    // Error bars at one place would hide each other, so the servers stand side by side there.
    let has_range = |s: &Series| s.marks.iter().any(|mark| mark.range.0 < mark.range.1);
    let step = match x.ticks.len() {
        1 => (frame.right - frame.left) / (series.len() + 1) as f64,
        _ if series.iter().any(has_range) => (12.0 / series.len() as f64).min(4.0),
        _ => 0.0,
    };
    let first = -step * (series.len() as f64 - 1.0) / 2.0;
    for (i, (s, name)) in series.iter().zip(names).enumerate() {
        frame.series(&mut out, s, first + step * i as f64, name);
    }
    out.push_str("</svg>\n");
    out
}

/// The part of a chart that lines are drawn in.
struct Frame<'a> {
    x: &'a Axis,
    y: &'a Axis,
    left: f64,
    right: f64,
    bottom: f64,
}

impl Frame<'_> {
    fn at_x(&self, value: f64) -> f64 {
        self.left + (self.right - self.left) * self.x.fraction(value)
    }

    fn at_y(&self, value: f64) -> f64 {
        self.bottom - (self.bottom - TOP) * self.y.fraction(value)
    }

    /// Where the line of a series ends.
    fn end(&self, series: &Series) -> (f64, f64) {
        let last = series.line.last();
        last.map_or((self.right, self.bottom), |(x, y)| {
            (self.at_x(*x), self.at_y(*y))
        })
    }

    fn axes(&self, out: &mut String) {
        let Frame {
            x,
            y,
            left,
            right,
            bottom,
        } = self;
        for (value, text) in &y.ticks {
            let at = self.at_y(*value);
            draw(out, "grid", format_args!("M{left:.1} {at:.1}H{right:.1}"));
            write_text(out, "tick", (left - 6.0, at + 4.0), "end", text);
        }
        draw(
            out,
            "base",
            format_args!("M{left:.1} {bottom:.1}H{right:.1}"),
        );
        let mut free = f64::INFINITY;
        // From the right, so that of two ticks that collide the larger keeps its label.
        for (value, text) in x.ticks.iter().rev() {
            let at = self.at_x(*value);
            let half = text_width(text) / 2.0;
            draw(out, "base", format_args!("M{at:.1} {bottom:.1}v4"));
            if at + half > free {
                continue;
            }
            free = at - half - 4.0;
            write_text(out, "tick", (at, bottom + 17.0), "middle", text);
        }
        write_text(out, "label", (0.0, 11.0), "start", &y.label);
        write_text(out, "label", (*right, HEIGHT - 5.0), "end", &x.label);
    }

    /// Draws a series, moved aside by so much, with its name beside the frame at this height.
    fn series(&self, out: &mut String, series: &Series, aside: f64, name: f64) {
        let line = series.line.iter();
        let path = path(line.map(|(x, y)| (self.at_x(*x) + aside, self.at_y(*y))));
        let _ = writeln!(out, "<g class=\"series {}\">", class(series.place));
        draw(out, "line", format_args!("{path}"));
        for m in &series.marks {
            let x = self.at_x(m.x) + aside;
            let (low, high) = (self.at_y(m.range.0), self.at_y(m.range.1));
            if low - high > 1.0 {
                let foot = x - 3.0;
                let bar = format_args!("M{x:.1} {low:.1}V{high:.1}m-3 0h6M{foot:.1} {low:.1}h6");
                draw(out, "spread", bar);
            }
            let _ = writeln!(
                out,
                "<path class=\"mark\" d=\"M{x:.1} {:.1}{}\"><title>{}</title></path>",
                self.at_y(m.y),
                shape(series.place),
                escape(&m.tip)
            );
        }
        let (x, y) = self.end(series);
        if (name - y).abs() > 4.0 || self.right - x > 20.0 {
            let (from, to) = (x + aside + 6.0, self.right + 6.0);
            draw(
                out,
                "leader",
                format_args!("M{from:.1} {y:.1}L{to:.1} {name:.1}"),
            );
        }
        let at = (self.right + 9.0, name + 4.0);
        write_text(out, "name", at, "start", &short(&series.name));
        out.push_str("</g>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_apart_and_within_the_chart() {
        for wanted in [
            vec![50.0, 50.0, 50.0],
            vec![99.0, 98.0, 3.0, 97.0],
            vec![0.0, 100.0],
            vec![],
        ] {
            let mut at = wanted.clone();
            apart(&mut at, 15.0, 0.0, 100.0);
            let mut sorted = at.clone();
            sorted.sort_by(f64::total_cmp);
            assert!(
                sorted.windows(2).all(|w| w[1] - w[0] >= 15.0),
                "{wanted:?} became {at:?}"
            );
            assert!(
                at.iter().all(|y| (0.0..=100.0).contains(y)),
                "{wanted:?} became {at:?}"
            );
        }
    }

    #[test]
    fn text_cannot_end_an_element_or_an_attribute() {
        assert_eq!(
            escape("<b a=\"1\">&\u{1b}\u{0}é"),
            "&lt;b a=&quot;1&quot;&gt;&amp;\u{fffd}\u{fffd}é"
        );
    }

    #[test]
    fn a_path_leaves_out_what_cannot_be_seen() {
        let dense = (0..1000).map(|i| (f64::from(i) / 100.0, 5.0));
        let drawn = path(dense);
        assert!(drawn.starts_with("M0.0 5.0L"), "{drawn}");
        assert!(drawn.matches('L').count() < 30, "{drawn}");
        assert_eq!(path([].into_iter()), "");
    }
}
