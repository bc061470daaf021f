//! A comparison as text in two columns.

use std::collections::BTreeMap;
use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use crate::sidebyside::pair::compare::Comparison;
use crate::sidebyside::pair::cover::Cover;
use crate::sidebyside::read::tokens::Language;
use crate::sidebyside::show::check::gaps;
use crate::sidebyside::show::highlight::{Ink, Span, highlight};
use crate::sidebyside::show::rows::{Block, Row, blocks};
use crate::text::{printable, width};

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; without them, nothing is wrapped.
    pub width: Option<usize>,
    /// Whether to colour.
    pub colour: bool,
}

/// Columns between the two sides: a mark of up to three, with a space on both sides.
const MIDDLE: usize = 5;

/// Columns for a line number and the space after it.
const NUMBER: usize = 5;

/// Narrowest that code is wrapped to.
const NARROWEST: usize = 16;

/// Prints a comparison. `article` is the name of the text that the listing is in.
pub fn columns(article: &str, comparison: &Comparison, style: Style) -> String {
    let go_code = highlight(Language::Go, &comparison.listing.code);
    let sources = comparison.program.sources.iter();
    let files: BTreeMap<&str, Vec<Vec<Span>>> = sources
        .map(|source| (source.path, highlight(Language::Rust, source.text)))
        .collect();
    let sides = widths(style.width, &go_code);
    let mut page = Page {
        style,
        text: String::new(),
    };
    let title = printable(&comparison.listing.title);
    let place = format!("{}:{}", printable(article), comparison.listing.line);
    let heading = format!("{title}  {place}");
    page.heading(sides.0, heading.trim_start(), &comparison.program.command());

    for block in blocks(comparison) {
        let rows = match block {
            Block::Path(path) => {
                page.heading(sides.0, "", path);
                continue;
            }
            Block::Later(first, last) => {
                let number = |r: usize| comparison.rust[r].number;
                let lines = format!("... {}-{}: later stages", number(first), number(last));
                page.heading(sides.0 + NUMBER, "", &lines);
                continue;
            }
            Block::Ours(first, last) => (first..=last).map(Row::ours).collect(),
            Block::Rows(rows) => rows,
        };
        for row in rows {
            let rust = row.rust.map(|r| &comparison.rust[r]);
            let note = |r| comparison.notes.iter().position(|note| note.first == r);
            let cover = row.go.map(|g| comparison.cover[g]);
            page.row(
                sides,
                row.go.map(|g| (comparison.go[g].number, &go_code[g][..])),
                mark(row.paired, cover, row.rust.and_then(note)),
                rust.map(|r| (r.number, &files[r.path][r.number - 1][..])),
            );
        }
    }
    page.footer(comparison);
    page.text
}

/// What stands between the two sides, and its colour.
fn mark(paired: bool, cover: Option<Cover>, note: Option<usize>) -> (String, &'static str) {
    match (cover, note) {
        _ if paired => ("=".to_owned(), GREEN),
        (Some(Cover::Carried(_)), _) => ("~".to_owned(), GREEN),
        (Some(Cover::Gap), _) => ("!".to_owned(), RED),
        (Some(Cover::Noted(note)), _) | (_, Some(note)) => ((note + 1).to_string(), YELLOW),
        _ => (String::new(), ""),
    }
}

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[33m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const RESET: &str = "\x1b[0m";

fn sgr(ink: Ink) -> &'static str {
    match ink {
        Ink::Plain => "",
        Ink::Keyword => "\x1b[35m",
        Ink::Type => "\x1b[36m",
        Ink::Function => "\x1b[34m",
        Ink::Text => "\x1b[32m",
        Ink::Number => "\x1b[33m",
        Ink::Comment => DIM,
    }
}

/// The columns that the code of both sides gets.
fn widths(terminal: Option<usize>, go: &[Vec<Span>]) -> (usize, usize) {
    let widest = go
        .iter()
        .map(|line| line.iter().map(|(_, text)| width(text)).sum());
    let widest: usize = widest.max().unwrap_or(0);
    match terminal {
        // Both sides alike, but the left no wider than its code: ours has the longer lines.
        Some(columns) => {
            let code = columns.saturating_sub(2 * NUMBER + MIDDLE);
            let left = widest.min(code / 2).max(NARROWEST);
            (left, code.saturating_sub(left).max(NARROWEST))
        }
        None => (widest, usize::MAX),
    }
}

