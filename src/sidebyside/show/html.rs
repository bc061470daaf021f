//! The comparisons as pages for a browser: an index, and one page per program.
//!
//! Each page is whole in its file and loads nothing, to which its content security policy holds the
//! browser.

use std::path::Path;
use std::{fs, io};

use crate::error::context;
use crate::sidebyside::pair::compare::{Comparison, together};
use crate::sidebyside::pair::cover::{Cover, Figures, percent};
use crate::sidebyside::pair::truth::Verdict;
use crate::sidebyside::read::article::Article;
use crate::sidebyside::show::sheet::{Sheet, text};
use crate::sidebyside::show::table::{legend, share};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the index and the pages into `dir`, which is made if it is not there, and returns how many
/// files it wrote.
///
/// # Errors
/// The folder or a file cannot be written, or there is something that is not ours under one of their
/// names.
pub fn write(dir: &Path, article: &Article, comparisons: &[Comparison]) -> io::Result<usize> {
    let cannot = |path: &Path| context(format!("cannot write {}", path.display()));
    fs::create_dir_all(dir).map_err(cannot(dir))?;
    let names = names(comparisons);
    let mut pages = vec![("index.html", index(article, comparisons, &names))];
    for (i, comparison) in comparisons.iter().enumerate() {
        let near = |i: usize| Some((names.get(i)?.as_str(), comparisons.get(i)?));
        let links = [
            ("prev", "previous", i.checked_sub(1).and_then(near)),
            ("next", "next", near(i + 1)),
        ];
        pages.push((&names[i], page(article, comparison, links)));
    }
    // Nothing is written unless everything can be.
    for (name, _) in &pages {
        let path = dir.join(name);
        replaceable(&path).map_err(cannot(&path))?;
    }
    for (name, page) in &pages {
        let path = dir.join(name);
        replace(&path, page).map_err(cannot(&path))?;
    }
    Ok(pages.len())
}

/// What each page has, by which it is known as written here.
const MARK: &str = "<meta name=\"generator\" content=\"threadline sidebyside\">";

/// Whether a page may take this place: it is free, or a page has been written there before.
fn replaceable(path: &Path) -> io::Result<()> {
    let why = match fs::symlink_metadata(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(err) => return Err(err),
        Ok(found) if found.is_symlink() => "it is a symbolic link, which is not followed",
        Ok(found) if !found.is_file() => "it is not a file",
        Ok(_) if String::from_utf8_lossy(&fs::read(path)?).contains(MARK) => return Ok(()),
        Ok(_) => "it exists and was not written by sidebyside",
    };
    Err(io::Error::new(io::ErrorKind::AlreadyExists, why))
}

/// Writes a new file. Whatever comes under its name in the meantime is neither followed nor replaced.
fn replace(path: &Path, page: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    io::Write::write_all(&mut fs::File::create_new(path)?, page.as_bytes())
}

