//! A comparison as text in two columns.

use unicode_width::UnicodeWidthChar;

use crate::sidebyside::pair::compare::Comparison;
use crate::sidebyside::pair::cover::{Cover, percent};
use crate::sidebyside::read::source::Line;
use crate::sidebyside::read::tokens::Language;
use crate::sidebyside::show::check::gaps;
use crate::sidebyside::show::highlight::{Span, TokenKind, highlight, shown};
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

/// Lines of ours after which it is said where the one is that does what a Go line does.
const FAR: usize = 24;

/// Narrowest that code is wrapped to.
const NARROWEST: usize = 16;

/// Prints a comparison. `article` is the name of the text that the listing is in.
pub fn columns(article: &str, comparison: &Comparison, style: Style) -> String {
    let widest = comparison.go.iter().map(|line| width(&shown(&line.text)));
    let mut page = Page {
        colour: style.colour,
        sides: widths(style.width, widest.max().unwrap_or(0)),
        text: String::new(),
    };
    let title = printable(&comparison.listing.title);
    let place = format!("{}:{}", printable(article), comparison.listing.line);
    let heading = format!("{title}  {place}");
    page.heading(heading.trim_start(), 0, &comparison.program.command());

    let mut at = 0;
    for block in blocks(comparison) {
        let rows = match block {
            Block::Path(path) => {
                page.heading("", 0, path);
                continue;
            }
            Block::Later(first, last) => {
                let number = |r: usize| comparison.rust[r].number;
                let lines = format!("... {}-{}: later stages", number(first), number(last));
                page.heading("", NUMBER, &lines);
                continue;
            }
            Block::Ours(first, last) => (first..=last).map(Row::ours).collect(),
            Block::Rows(rows) => rows,
        };
        for row in rows {
            let note = |r| comparison.notes.iter().position(|note| note.first == r);
            let cover = row.go.map(|g| comparison.cover[g]);
            at = row.rust.unwrap_or(at);
            page.row(
                row.go.map(|g| numbered(Language::Go, &comparison.go[g])),
                mark(row.paired, cover, row.rust.and_then(note)),
                row.rust
                    .map(|r| numbered(Language::Rust, &comparison.rust[r])),
            );
            if let Some(Cover::Carried(r)) = cover
                && row.rust.is_none()
                && at.abs_diff(r) > FAR
            {
                let ours = &comparison.rust[r];
                page.heading("", NUMBER, &format!("... {}:{}", ours.path, ours.number));
                at = r;
            }
        }
    }
    let figures = comparison.figures();
    page.text += &format!(
        "\n{} of {} lines matched, {}: paired = {}, done in another line ~ {}, with a note {}, gaps ! {}\n",
        figures.covered(),
        figures.lines(),
        percent(figures.percent()),
        figures.paired,
        figures.carried,
        figures.noted,
        figures.gaps,
    );
    if figures.gaps > 0 {
        page.text += &format!("\ngaps\n{}", gaps(comparison));
    }
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

fn sgr(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Plain => "",
        TokenKind::Keyword => "\x1b[35m",
        TokenKind::Type => "\x1b[36m",
        TokenKind::Function => "\x1b[34m",
        TokenKind::Text => "\x1b[32m",
        TokenKind::Number => "\x1b[33m",
        TokenKind::Comment => DIM,
    }
}

/// The columns that the code of both sides gets, where the `widest` line of the listing has so many.
fn widths(terminal: Option<usize>, widest: usize) -> (usize, usize) {
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
    for (kind, text) in line {
        let mut piece = String::new();
        for c in text.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > columns {
                let last = lines.len() - 1;
                lines[last].push((*kind, std::mem::take(&mut piece)));
                lines.push(vec![(TokenKind::Plain, " ".repeat(indent))]);
                used = indent;
            }
            piece.push(c);
            used += wide;
        }
        let last = lines.len() - 1;
        lines[last].push((*kind, piece));
    }
    lines
}

struct Page {
    colour: bool,
    /// Columns for the code of both sides.
    sides: (usize, usize),
    text: String,
}

/// The number of a line and its code.
type Numbered = (usize, Vec<Span>);

fn numbered(language: Language, line: &Line) -> Numbered {
    (line.number, highlight(language, line))
}

impl Page {
    fn paint(&self, sgr: &str, text: &str) -> String {
        match self.colour && !sgr.is_empty() && !text.trim().is_empty() {
            true => format!("{sgr}{text}{RESET}"),
            false => text.to_owned(),
        }
    }

    /// Adds a line: its left side of so many columns, what comes between, and its right side.
    fn line(&mut self, left: &str, columns: usize, middle: &str, right: &str) {
        let space = " ".repeat((NUMBER + self.sides.0).saturating_sub(columns));
        let line = format!("{left}{space}{middle}{right}");
        self.text.extend([line.trim_end_matches(' '), "\n"]);
    }

    fn heading(&mut self, go: &str, indent: usize, rust: &str) {
        let (left, right) = (self.paint(BOLD, go), self.paint(BOLD, rust));
        let middle = " ".repeat(MIDDLE + indent);
        self.line(&left, width(go), &middle, &right);
    }

    fn row(&mut self, go: Option<Numbered>, mark: (String, &str), rust: Option<Numbered>) {
        let (mark, colour) = mark;
        let wrapped = |side: &Option<Numbered>, columns| match side {
            Some((_, line)) => wrap(line, columns),
            None => Vec::new(),
        };
        let (left, right) = (wrapped(&go, self.sides.0), wrapped(&rust, self.sides.1));
        for i in 0..left.len().max(right.len()) {
            let number =
                |side: &Option<Numbered>| side.as_ref().filter(|_| i == 0).map(|side| side.0);
            let mark = if i == 0 { &mark[..] } else { "" };
            let middle = self.paint(colour, &format!("{mark:>4} "));
            let (left, columns) = self.side(number(&go), left.get(i));
            let (right, _) = self.side(number(&rust), right.get(i));
            self.line(&left, columns, &middle, &right);
        }
    }

    /// A number and code, and how many columns they take.
    fn side(&self, number: Option<usize>, code: Option<&Vec<Span>>) -> (String, usize) {
        let number = number.map_or(String::new(), |number| number.to_string());
        let mut shown = self.paint(DIM, &format!("{number:>4} "));
        let mut columns = NUMBER;
        for (kind, text) in code.into_iter().flatten() {
            columns += width(text);
            shown += &self.paint(sgr(*kind), text);
        }
        (shown, columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, columns: usize) -> Vec<String> {
        let lines = wrap(&[(TokenKind::Plain, text.to_owned())], columns);
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
    fn long_lines_are_wrapped_with_an_indent() {
        assert_eq!(wrapped("  abcdefghij", 8), ["  abcdef", "    ghij"]);
        assert_eq!(wrapped("short", 8), ["short"]);
        assert_eq!(wrapped("", 8), [""]);
    }

    #[test]
    fn the_columns_fit_the_terminal() {
        let (left, right) = widths(Some(100), 60);
        assert_eq!(left + right + 2 * NUMBER + MIDDLE, 100);
        assert_eq!(widths(Some(300), 60).0, 60);
        assert_eq!(widths(None, 60), (60, usize::MAX));
        assert_eq!(widths(Some(3), 60), (NARROWEST, NARROWEST));
    }
}
