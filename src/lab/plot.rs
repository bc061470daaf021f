//! Drawing: axes, lines and bars as SVG. It knows nothing of load tests; [`super::charts`] does.
//!
//! Nothing here names a colour or a font: every element has a class, and `chart.css` gives each
//! class its look in light and in dark mode.

use std::fmt::Write;

use super::axis::Axis;
use super::metric::Unit;
use super::stats::Figure;

/// Width of a chart in its own units; narrow, so that its text can still be read on a phone.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 272.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 40.0;
const LINE_HEIGHT: f64 = 15.0;
/// Colours in `chart.css`; what comes after them begins again with a dashed line.
pub(super) const COLOURS: usize = 4;

/// What one server contributes to a chart.
pub(super) struct Series {
    pub(super) name: String,
    /// Its place among all servers: the same colour and mark in every chart.
    pub(super) place: usize,
    /// The line, in data units.
    pub(super) line: Vec<(f64, f64)>,
    /// The points to be marked.
    pub(super) marks: Vec<Mark>,
}

/// A marked point, with its spread as an error bar.
pub(super) struct Mark {
    pub(super) x: f64,
    pub(super) y: Figure,
    /// What the pointer sees.
    pub(super) tip: String,
}

impl Series {
    fn class(&self) -> String {
        let dash = if self.place >= COLOURS { " dashed" } else { "" };
        format!("series c{}{dash}", self.place % COLOURS)
    }
}

/// Text for use in XML and HTML, between tags and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no way to write most control characters.
            c if c.is_control() && c != '\n' => out.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
        out
    })
}

/// The room a text takes, generously: fonts differ.
fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * 7.4
}

/// A name that fits beside a chart.
fn short(name: &str) -> String {
    if name.chars().count() <= 14 {
        return name.to_owned();
    }
    name.chars().take(13).chain(['…']).collect()
}

fn open(height: f64, spoken: &str) -> String {
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-label=\"{}\">\n",
        escape(spoken)
    )
}