/// Breaks a line where it is too long. What goes on is indented two more than the line.
fn wrap(line: &[Span], columns: usize) -> Vec<Vec<Span>> {
    let text: String = line.iter().map(|(_, text)| text.as_str()).collect();
    let indent = text.len() - text.trim_start_matches(' ').len() + 2;
    let indent = indent.min(columns / 2);
    let mut lines = vec![Vec::new()];
    let mut used = 0;
    for (ink, text) in line {
        let mut piece = String::new();
        for c in text.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > columns {
                let last = lines.len() - 1;
                lines[last].push((*ink, std::mem::take(&mut piece)));
                lines.push(vec![(Ink::Plain, " ".repeat(indent))]);
                used = indent;
            }
            piece.push(c);
            used += wide;
        }
        let last = lines.len() - 1;
        lines[last].push((*ink, piece));
    }
    lines
}

struct Page {
    style: Style,
    text: String,
}

impl Page {
    fn inked(&mut self, sgr: &str, text: &str) {
        if self.style.colour && !sgr.is_empty() && !text.is_empty() {
            self.text.extend([sgr, text, RESET]);
        } else {
            self.text.push_str(text);
        }
    }

    fn space(&mut self, columns: usize) {
        self.text.extend(std::iter::repeat_n(' ', columns));
    }

    fn end_line(&mut self) {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        self.text.push('\n');
    }

    fn heading(&mut self, left: usize, go: &str, rust: &str) {
        let columns = NUMBER + left + MIDDLE;
        self.inked(BOLD, go);
        self.space(columns.saturating_sub(width(go)).max(1));
        self.inked(BOLD, rust);
        self.end_line();
    }

    fn row(
        &mut self,
        (left, right): (usize, usize),
        go: Option<(usize, &[Span])>,
        (mark, colour): (String, &str),
        rust: Option<(usize, &[Span])>,
    ) {
        let numbers = (go.map(|(n, _)| n), rust.map(|(n, _)| n));
        let go = go.map_or_else(Vec::new, |(_, line)| wrap(line, left));
        let rust = rust.map_or_else(Vec::new, |(_, line)| wrap(line, right));
        for i in 0..go.len().max(rust.len()) {
            self.number(numbers.0.filter(|_| i == 0));
            let used = self.code(go.get(i));
            self.space(left - used.min(left));
            let mark = if i == 0 { mark.as_str() } else { "" };
            self.space(MIDDLE - 1 - mark.len().min(MIDDLE - 1));
            self.inked(colour, mark);
            self.space(1);
            if rust.get(i).is_some() {
                self.number(numbers.1.filter(|_| i == 0));
                self.code(rust.get(i));
            }
            self.end_line();
        }
    }

    fn number(&mut self, number: Option<usize>) {
        let text = number.map_or_else(String::new, |n| n.to_string());
        self.space((NUMBER - 1).saturating_sub(text.len()));
        self.inked(DIM, &text);
        self.space(1);
    }

    /// Prints a piece of code and returns the columns it took.
    fn code(&mut self, line: Option<&Vec<Span>>) -> usize {
        let mut used = 0;
        for (ink, text) in line.into_iter().flatten() {
            used += width(text);
            self.inked(sgr(*ink), text);
        }
        used
    }

    fn footer(&mut self, comparison: &Comparison) {
        let figures = comparison.figures();
        writeln!(
            self.text,
            "\n{} of {} lines matched, {}: {} paired =, {} done by Rust itself ~, {} with a note, {} gaps !",
            figures.covered(),
            figures.lines(),
            figures.shown(),
            figures.paired,
            figures.carried,
            figures.noted,
            figures.gaps,
        )
        .expect("a string takes it");
        if figures.gaps > 0 {
            self.text.push_str("\ngaps\n");
            self.text.push_str(&gaps(comparison));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, columns: usize) -> Vec<String> {
        let lines = wrap(&[(Ink::Plain, text.to_owned())], columns);
        lines
            .into_iter()
            .map(|l| l.into_iter().map(|(_, text)| text).collect())
            .collect()
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(width("a消息"), 5);
        assert_eq!(wrapped("消息消息", 5), ["消息", "  消", "  息"]);
    }

    #[test]
    fn long_lines_go_on_indented() {
        assert_eq!(wrapped("  abcdefghij", 8), ["  abcdef", "    ghij"]);
        assert_eq!(wrapped("short", 8), ["short"]);
        assert_eq!(wrapped("", 8), [""]);
    }

    #[test]
    fn the_columns_fit_the_terminal() {
        let go = vec![vec![(Ink::Plain, "x".repeat(60))]];
        let (left, right) = widths(Some(100), &go);
        assert_eq!(left + right + 2 * NUMBER + MIDDLE, 100);
        assert_eq!(widths(Some(300), &go).0, 60);
        assert_eq!(widths(None, &go), (60, usize::MAX));
        assert_eq!(widths(Some(3), &go), (NARROWEST, NARROWEST));
    }
}
