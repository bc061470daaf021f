//! The lines of a page: both sides, with their anchors.

use crate::sidebyside::pair::compare::Comparison;
use crate::sidebyside::pair::cover::Cover;
use crate::sidebyside::read::source::{Kind, Line};
use crate::sidebyside::read::tokens::Language;
use crate::sidebyside::show::highlight::{Span, TokenKind, highlight};
use crate::sidebyside::show::rows::{Block, Row, blocks};
use crate::text::{escape, printable};

/// Rows after which the next pair begins a new hunk. On a narrow screen the two sides cannot stand
/// beside each other: there, a hunk shows the listing's lines and then ours.
const LONG: usize = 10;

/// The lines of a page.
pub struct Sheet<'a>(pub &'a Comparison);

impl Sheet<'_> {
    /// Writes all lines.
    pub fn write(&self, body: &mut String) {
        let one_file = self.0.program.sources.len() == 1;
        for block in blocks(self.0) {
            match block {
                // The heading of the page names it.
                Block::Path(_) if one_file => {}
                Block::Path(path) => body.push_str(&format!(
                    "<div class=\"path-row\"><div class=\"path\">{path}</div></div>\n"
                )),
                Block::Ours(first, last) => self.fold("ours alone", first, last, body),
                Block::Later(first, last) => self.fold("later stages", first, last, body),
                Block::Rows(rows) => self.hunks(&rows, body),
            }
        }
    }

    fn fold(&self, why: &str, first: usize, last: usize, body: &mut String) {
        let lines = &self.0.rust[first..=last];
        let code = lines
            .iter()
            .find(|l| matches!(l.kind, Kind::Code | Kind::Import));
        body.push_str(&format!(
            "<details class=\"fold\"><summary>{}–{}, {why}: <code>{}</code> …</summary>\n",
            lines[0].number,
            lines[lines.len() - 1].number,
            text(code.map_or("", |l| l.text.trim())),
        ));
        for r in first..=last {
            self.rust_line(r, 0, body);
        }
        body.push_str("</details>\n");
    }

    fn hunks(&self, rows: &[Row], body: &mut String) {
        let blank = |row: &Row| row.go.is_some_and(|g| self.0.go[g].kind == Kind::Blank);
        let mut start = 0;
        for end in 1..=rows.len() {
            let long = || rows[end].paired && end - start >= LONG;
            if end == rows.len() || blank(&rows[end - 1]) || long() {
                self.hunk(&rows[start..end], body);
                start = end;
            }
        }
    }

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
        let (class, with, mark) = match self.0.cover[g] {
            Cover::None => ("go", String::new(), String::new()),
            Cover::Paired(r) => ("go paired", format!("l{r}"), String::new()),
            Cover::Carried(r) => (
                "go carried",
                format!("l{r}"),
                format!(
                    "<a class=\"mark\" href=\"#{}\" title=\"another line of ours does it, too\">~</a>",
                    anchor(&self.0.rust[r])
                ),
            ),
            Cover::Noted(n) => ("go noted", format!("n{n}"), note_mark(n)),
            Cover::Gap => (
                "go gap",
                String::new(),
                "<span class=\"mark\" title=\"a gap: nothing of ours, and no note\">!</span>"
                    .to_owned(),
            ),
        };
        let go = &self.0.go[g];
        let (id, spans) = (format!("go-{}", go.number), highlight(Language::Go, go));
        line(body, (class, &id, row, go.number), &with, &spans, &mark);
    }

    fn rust_line(&self, r: usize, row: usize, body: &mut String) {
        let ours = &self.0.rust[r];
        let mut notes = self.0.notes.iter();
        let note = notes.position(|note| (note.first..=note.last).contains(&r));
        let is_partner = self.0.cover.iter().any(|cover| cover.partner() == Some(r));
        let class = if note.is_some() { "rust note" } else { "rust" };
        let with = match note {
            Some(n) => format!("n{n}"),
            None if is_partner => format!("l{r}"),
            None => String::new(),
        };
        let first = note.filter(|n| self.0.notes[*n].first == r);
        let mark = first.map_or(String::new(), |n| {
            format!("<span id=\"note-{}\"></span>{}", n + 1, note_mark(n))
        });
        let (id, spans) = (anchor(ours), highlight(Language::Rust, ours));
        line(body, (class, &id, row, ours.number), &with, &spans, &mark);
    }
}

/// The anchor of a line of ours.
fn anchor(ours: &Line) -> String {
    let path = ours.path.trim_end_matches(".rs").replace('/', "-");
    format!("{path}-{}", ours.number)
}

fn note_mark(n: usize) -> String {
    format!(
        "<a class=\"mark\" href=\"#note-{0}\" title=\"note {0}\">{0}</a>",
        n + 1
    )
}

fn line(
    body: &mut String,
    (class, id, row, number): (&str, &str, usize, usize),
    with: &str,
    spans: &[Span],
    mark: &str,
) {
    let code: String = spans.iter().map(|(_, text)| text.as_str()).collect();
    let blank = if code.is_empty() { " blank" } else { "" };
    let indent = code.len() - code.trim_start_matches(' ').len();
    body.push_str(&format!(
        "<div class=\"line {class}{blank}\" id=\"{id}\" style=\"--row:{row};--in:{indent}ch\""
    ));
    if !with.is_empty() {
        body.push_str(&format!(" data-with=\"{with}\""));
    }
    body.push_str(&format!(
        "><a class=\"number\" href=\"#{id}\">{number}</a><code>"
    ));
    if indent > 0 {
        body.push_str(&format!("<span class=\"in\">{}</span>", &code[..indent]));
    }
    let mut left = indent;
    for (kind, code) in spans {
        let skipped = left.min(code.len());
        left -= skipped;
        let code = text(&code[skipped..]);
        let class = match kind {
            TokenKind::Plain => {
                body.push_str(&code);
                continue;
            }
            TokenKind::Keyword => 'k',
            TokenKind::Type => 't',
            TokenKind::Function => 'f',
            TokenKind::Text => 's',
            TokenKind::Number => 'n',
            TokenKind::Comment => 'c',
        };
        body.push_str(&format!("<span class=\"{class}\">{code}</span>"));
    }
    body.push_str(&format!("</code>{mark}</div>\n"));
}

/// Text from outside, for a page: harmless, and with its Chinese marked as such, so that a browser
/// takes the right glyphs and voice for it.
pub fn text(text: &str) -> String {
    let chinese = |c: char| {
        matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}'
            | '\u{20000}'..='\u{3ffff}')
    };
    let escaped = escape(&printable(text));
    let chars: Vec<char> = escaped.chars().collect();
    let runs = chars.chunk_by(|a, b| chinese(*a) == chinese(*b));
    let html = runs.map(|run| match String::from_iter(run) {
        text if chinese(run[0]) => format!("<span lang=\"zh\">{text}</span>"),
        text => text,
    });
    html.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_harmless_and_chinese_is_marked() {
        assert_eq!(
            text("a<消息>\u{202e}b"),
            "a&lt;<span lang=\"zh\">消息</span>&gt;‹U+202E›b"
        );
        assert_eq!(text(""), "");
    }
}