/// A file name for each comparison; a program whose original is there twice has two.
fn names(comparisons: &[Comparison]) -> Vec<String> {
    let name = |(i, comparison): (usize, &Comparison)| {
        let slug = comparison.program.slug();
        let same = |c: &&Comparison| c.program == comparison.program;
        match comparisons[..i].iter().filter(same).count() {
            0 => format!("{slug}.html"),
            before => format!("{slug}-{}.html", before + 1),
        }
    };
    comparisons.iter().enumerate().map(name).collect()
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{MARK}\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

fn bar(figures: Figures) -> String {
    let parts = [
        (figures.paired, "paired"),
        (figures.carried, "carried"),
        (figures.noted, "noted"),
        (figures.gaps, "gap"),
    ];
    let parts = parts.into_iter().filter(|(lines, _)| *lines > 0);
    let parts: String = parts
        .map(|(lines, class)| format!("<i class=\"{class}-fill\" style=\"flex:{lines}\"></i>"))
        .collect();
    format!("<span class=\"bar\" aria-hidden=\"true\">{parts}</span>")
}

const KEY: &str = "<ul class=\"key\">\
    <li><i class=\"paired-fill\"></i>paired with a line of ours</li>\
    <li><i class=\"carried-fill\"></i>~ another line of ours does it, too: <code>?</code>, the end of a scope</li>\
    <li><i class=\"noted-fill\"></i>a note says why ours differs</li>\
    <li><i class=\"gap-fill\"></i>! a gap: nothing of ours, and no note</li></ul>\n";

fn index(article: &Article, comparisons: &[Comparison], names: &[String]) -> String {
    let mut body = format!(
        "<main class=\"text\">\n<h1 style=\"margin-top:2rem\">Go beside Rust</h1>\n\
         <p>Every line of the Go programs of <em><bdi>{}</bdi></em> beside the line of threadline that \
         does the same, in plain threads. The pairs are computed from the two sources.</p>\n{KEY}\
         <table class=\"programs\">\n<thead><tr><th>program<th>original<th class=\"figure\">line\
         <th class=\"figure\">lines<th>matched<th class=\"figure\"><th class=\"figure\">right\
         <th class=\"figure\">found<th>ours</tr></thead>\n<tbody>\n",
        text(&article.name)
    );
    for (comparison, name) in comparisons.iter().zip(names) {
        let figures = comparison.figures();
        body.push_str(&format!(
            "<tr><td class=\"name\"><a href=\"{name}\">{}</a><td class=\"title faint\"><bdi>{}</bdi>\
             <td class=\"figure faint hide\">{}<td class=\"figure hide\">{}<td class=\"matched\">{}\
             <td class=\"figure percent\">{}<td class=\"figure hide\">{}<td class=\"figure hide\">{}\
             <td class=\"faint hide\"><code>{}</code></tr>\n",
            comparison.program.command(),
            text(&comparison.listing.title),
            comparison.listing.line,
            figures.lines(),
            bar(figures),
            percent(figures.percent()),
            share(comparison.verdict.as_ref(), Verdict::precision),
            share(comparison.verdict.as_ref(), Verdict::recall),
            comparison.program.files("<br>"),
        ));
    }
    let (all, verdict) = together(comparisons);
    body.push_str(&format!(
        "</tbody>\n<tfoot><tr><td class=\"name\">all<td class=\"hide\"><td class=\"hide\">\
         <td class=\"figure hide\">{}<td class=\"matched\">{}<td class=\"figure percent\">{}\
         <td class=\"figure hide\">{}<td class=\"figure hide\">{}<td class=\"hide\"></tr></tfoot>\n\
         </table>\n<p class=\"faint\">{}</p>\n",
        all.lines(),
        bar(all),
        percent(all.percent()),
        share(verdict.as_ref(), Verdict::precision),
        share(verdict.as_ref(), Verdict::recall),
        legend(verdict.as_ref()).replace('\n', "<br>"),
    ));
    for (what, listings) in article.not_compared() {
        body.push_str(&format!(
            "<h2>Not compared</h2>\n<p>{what}:</p>\n<ul class=\"others\">\n"
        ));
        for listing in listings {
            body.push_str(&format!(
                "<li>line {}, <bdi>{}</bdi>: <code>{}</code>\n",
                listing.line,
                text(&listing.title),
                text(listing.first_line())
            ));
        }
        body.push_str("</ul>\n");
    }
    document("Go beside Rust", &(body + "</main>\n"))
}

/// The relation and the name of a link to another page, with its file and its program.
type Link<'a> = (&'a str, &'a str, Option<(&'a str, &'a Comparison)>);

fn page(article: &Article, comparison: &Comparison, links: [Link; 2]) -> String {
    let command = comparison.program.command();
    let figures = comparison.figures();
    let mut covers = comparison.go.iter().zip(&comparison.cover);
    let gaps = match covers.find(|(_, cover)| **cover == Cover::Gap) {
        None => "no gap".to_owned(),
        Some((go, _)) => format!("<a href=\"#go-{}\">gaps: {}</a>", go.number, figures.gaps),
    };
    let link = |(rel, name, to): &Link| match to {
        None => String::new(),
        Some((file, other)) => format!(
            "<a rel=\"{rel}\" href=\"{file}\" title=\"{}\">{name}</a>",
            other.program.command()
        ),
    };
    let mut body = format!(
        "<header class=\"top\">\n<div class=\"bar-line\"><h1>{command}</h1>\n\
         <span class=\"figures\">{} {} <span class=\"faint\">of {} lines: {} paired, {} in another line, \
         {} with a note, {gaps}</span></span>\n<nav>{}<a href=\"index.html\">all programs</a>{}</nav></div>\n\
         <div class=\"sides\"><span><b class=\"go-side\">Go</b> <bdi>{}</bdi> <span class=\"faint\">\
         <bdi>{}</bdi>:{}</span></span><span><b class=\"rust-side\">Rust</b> {}</span></div>\n</header>\n\
         <div class=\"intro\">{KEY}<p class=\"keys\"><kbd>o</kbd> unfolds all.</p></div>\n\
         <main class=\"sheet\">\n",
        bar(figures),
        percent(figures.percent()),
        figures.lines(),
        figures.paired,
        figures.carried,
        figures.noted,
        link(&links[0]),
        link(&links[1]),
        text(&comparison.listing.title),
        text(&article.name),
        comparison.listing.line,
        comparison.program.files(", "),
    );
    Sheet(comparison).write(&mut body);
    body.push_str(&format!("</main>\n<script>\n{SCRIPT}</script>\n"));
    document(&format!("{command}: Go beside Rust"), &body)
}
