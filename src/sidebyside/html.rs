//! The comparisons as pages for a browser: an index, and a page a program.
//!
//! Each page is whole in its file and asks for nothing from anywhere, which its content security
//! policy holds the browser to.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use crate::cli::because;

use super::article::Article;
use super::compare::{Comparison, Cover, Figures};
use super::highlight::{Ink, Span, highlight};
use super::hunks::{Block, blocks, declared};
use super::rows::Row;
use super::table::percent;
use super::terminal::printable;
use super::tokens::Language;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the index and the pages into `dir`, which is made if it is not there, and returns how many
/// files it wrote.
///
/// # Errors
/// The folder or a file cannot be written.
pub fn write(dir: &Path, article: &Article, comparisons: &[Comparison]) -> io::Result<usize> {
    let cannot = |path: &Path| because(format!("cannot write {}", path.display()));
    fs::create_dir_all(dir).map_err(cannot(dir))?;
    let names = names(comparisons);
    let mut pages = vec![("index.html".to_owned(), index(article, comparisons, &names))];
    for (i, comparison) in comparisons.iter().enumerate() {
        let near = |i: Option<usize>| Some((names.get(i?)?.as_str(), comparisons.get(i?)?));
        let neighbours = (near(i.checked_sub(1)), near(i.checked_add(1)));
        pages.push((names[i].clone(), page(article, comparison, neighbours)));
    }
    for (name, text) in &pages {
        let path = dir.join(name);
        fs::write(&path, text).map_err(cannot(&path))?;
    }
    Ok(pages.len())
}

/// A file name for each comparison; a program whose original is there twice has two.
fn names(comparisons: &[Comparison]) -> Vec<String> {
    let name = |(i, comparison): (usize, &Comparison)| {
        let slug = comparison.program.slug();
        let before = comparisons[..i]
            .iter()
            .filter(|c| c.program == comparison.program)
            .count();
        match before {
            0 => format!("{slug}.html"),
            before => format!("{slug}-{}.html", before + 1),
        }
    };
    comparisons.iter().enumerate().map(name).collect()
}

/// What HTML would take for markup, as text.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

macro_rules! put {
    ($text:expr, $($format:tt)*) => {
        write!($text, $($format)*).expect("a string takes it")
    };
}

fn document(title: &str, body: &str, script: &str) -> String {
    let title = escape(title);
    let script = match script {
        "" => String::new(),
        script => format!("<script>\n{script}</script>\n"),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}{script}</body>\n</html>\n"
    )
}

fn bar(figures: Figures) -> String {
    let parts = [
        (figures.paired, "paired"),
        (figures.carried, "carried"),
        (figures.noted, "noted"),
        (figures.gaps, "gap"),
    ];
    let mut bar = "<span class=\"bar\" aria-hidden=\"true\">".to_owned();
    for (lines, class) in parts.into_iter().filter(|(lines, _)| *lines > 0) {
        put!(bar, "<i class=\"{class}-fill\" style=\"flex:{lines}\"></i>");
    }
    bar + "</span>"
}

const KEY: &str = "<ul class=\"key\">\
    <li><i class=\"paired-fill\"></i>paired with a line of ours</li>\
    <li><i class=\"carried-fill\"></i>~ Rust does it by itself: <code>?</code>, the end of a scope</li>\
    <li><i class=\"noted-fill\"></i>a note says why ours differs</li>\
    <li><i class=\"gap-fill\"></i>! a gap: nothing of ours, and no note</li></ul>\n";

fn index(article: &Article, comparisons: &[Comparison], names: &[String]) -> String {
    let mut body = format!(
        "<main class=\"text\">\n<h1 style=\"margin-top:2rem\">Go beside Rust</h1>\n\
         <p>Every line of the Go programs of <em>{}</em> beside the line of threadline that does the \
         same, in plain threads. The pairs are computed from the two sources.</p>\n{KEY}",
        escape(&printable(&article.name))
    );
    body.push_str(
        "<table class=\"programs\">\n<thead><tr><th>program<th>original<th class=\"figure\">line\
         <th class=\"figure\">lines<th>matched<th class=\"figure\"><th>ours</tr></thead>\n<tbody>\n",
    );
    for (comparison, name) in comparisons.iter().zip(names) {
        let figures = comparison.figures();
        let files: Vec<&str> = comparison.program.sources.iter().map(|s| s.path).collect();
        put!(
            body,
            "<tr><td class=\"name\"><a href=\"{name}\">{}</a><td class=\"title faint\">{}\
             <td class=\"figure faint hide\">{}<td class=\"figure hide\">{}<td class=\"matched\">{}<td class=\"figure percent\">{}\
             <td class=\"faint hide\"><code>{}</code></tr>\n",
            comparison.program.command(),
            escape(&printable(&comparison.listing.title)),
            comparison.listing.line,
            figures.lines(),
            bar(figures),
            percent(figures),
            files.join("<br>"),
        );
    }
    let all: Figures = comparisons.iter().map(Comparison::figures).sum();
    put!(
        body,
        "</tbody>\n<tfoot><tr><td class=\"name\">all<td class=\"hide\"><td class=\"hide\"><td class=\"figure hide\">{}\
         <td class=\"matched\">{}<td class=\"figure percent\">{}<td class=\"hide\"></tr></tfoot>\n</table>\n",
        all.lines(),
        bar(all),
        percent(all)
    );
    body.push_str(
        "<p class=\"faint\">Lines are those that count: no blank lines, brackets, imports or \
         comments.</p>\n",
    );
    if !article.others.is_empty() {
        body.push_str("<h2>Not compared</h2>\n<p>Listings that are none of our programs:</p>\n<ul class=\"others\">\n");
        for listing in &article.others {
            let first = listing
                .code
                .lines()
                .find(|l| !l.trim().is_empty())
                .unwrap_or_default();
            put!(
                body,
                "<li>line {}, {}: <code>{}</code>\n",
                listing.line,
                escape(&printable(&listing.title)),
                escape(&printable(first.trim()))
            );
        }
        body.push_str("</ul>\n");
    }
    body.push_str("</main>\n");
    document("Go beside Rust", &body, "")
}

