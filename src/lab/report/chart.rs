//! One chart, in the page or as a file of its own.

use crate::lab::report::plot::{HEIGHT, WIDTH};
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
    /// The chart as a file of its own, with its title and its style; none if it is absent.
    pub fn file(&self) -> Option<String> {
        const MARGIN: f64 = 14.0;
        const TITLE: f64 = 24.0;
        let Drawing { finding, svg } = self.drawing.as_ref().ok()?;
        let (left, top) = (-MARGIN, -MARGIN - TITLE);
        let (width, height) = (WIDTH + 2.0 * MARGIN, HEIGHT + 2.0 * MARGIN + TITLE);
        let title = escape(&self.title);
        Some(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" \
             width=\"{:.0}\" height=\"{:.0}\" viewBox=\"{left} {top} {width} {height}\" \
             role=\"img\" aria-label=\"{title}. {}\">\n<style>\n{STYLE}</style>\n\
             <rect class=\"page\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/>\n\
             <text class=\"title\" x=\"0\" y=\"-14\">{title}</text>\n{svg}</svg>\n",
            width * 1.5,
            height * 1.5,
            escape(finding),
        ))
    }
}
