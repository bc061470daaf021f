//! Drawing: axes, lines and bars as SVG. It knows nothing of load tests; [`super::charts`] does.
//!
//! Nothing here names a colour or a font: every element has a class, and `chart.css` gives each
//! class its look in light and in dark mode.

use std::fmt::Write;

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

/// From data units to a fraction of the axis, with the ticks to be labelled.
pub(super) struct Axis {
    label: String,
    log: bool,
    from: f64,
    to: f64,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis from zero (or from below it, where there is something) to at least `high`.
    pub(super) fn linear(label: &str, unit: Unit, low: f64, high: f64) -> Axis {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let span = if high > low { high - low } else { 1.0 };
        let step = nice_step(span / 4.5, unit);
        let first = (low / step).floor() as i64;
        let last = ((low + span) / step).ceil() as i64;
        Axis {
            label: label.to_owned(),
            log: false,
            from: first as f64 * step,
            to: last as f64 * step,
            ticks: (first..=last)
                .map(|i| (i as f64 * step, unit.show(i as f64 * step)))
                .collect(),
        }
    }

    /// A logarithmic axis that holds everything from `low` to `high`; what is less than a millionth
    /// stands at a millionth.
    pub(super) fn log(label: &str, unit: Unit, low: f64, high: f64) -> Axis {
        let low = low.max(1e-6);
        let high = high.max(low * 2.0);
        let steps: Vec<f64> = (-6..15)
            .flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(decade)))
            .collect();
        let from = *steps.iter().rev().find(|s| **s <= low).unwrap_or(&low);
        let to = *steps.iter().find(|s| **s >= high).unwrap_or(&high);
        let decades_only = to / from > 200.0;
        let is_decade = |s: f64| (s.log10() - s.log10().round()).abs() < 1e-9;
        Axis {
            label: label.to_owned(),
            log: true,
            from,
            to,
            ticks: steps
                .into_iter()
                .filter(|s| *s >= from && *s <= to && (!decades_only || is_decade(*s)))
                .map(|s| (s, unit.show(s)))
                .collect(),
        }
    }

    /// An axis with these ticks and a little room on both sides, logarithmic where they span a
    /// decade or more.
    pub(super) fn through(label: &str, ticks: Vec<(f64, String)>) -> Axis {
        let first = ticks.first().map_or(1.0, |t| t.0).max(1.0);
        let last = ticks.last().map_or(1.0, |t| t.0).max(first);
        let log = last >= first * 10.0;
        let (from, to) = if log {
            let room = (last / first).powf(0.04);
            (first / room, last * room)
        } else {
            let room = ((last - first) * 0.04).max(0.5);
            (first - room, last + room)
        };
        let scale = if log { ", log scale" } else { "" };
        Axis {
            label: format!("{label}{scale}"),
            log,
            from,
            to,
            ticks,
        }
    }

    /// A logarithmic axis from 1 to `end` with these ticks.
    pub(super) fn nines(label: &str, ticks: Vec<(f64, String)>, end: f64) -> Axis {
        Axis {
            label: label.to_owned(),
            log: true,
            from: 1.0,
            to: end,
            ticks,
        }
    }

    fn fraction(&self, value: f64) -> f64 {
        let value = value.clamp(self.from, self.to);
        if self.log {
            (value / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        }
    }
}

/// The smallest of 1, 2, 5 times a power of ten (of a binary unit, for bytes) that is not below.
fn nice_step(least: f64, unit: Unit) -> f64 {
    let base = match unit {
        Unit::Bytes if least >= 1.0 => 1024f64.powf(least.log(1024.0).floor()),
        _ => 1.0,
    };
    let magnitude = 10f64.powf((least / base).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * magnitude * base)
        .into_iter()
        .find(|step| *step >= least * 0.999)
        .unwrap_or(magnitude * base * 10.0)
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
    text.chars().count() as f64 * 6.9
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
