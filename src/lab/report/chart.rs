//! One chart, in the page or as a file of its own.

use crate::lab::report::axis::Axis;
use crate::lab::report::plot::{self, Series};
use crate::lab::report::words;
use crate::lab::results::metric::Metric;
use crate::lab::results::record::{Point, Record};
use crate::text::escape;

/// Colours and fonts of every chart, light and dark.
pub(crate) const STYLE: &str = include_str!("chart.css");

/// One chart.
pub struct Chart {
    /// A name for files and anchors: `deliveries`.
    pub name: &'static str,
    /// What is drawn.
    pub title: String,
    /// The chart, or the reason why there is none.
    pub drawing: Result<Drawing, String>,
}

/// A chart that could be drawn.
pub struct Drawing {
    /// What it shows, in words and figures.
    pub finding: String,
    /// An `svg` element, for a page that has the charts' style sheet.
    pub svg: String,
}

impl Chart {
    /// A chart that is not drawn, because nothing in the record has this figure.
    pub(crate) fn absent(
        name: &'static str,
        title: String,
        record: &Record,
        metric: &Metric,
    ) -> Chart {
        let drawing = Err(words::absent(record, metric));
        Chart {
            name,
            title,
            drawing,
        }
    }

    /// A chart of lines.
    pub(crate) fn drawn(
        name: &'static str,
        title: String,
        finding: String,
        (x, y): (&Axis, &Axis),
        series: &[Series],
    ) -> Chart {
        let svg = plot::lines(&format!("{title}. {finding}"), x, y, series);
        let drawing = Ok(Drawing { finding, svg });
        Chart {
            name,
            title,
            drawing,
        }
    }

    /// The chart as a file of its own, with its title and its style; none if it is absent.
    pub fn file(&self) -> Option<String> {
        const MARGIN: f64 = 14.0;
        const TITLE: f64 = 24.0;
        let drawing = self.drawing.as_ref().ok()?;
        let (width, height) = plot::size(&drawing.svg)?;
        let (outer_width, outer_height) = (width + 2.0 * MARGIN, height + 2.0 * MARGIN + TITLE);
        let (left, top) = (-MARGIN, -MARGIN - TITLE);
        let spoken = escape(&format!("{}. {}", self.title, drawing.finding));
        let place = format!("<svg width=\"{width}\" height=\"{height}\" ");
        Some(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" \
             width=\"{:.0}\" height=\"{:.0}\" \
             viewBox=\"{left} {top} {outer_width} {outer_height}\" \
             role=\"img\" aria-label=\"{spoken}\">\n<style>\n{STYLE}</style>\n\
             <rect class=\"page\" x=\"{left}\" y=\"{top}\" \
             width=\"{outer_width}\" height=\"{outer_height}\"/>\n\
             <text class=\"title\" x=\"0\" y=\"-14\">{}</text>\n{}</svg>\n",
            outer_width * 1.5,
            outer_height * 1.5,
            escape(&self.title),
            drawing.svg.replacen("<svg ", &place, 1),
        ))
    }
}

/// What each server has at the largest number of clients where any has it.
pub(crate) fn at_largest<'a, T>(
    record: &'a Record,
    of: impl Fn(&'a Point) -> Option<T>,
) -> Option<(usize, Vec<Option<T>>)> {
    record
        .client_counts()
        .into_iter()
        .rev()
        .find_map(|clients| {
            let servers = record.servers.iter();
            let all: Vec<_> = servers
                .map(|server| of(record.point(server, clients)?))
                .collect();
            all.iter().any(Option::is_some).then_some((clients, all))
        })
}

/// `a 5; b not measured.`
pub(crate) fn of_each<T>(
    record: &Record,
    all: &[Option<T>],
    text: impl Fn(&T) -> String,
) -> String {
    let all = record.servers.iter().zip(all);
    let parts = all.map(|(server, one)| {
        let text = one.as_ref().map_or("not measured".to_owned(), &text);
        format!("{server} {text}")
    });
    parts.collect::<Vec<_>>().join("; ") + "."
}
