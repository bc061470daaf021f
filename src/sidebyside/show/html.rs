//! The comparisons as pages for a browser: an index, and a page a program.
//!
//! Each page is whole in its file and asks for nothing from anywhere, which its content security
//! policy holds the browser to.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::context;

use crate::sidebyside::pair::compare::{Comparison, Figures};
use crate::sidebyside::read::article::Article;
use crate::sidebyside::show::hunks::blocks;
use crate::sidebyside::show::sheet::Sheet;
use crate::sidebyside::show::table::percent;
use crate::sidebyside::show::terminal::printable;
use crate::text::escape;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the index and the pages into `dir`, which is made if it is not there, and returns how many
/// files it wrote.
///
/// # Errors
/// The folder or a file cannot be written.
pub fn write(dir: &Path, article: &Article, comparisons: &[Comparison]) -> io::Result<usize> {
    let cannot = |path: &Path| context(format!("cannot write {}", path.display()));
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
        bar.push_str(&format!(
            "<i class=\"{class}-fill\" style=\"flex:{lines}\"></i>"
        ));
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
        body.push_str(&format!("<tr><td class=\"name\"><a href=\"{name}\">{}</a><td class=\"title faint\">{}\
             <td class=\"figure faint hide\">{}<td class=\"figure hide\">{}<td class=\"matched\">{}<td class=\"figure percent\">{}\
             <td class=\"faint hide\"><code>{}</code></tr>\n",
            comparison.program.command(),
            escape(&printable(&comparison.listing.title)),
            comparison.listing.line,
            figures.lines(),
            bar(figures),
            percent(figures),
            files.join("<br>")));
    }
    let all: Figures = comparisons.iter().map(Comparison::figures).sum();
    body.push_str(&format!("</tbody>\n<tfoot><tr><td class=\"name\">all<td class=\"hide\"><td class=\"hide\"><td class=\"figure hide\">{}\
         <td class=\"matched\">{}<td class=\"figure percent\">{}<td class=\"hide\"></tr></tfoot>\n</table>\n",
        all.lines(),
        bar(all),
        percent(all)));
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
            body.push_str(&format!(
                "<li>line {}, {}: <code>{}</code>\n",
                listing.line,
                escape(&printable(&listing.title)),
                escape(&printable(first.trim()))
            ));
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
        body.push_str(&format!(
            "<a rel=\"prev\" href=\"{href}\" title=\"{}\">previous</a>",
            other.program.command()
        ));
    }
    body.push_str("<a href=\"index.html\">all programs</a>");
    if let Some((href, other)) = near.1 {
        body.push_str(&format!(
            "<a rel=\"next\" href=\"{href}\" title=\"{}\">next</a>",
            other.program.command()
        ));
    }
    let files: Vec<&str> = comparison.program.sources.iter().map(|s| s.path).collect();
    body.push_str(&format!("</nav></div>\n<div class=\"sides\"><span><b class=\"go-side\">Go</b> {} <span class=\"faint\">{}:{}\
         </span></span><span><b class=\"rust-side\">Rust</b> {}</span></div>\n</header>\n\
         <div class=\"intro\">{KEY}<p class=\"keys\"><kbd>Tab</kbd> to the lines, then <kbd>↑</kbd> \
         <kbd>↓</kbd> along a side, <kbd>←</kbd> <kbd>→</kbd> to the partner, <kbd>Enter</kbd> for a \
         link to the line; <kbd>o</kbd> unfolds all.</p></div>\n<main class=\"sheet\">\n",
        escape(&printable(&comparison.listing.title)),
        escape(&printable(&article.name)),
        comparison.listing.line,
        files.join(", ")));
    let sheet = Sheet::new(comparison);
    for block in blocks(comparison) {
        sheet.block(&block, &mut body);
    }
    body.push_str("</main>\n");
    sheet.ends(&mut body);
    document(&format!("{command}: Go beside Rust"), &body, SCRIPT)
}
