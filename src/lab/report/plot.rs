//! Drawing: axes and lines as SVG. It knows nothing of load tests; [`crate::lab::report::charts`] does.
//!
//! Nothing here names a colour or a font: every element has a class, and `chart.css` gives each
//! class its look in light and in dark mode. Each series has its mark and its dashes besides its
//! colour.

use crate::lab::report::axis::Axis;
use crate::text::{escape, width};

/// Width of a chart in its own units; narrow, so that its text can still be read on a phone.
pub const WIDTH: f64 = 420.0;
pub const HEIGHT: f64 = 272.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = HEIGHT - 40.0;
const LINE_HEIGHT: f64 = 15.0;

/// A mark for each server; as many have colours and dashes in `chart.css`. Those after them begin again.
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

/// A chart, before it is drawn.
pub struct Plot {
    /// What it shows, in words and figures.
    pub finding: String,
    pub x: Axis,
    pub y: Axis,
    /// What each server contributes, in the order of all servers: it has the same colour and mark in
    /// every chart.
    pub series: Vec<Option<Series>>,
}

/// What one server contributes to a chart, in data units.
pub struct Series {
    pub line: Vec<(f64, f64)>,
    /// The points to be marked.
    pub marks: Vec<Mark>,
}

/// A marked point.
pub struct Mark {
    pub x: f64,
    /// The value, between the ends of its error bar.
    pub y: [f64; 3],
    /// What the pointer sees.
    pub tip: String,
}

/// The lowest and the highest x, and those of y; none where there is nothing.
pub fn bounds<'a>(all: impl IntoIterator<Item = &'a Option<Series>>) -> Option<[(f64, f64); 2]> {
    let points = all
        .into_iter()
        .flatten()
        .flat_map(|Series { line, marks }| {
            let bars = marks.iter().flat_map(|mark| mark.y.map(|y| (mark.x, y)));
            line.iter().copied().chain(bars)
        });
    let corners = points.map(|(x, y)| [(x, x), (y, y)]);
    let wider = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.max(b.1));
    corners.reduce(|a, b| [wider(a[0], b[0]), wider(a[1], b[1])])
}

/// The class of what belongs to a server.
pub fn class(place: usize) -> String {
    format!("c{}", place % SHAPES.len())
}

/// A server's mark by itself, for beside its name.
pub fn key(place: usize) -> String {
    let shape = SHAPES[place % SHAPES.len()];
    format!(
        "<svg class=\"chart key\" viewBox=\"-6 -6 12 12\" aria-hidden=\"true\">\
         <path class=\"mark\" d=\"M0 0{shape}\"/></svg>"
    )
}

/// The room a text takes, generously: fonts differ.
fn text_width(text: &str) -> f64 {
    width(text) as f64 * 7.4
}

fn widest<'a>(texts: impl IntoIterator<Item = &'a String>) -> f64 {
    let widths = texts.into_iter().map(|text| text_width(text));
    widths.fold(0.0, f64::max)
}