/// Width and height of a chart, in its own units.
pub(super) fn size(svg: &str) -> Option<(f64, f64)> {
    let view = svg.split_once("viewBox=\"0 0 ")?.1.split('"').next()?;
    let (width, height) = view.split_once(' ')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// A filled shape around a point: circle, square, diamond, triangle in turn.
fn mark(out: &mut String, place: usize, x: f64, y: f64, tip: &str) {
    let shape = match place % 4 {
        0 => "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
        1 => "m-3.6-3.6h7.2v7.2h-7.2z",
        2 => "m0-4.9l4.9 4.9l-4.9 4.9l-4.9-4.9z",
        _ => "m0-4.8l4.5 8h-9z",
    };
    let tip = escape(tip);
    let _ = writeln!(
        out,
        "<path class=\"mark\" d=\"M{x:.1} {y:.1}{shape}\"><title>{tip}</title></path>"
    );
}

/// A line through points; those nearer than the eye can tell to the one before are left out.
fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut out = String::new();
    let mut last = (f64::NEG_INFINITY, 0.0);
    for (x, y) in points {
        if (x - last.0).abs() > 0.4 || (y - last.1).abs() > 0.4 {
            let _ = write!(
                out,
                "{}{x:.1} {y:.1}",
                if out.is_empty() { "M" } else { "L" }
            );
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

/// A chart of lines, each named at its end.
pub(super) fn lines(spoken: &str, x: &Axis, y: &Axis, series: &[Series]) -> String {
    let widest = |texts: &mut dyn Iterator<Item = f64>| texts.fold(0.0, f64::max);
    let left = widest(&mut y.ticks.iter().map(|t| text_width(&t.1))) + 8.0;
    let right = WIDTH - widest(&mut series.iter().map(|s| text_width(&short(&s.name)))) - 14.0;
    let bottom = HEIGHT - BOTTOM;
    let at_x = |v: f64| left + (right - left) * x.fraction(v);
    let at_y = |v: f64| bottom - (bottom - TOP) * y.fraction(v);

    let mut out = open(HEIGHT, spoken);
    for (value, text) in &y.ticks {
        let at = at_y(*value);
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"M{left:.1} {at:.1}H{right:.1}\"/>\
             <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 6.0,
            at + 4.0,
            escape(text)
        );
    }
    let _ = writeln!(
        out,
        "<path class=\"base\" d=\"M{left:.1} {bottom:.1}H{right:.1}\"/>"
    );
    let mut free = f64::INFINITY;
    // From the right, so that of two ticks that collide the larger keeps its label.
    for (value, text) in x.ticks.iter().rev() {
        let at = at_x(*value);
        let half = text_width(text) / 2.0;
        let _ = writeln!(out, "<path class=\"base\" d=\"M{at:.1} {bottom:.1}v4\"/>");
        if at + half > free {
            continue;
        }
        free = at - half - 4.0;
        let _ = writeln!(
            out,
            "<text class=\"tick\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 17.0,
            escape(text)
        );
    }
    let _ = writeln!(
        out,
        "<text class=\"label\" x=\"0\" y=\"11\">{}</text>\
         <text class=\"label\" x=\"{right:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        escape(&y.label),
        HEIGHT - 5.0,
        escape(&x.label)
    );

    let ends: Vec<(f64, f64)> = series
        .iter()
        .map(|s| {
            s.line
                .last()
                .map_or((right, bottom), |(x, y)| (at_x(*x), at_y(*y)))
        })
        .collect();
    let mut names: Vec<f64> = ends.iter().map(|(_, y)| *y).collect();
    apart(&mut names, LINE_HEIGHT, TOP, bottom - 4.0);
    for ((s, end), name) in series.iter().zip(&ends).zip(&names) {
        let _ = writeln!(out, "<g class=\"{}\">", s.class());
        let path = path(s.line.iter().map(|(x, y)| (at_x(*x), at_y(*y))));
        let _ = writeln!(out, "<path class=\"line\" d=\"{path}\"/>");
        for m in &s.marks {
            let x = at_x(m.x);
            let (low, high) = (at_y(m.y.low), at_y(m.y.high));
            if low - high > 1.0 {
                let _ = writeln!(
                    out,
                    "<path class=\"spread\" d=\"M{x:.1} {low:.1}V{high:.1}m-3 0h6M{:.1} {low:.1}h6\"/>",
                    x - 3.0
                );
            }
            mark(&mut out, s.place, x, at_y(m.y.median), &m.tip);
        }
        if (name - end.1).abs() > 4.0 || right - end.0 > 20.0 {
            let _ = writeln!(
                out,
                "<path class=\"leader\" d=\"M{:.1} {:.1}L{:.1} {name:.1}\"/>",
                end.0 + 6.0,
                end.1,
                right + 6.0
            );
        }
        let _ = writeln!(
            out,
            "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n</g>",
            right + 9.0,
            name + 4.0,
            escape(&short(&s.name))
        );
    }
    out.push_str("</svg>\n");
    out
}

/// A chart of one bar a series, from the first mark of each; the axis is linear and has zero.
pub(super) fn bars(spoken: &str, axis: &Axis, unit: Unit, series: &[Series]) -> String {
    const ROW: f64 = 46.0;
    let values: Vec<String> = series
        .iter()
        .map(|s| {
            s.marks
                .first()
                .map_or(String::new(), |m| unit.show(m.y.median))
        })
        .collect();
    let widest = values.iter().map(|v| text_width(v)).fold(0.0, f64::max);
    let right = WIDTH - widest - 12.0;
    let at = |v: f64| 1.0 + (right - 1.0) * axis.fraction(v);
    let bottom = 18.0 + ROW * series.len() as f64;

    let mut out = open(bottom + 6.0, spoken);
    let _ = writeln!(
        out,
        "<text class=\"label\" x=\"0\" y=\"11\">{}</text>\
         <path class=\"base\" d=\"M{:.1} 18V{bottom:.1}\"/>",
        escape(&axis.label),
        at(0.0)
    );
    for ((row, s), value) in series.iter().enumerate().zip(&values) {
        let Some(m) = s.marks.first() else { continue };
        let y = 18.0 + ROW * row as f64;
        let (from, to) = (at(m.y.median.min(0.0)), at(m.y.median.max(0.0)));
        let (low, high) = (at(m.y.low), at(m.y.high));
        let middle = y + 30.0;
        let _ = writeln!(
            out,
            "<g class=\"{}\"><text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\
             <rect class=\"bar mark\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"18\">\
             <title>{}</title></rect>",
            s.class(),
            at(0.0) + 5.0,
            y + 16.0,
            escape(&s.name),
            y + 21.0,
            (to - from).max(1.0),
            escape(&m.tip)
        );
        if high - low > 1.0 {
            let _ = writeln!(
                out,
                "<path class=\"spread over\" d=\"M{low:.1} {middle:.1}H{high:.1}m0-4v8M{low:.1} {:.1}v8\"/>",
                middle - 4.0
            );
        }
        let _ = writeln!(
            out,
            "<text class=\"value\" x=\"{:.1}\" y=\"{:.1}\">{value}</text></g>",
            high.max(to) + 7.0,
            middle + 4.0
        );
    }
    out.push_str("</svg>\n");
    out
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
