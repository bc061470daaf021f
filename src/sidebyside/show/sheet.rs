//! The lines of a page: both sides, their anchors, and the notes and gaps below them.

use crate::sidebyside::pair::compare::{Comparison, Cover};
use crate::sidebyside::read::tokens::Language;
use crate::sidebyside::show::highlight::{Ink, Span, highlight};
use crate::sidebyside::show::hunks::{Block, declared};
use crate::sidebyside::show::rows::Row;
use crate::sidebyside::show::terminal::printable;
use crate::text::escape;

/// A page's lines, coloured.
pub(crate) struct Sheet<'a> {
    comparison: &'a Comparison,
    go: Vec<Vec<Span>>,
    rust: Vec<(&'static str, Vec<Vec<Span>>)>,
}

impl<'a> Sheet<'a> {
    /// Colours both sides.
    pub(crate) fn new(comparison: &'a Comparison) -> Sheet<'a> {
        let sources = comparison.program.sources.iter();
        Sheet {
            comparison,
            go: highlight(Language::Go, &comparison.listing.code),
            rust: sources
                .map(|s| (s.path, highlight(Language::Rust, s.text)))
                .collect(),
        }
    }

    /// Writes a block.
    pub(crate) fn block(&self, block: &Block, body: &mut String) {
        match block {
            Block::Path(path) => {
                body.push_str(&format!(
                    "<div class=\"path-row\"><div class=\"path\">{path}</div></div>\n"
                ));
            }
            Block::Fold(lines) => {
                let number = |r: usize| self.comparison.rust[r].line.number;
                let (first, last) = (number(lines.start), number(lines.end - 1));
                let declared = escape(&declared(self.comparison, lines.clone()));
                body.push_str(&format!("<details class=\"fold\"><summary>{first}–{last}, ours alone: {declared}</summary>\n"));
                for r in lines.clone() {
                    self.rust_line(r, 0, body);
                }
                body.push_str("</details>\n");
            }
            Block::Hunk(rows) => self.hunk(rows, body),
        }
    }

    /// The listing's lines first, then ours: on a narrow screen they stand in that order, on a wide one
    /// each in its row.
    fn hunk(&self, rows: &[Row], body: &mut String) {
        body.push_str("<div class=\"hunk\">\n");
        for (i, row) in rows.iter().enumerate() {
            if let Some(g) = row.go {
                self.go_line(g, i + 1, body);
            }
        }
        for (i, row) in rows.iter().enumerate() {
            if let Some(r) = row.rust {
                self.rust_line(r, i + 1, body);
            }
        }
        body.push_str("</div>\n");
    }

    fn go_line(&self, g: usize, row: usize, body: &mut String) {
        let number = self.comparison.go[g].number;
        let (class, with, mark) = match self.comparison.cover[g] {
            Cover::None => ("", None, String::new()),
            Cover::Paired(r) => (" paired", Some(format!("l{r}")), String::new()),
            Cover::Carried(r) => (
                " carried",
                Some(format!("l{r}")),
                "<span class=\"mark\" title=\"Rust does it by itself\">~</span>".to_owned(),
            ),
            Cover::Noted(n) => (" noted", Some(format!("n{n}")), note_mark(n)),
            Cover::Gap => (
                " gap",
                None,
                "<span class=\"mark\" title=\"a gap: nothing of ours, and no note\">!</span>"
                    .to_owned(),
            ),
        };
        let id = format!("go-{number}");
        line(
            body,
            &format!("go{class}"),
            &id,
            number,
            with,
            row,
            &self.go[g],
            &mark,
        );
    }

    fn rust_line(&self, r: usize, row: usize, body: &mut String) {
        let ours = &self.comparison.rust[r];
        let notes = &self.comparison.notes;
        let note = notes
            .iter()
            .position(|note| (note.first..=note.last).contains(&r));
        let has = |cover: &Cover| matches!(cover, Cover::Paired(l) | Cover::Carried(l) if *l == r);
        let partner = self
            .comparison
            .cover
            .iter()
            .any(has)
            .then(|| format!("l{r}"));
        let (class, with, mark) = match note {
            Some(n) if notes[n].first == r => (" note", Some(format!("n{n}")), note_mark(n)),
            Some(n) => (" note", Some(format!("n{n}")), String::new()),
            None => ("", partner, String::new()),
        };
        let (_, lines) = self
            .rust
            .iter()
            .find(|(path, _)| *path == ours.path)
            .expect("its file");
        let id = format!("{}-{}", slug(ours.path), ours.line.number);
        let spans = &lines[ours.line.number - 1];
        line(
            body,
            &format!("rust{class}"),
            &id,
            ours.line.number,
            with,
            row,
            spans,
            &mark,
        );
    }

    /// The notes and the gaps, with links to where they are.
    pub(crate) fn ends(&self, body: &mut String) {
        let comparison = self.comparison;
        body.push_str("<section class=\"text ends\">\n");
        if !comparison.notes.is_empty() {
            body.push_str("<h2 id=\"notes\">Notes</h2>\n<ol>\n");
        }
        for (n, note) in comparison.notes.iter().enumerate() {
            let ours = &comparison.rust[note.explains];
            let (path, number) = (ours.path, ours.line.number);
            let covered = comparison.cover.iter().zip(&comparison.go);
            let covered = covered.filter(|(cover, _)| **cover == Cover::Noted(n));
            let covered: Vec<String> = covered
                .map(|(_, go)| format!("<a href=\"#go-{0}\">{0}</a>", go.number))
                .collect();
            body.push_str(&format!("<li id=\"note-{}\">{} <span class=\"faint\"><a href=\"#{}-{number}\">{path}:{number}</a>{}</span>\n",
                n + 1,
                inline_code(&note.text),
                slug(path),
                match covered.is_empty() {
                    true => String::new(),
                    false => format!(", for Go line {}", covered.join(", ")),
                }));
        }
        if !comparison.notes.is_empty() {
            body.push_str("</ol>\n");
        }
        let gaps = comparison.go.iter().zip(&comparison.cover);
        let gaps: Vec<_> = gaps.filter(|(_, cover)| **cover == Cover::Gap).collect();
        if !gaps.is_empty() {
            body.push_str("<h2 id=\"gaps\">Gaps</h2>\n<ul>\n");
            for (go, _) in gaps {
                let (number, text) = (go.number, escape(&printable(go.text.trim())));
                body.push_str(&format!(
                    "<li><a href=\"#go-{number}\">{number}</a> <code>{text}</code>\n"
                ));
            }
            body.push_str("</ul>\n");
        }
        body.push_str("</section>\n");
    }
}

fn note_mark(n: usize) -> String {
    format!(
        "<a class=\"mark\" href=\"#note-{0}\" title=\"note {0}\">{0}</a>",
        n + 1
    )
}

/// `src/chat.rs` as a part of an anchor.
fn slug(path: &str) -> String {
    path.trim_end_matches(".rs").replace('/', "-")
}

/// Text with what stands between backticks as code.
fn inline_code(text: &str) -> String {
    let mut html = String::new();
    for (i, piece) in text.split('`').enumerate() {
        match i % 2 {
            0 => html.push_str(&escape(piece)),
            _ => html.push_str(&format!("<code>{}</code>", escape(piece))),
        }
    }
    html
}

#[allow(clippy::too_many_arguments)]
fn line(
    body: &mut String,
    class: &str,
    id: &str,
    number: usize,
    with: Option<String>,
    row: usize,
    spans: &[Span],
    mark: &str,
) {
    let code: String = spans.iter().map(|(_, text)| printable(text)).collect();
    let blank = if code.is_empty() { " blank" } else { "" };
    let indent = code.len() - code.trim_start_matches(' ').len();
    body.push_str(&format!(
        "<div class=\"line {class}{blank}\" id=\"{id}\" style=\"--row:{row};--in:{indent}ch\""
    ));
    if let Some(with) = with {
        body.push_str(&format!(" data-with=\"{with}\""));
    }
    body.push_str(&format!(
        "><a class=\"number\" href=\"#{id}\">{number}</a><code>"
    ));
    if indent > 0 {
        body.push_str(&format!("<span class=\"in\">{}</span>", " ".repeat(indent)));
    }
    let mut left = indent;
    for (ink, text) in spans {
        let text = printable(text);
        let bare = text.trim_start_matches(' ');
        let skipped = left.min(text.len() - bare.len());
        left -= skipped;
        let text = escape(&text[skipped..]);
        match ink {
            Ink::Plain => body.push_str(&text),
            Ink::Keyword => body.push_str(&format!("<span class=\"k\">{text}</span>")),
            Ink::Type => body.push_str(&format!("<span class=\"t\">{text}</span>")),
            Ink::Function => body.push_str(&format!("<span class=\"f\">{text}</span>")),
            Ink::Text => body.push_str(&format!("<span class=\"s\">{text}</span>")),
            Ink::Number => body.push_str(&format!("<span class=\"n\">{text}</span>")),
            Ink::Comment => body.push_str(&format!("<span class=\"c\">{text}</span>")),
        }
    }
    body.push_str(&format!("</code>{mark}</div>\n"));
}