/// A line through points; those nearer than the eye can tell to the one before are left out.
fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut out = String::new();
    let mut last = (f64::NEG_INFINITY, 0.0);
    for (x, y) in points {
        if (x - last.0).abs() > 0.4 || (y - last.1).abs() > 0.4 {
            let to = if out.is_empty() { "M" } else { "L" };
            out += &format!("{to}{x:.1} {y:.1}");
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

fn draw(class: &str, path: &str) -> String {
    format!("<path class=\"{class}\" d=\"{path}\"/>\n")
}

fn text(class: &str, (x, y): (f64, f64), anchor: &str, text: &str) -> String {
    let text = escape(text);
    let place = format!("x=\"{x:.1}\" y=\"{y:.1}\"");
    format!("<text class=\"{class}\" {place} text-anchor=\"{anchor}\">{text}</text>\n")
}

impl Plot {
    /// Draws the lines of the servers with these names, each named at its end.
    pub fn draw(&mut self, spoken: &str, names: &[String]) -> String {
        let left = widest(self.y.ticks.iter().map(|(_, text)| text)) + 8.0;
        let right = WIDTH - widest(names) - 14.0;
        (self.x.span, self.y.span) = ((left, right), (BOTTOM, TOP));
        let series = self.series.iter().enumerate();
        let series = series.filter_map(|(place, series)| Some((place, series.as_ref()?)));
        let series: Vec<(usize, &Series)> = series.collect();
        let mut heights: Vec<f64> = series.iter().map(|(_, s)| self.end(s).1).collect();
        apart(&mut heights, LINE_HEIGHT, TOP, BOTTOM - 4.0);
        // Error bars at one place would hide each other, so the servers stand side by side there.
        let is_bar = |mark: &Mark| mark.y[0] < mark.y[2];
        let has_bars = series.iter().any(|(_, s)| s.marks.iter().any(is_bar));
        let count = series.len() as f64;
        let step = match self.x.ticks.len() {
            1 => (right - left) / (count + 1.0),
            _ if has_bars => (12.0 / count).min(4.0),
            _ => 0.0,
        };

        let mut out = format!(
            "<svg class=\"chart\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             role=\"img\" aria-label=\"{}\">\n{}",
            escape(spoken),
            self.axes()
        );
        for (i, (place, series)) in series.into_iter().enumerate() {
            let aside = step * (i as f64 - (count - 1.0) / 2.0);
            out += &format!("<g class=\"series {}\">\n", class(place));
            out += &self.marked_line(series, SHAPES[place % SHAPES.len()], aside);
            let (x, y) = self.end(series);
            let height = heights[i];
            if (height - y).abs() > 4.0 || right - x > 20.0 {
                let (from, to) = (x + aside + 6.0, right + 6.0);
                let leader = format!("M{from:.1} {y:.1}L{to:.1} {height:.1}");
                out += &draw("leader", &leader);
            }
            out += &text("name", (right + 9.0, height + 4.0), "start", &names[place]);
            out += "</g>\n";
        }
        out + "</svg>\n"
    }

    /// Where the line of a series ends.
    fn end(&self, series: &Series) -> (f64, f64) {
        let (x, y) = series.line.last().expect("a line has points");
        (self.x.at(*x), self.y.at(*y))
    }

    fn axes(&self) -> String {
        let (left, right) = self.x.span;
        let mut out = String::new();
        for (value, tick) in &self.y.ticks {
            let at = self.y.at(*value);
            out += &draw("grid", &format!("M{left:.1} {at:.1}H{right:.1}"));
            out += &text("tick", (left - 6.0, at + 4.0), "end", tick);
        }
        out += &draw("base", &format!("M{left:.1} {BOTTOM:.1}H{right:.1}"));
        let mut free = f64::INFINITY;
        // From the right, so that of two ticks that collide the larger keeps its label.
        for (value, tick) in self.x.ticks.iter().rev() {
            let at = self.x.at(*value);
            let half = text_width(tick) / 2.0;
            out += &draw("base", &format!("M{at:.1} {BOTTOM:.1}v4"));
            if at + half <= free {
                free = at - half - 4.0;
                out += &text("tick", (at, BOTTOM + 17.0), "middle", tick);
            }
        }
        out += &text("label", (0.0, 11.0), "start", &self.y.label);
        out + &text("label", (right, HEIGHT - 5.0), "end", &self.x.label)
    }

    /// A line and its marks, moved aside by so much.
    fn marked_line(&self, Series { line, marks }: &Series, shape: &str, aside: f64) -> String {
        let points = line.iter();
        let points = points.map(|(x, y)| (self.x.at(*x) + aside, self.y.at(*y)));
        let mut out = draw("line", &path(points));
        for mark in marks {
            let x = self.x.at(mark.x) + aside;
            let [low, y, high] = mark.y.map(|y| self.y.at(y));
            if low - high > 1.0 {
                let foot = x - 3.0;
                let bar = format!("M{x:.1} {low:.1}V{high:.1}m-3 0h6M{foot:.1} {low:.1}h6");
                out += &draw("spread", &bar);
            }
            let (place, tip) = (format!("M{x:.1} {y:.1}"), escape(&mark.tip));
            out +=
                &format!("<path class=\"mark\" d=\"{place}{shape}\"><title>{tip}</title></path>\n");
        }
        out
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