type Neighbour<'a> = Option<(&'a str, &'a Comparison)>;

fn page(article: &Article, comparison: &Comparison, near: (Neighbour, Neighbour)) -> String {
    let command = comparison.program.command();
    let figures = comparison.figures();
    let mut body = format!(
        "<header class=\"top\">\n<div class=\"bar-line\"><h1>{command}</h1>\n\
         <span class=\"figures\">{} {} <span class=\"faint\">of {} lines: {} paired, {} by Rust itself, \
         {} with a note, {}</span></span>\n<nav>",
        bar(figures),
        percent(figures),
        figures.lines(),
        figures.paired,
        figures.carried,
        figures.noted,
        match figures.gaps {
            0 => "no gap".to_owned(),
            1 => "<a href=\"#gaps\">1 gap</a>".to_owned(),
            gaps => format!("<a href=\"#gaps\">{gaps} gaps</a>"),
        },
    );
    if let Some((href, other)) = near.0 {
        put!(
            body,
            "<a rel=\"prev\" href=\"{href}\" title=\"{}\">previous</a>",
            other.program.command()
        );
    }
    body.push_str("<a href=\"index.html\">all programs</a>");
    if let Some((href, other)) = near.1 {
        put!(
            body,
            "<a rel=\"next\" href=\"{href}\" title=\"{}\">next</a>",
            other.program.command()
        );
    }
    let files: Vec<&str> = comparison.program.sources.iter().map(|s| s.path).collect();
    put!(
        body,
        "</nav></div>\n<div class=\"sides\"><span><b class=\"go-side\">Go</b> {} <span class=\"faint\">{}:{}\
         </span></span><span><b class=\"rust-side\">Rust</b> {}</span></div>\n</header>\n\
         <div class=\"intro\">{KEY}<p class=\"keys\"><kbd>Tab</kbd> to the lines, then <kbd>↑</kbd> \
         <kbd>↓</kbd> along a side, <kbd>←</kbd> <kbd>→</kbd> to the partner, <kbd>Enter</kbd> for a \
         link to the line; <kbd>o</kbd> unfolds all.</p></div>\n<main class=\"sheet\">\n",
        escape(&printable(&comparison.listing.title)),
        escape(&printable(&article.name)),
        comparison.listing.line,
        files.join(", "),
    );
    let sheet = Sheet::new(comparison);
    for block in blocks(comparison) {
        sheet.block(&block, &mut body);
    }
    body.push_str("</main>\n");
    sheet.ends(&mut body);
    document(&format!("{command}: Go beside Rust"), &body, SCRIPT)
}

struct Sheet<'a> {
    comparison: &'a Comparison,
    go: Vec<Vec<Span>>,
    rust: Vec<(&'static str, Vec<Vec<Span>>)>,
}

impl<'a> Sheet<'a> {
    fn new(comparison: &'a Comparison) -> Sheet<'a> {
        let sources = comparison.program.sources.iter();
        Sheet {
            comparison,
            go: highlight(Language::Go, &comparison.listing.code),
            rust: sources
                .map(|s| (s.path, highlight(Language::Rust, s.text)))
                .collect(),
        }
    }

    fn block(&self, block: &Block, body: &mut String) {
        match block {
            Block::Path(path) => {
                put!(
                    body,
                    "<div class=\"path-row\"><div class=\"path\">{path}</div></div>\n"
                );
            }
            Block::Fold(lines) => {
                let number = |r: usize| self.comparison.rust[r].line.number;
                let (first, last) = (number(lines.start), number(lines.end - 1));
                let declared = escape(&declared(self.comparison, lines.clone()));
                put!(
                    body,
                    "<details class=\"fold\"><summary>{first}–{last}, ours alone: {declared}</summary>\n"
                );
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
    fn ends(&self, body: &mut String) {
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
            put!(
                body,
                "<li id=\"note-{}\">{} <span class=\"faint\"><a href=\"#{}-{number}\">{path}:{number}</a>{}</span>\n",
                n + 1,
                inline_code(&note.text),
                slug(path),
                match covered.is_empty() {
                    true => String::new(),
                    false => format!(", for Go line {}", covered.join(", ")),
                },
            );
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
                put!(
                    body,
                    "<li><a href=\"#go-{number}\">{number}</a> <code>{text}</code>\n"
                );
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
            _ => put!(html, "<code>{}</code>", escape(piece)),
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
    put!(
        body,
        "<div class=\"line {class}{blank}\" id=\"{id}\" style=\"--row:{row};--in:{indent}ch\""
    );
    if let Some(with) = with {
        put!(body, " data-with=\"{with}\"");
    }
    put!(
        body,
        "><a class=\"number\" href=\"#{id}\">{number}</a><code>"
    );
    if indent > 0 {
        put!(body, "<span class=\"in\">{}</span>", " ".repeat(indent));
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
            Ink::Keyword => put!(body, "<span class=\"k\">{text}</span>"),
            Ink::Type => put!(body, "<span class=\"t\">{text}</span>"),
            Ink::Function => put!(body, "<span class=\"f\">{text}</span>"),
            Ink::Text => put!(body, "<span class=\"s\">{text}</span>"),
            Ink::Number => put!(body, "<span class=\"n\">{text}</span>"),
            Ink::Comment => put!(body, "<span class=\"c\">{text}</span>"),
        }
    }
    put!(body, "</code>{mark}</div>\n");
}
