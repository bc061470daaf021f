//! The table of an article's programs, and the check of how much of each is covered.

use std::fmt::Write;

use crate::sidebyside::pair::compare::{Comparison, Cover, Figures};
use crate::sidebyside::read::article::Article;
use crate::sidebyside::show::terminal::printable;
use crate::text::columns;

/// The table of what was compared: a row a program, and one for all of them.
pub fn table(comparisons: &[Comparison]) -> String {
    let heads = [
        "program", "original", "line", "lines", "matched", "=", "~", "note", "gap", "ours",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    for comparison in comparisons {
        let paths: Vec<&str> = comparison.program.sources.iter().map(|s| s.path).collect();
        rows.push(row(
            &comparison.program.command(),
            &printable(&comparison.listing.title),
            &comparison.listing.line.to_string(),
            comparison.figures(),
            &paths.join(" "),
        ));
    }
    rows.push(row(
        "all",
        "",
        "",
        comparisons.iter().map(Comparison::figures).sum(),
        "",
    ));
    let mut text = columns(&rows, &[0, 1, 9]);
    text.push_str(
        "\nlines: those that count, without blank lines, brackets, imports and comments\n\
         =: paired with a line of ours   ~: Rust does it by itself   note: a // Go: comment says why not\n",
    );
    text
}

fn row(program: &str, title: &str, line: &str, figures: Figures, paths: &str) -> [String; 10] {
    [
        program.to_owned(),
        title.to_owned(),
        line.to_owned(),
        figures.lines().to_string(),
        percent(figures),
        figures.paired.to_string(),
        figures.carried.to_string(),
        figures.noted.to_string(),
        figures.gaps.to_string(),
        paths.to_owned(),
    ]
}

/// How much is covered, rounded down, so that 100 % means all.
pub fn percent(figures: Figures) -> String {
    format!("{:.1} %", (figures.percent() * 10.0).floor() / 10.0)
}

/// The listings that were compared with nothing, each with its place and its first line.
pub fn others(article: &Article) -> String {
    if article.others.is_empty() {
        return String::new();
    }
    let rows: Vec<[String; 3]> = article
        .others
        .iter()
        .map(|listing| {
            let first = listing
                .code
                .lines()
                .find(|l| !l.trim().is_empty())
                .unwrap_or_default();
            [
                listing.line.to_string(),
                printable(&listing.title),
                printable(first.trim()),
            ]
        })
        .collect();
    format!(
        "\nnone of ours, so not compared:\n{}",
        columns(&rows, &[1, 2])
    )
}

/// The lines of a listing that nothing covers.
pub fn gaps(comparison: &Comparison) -> String {
    let mut text = String::new();
    for (line, cover) in comparison.go.iter().zip(&comparison.cover) {
        if *cover == Cover::Gap {
            writeln!(text, "{:>6}  {}", line.number, printable(line.text.trim()))
                .expect("a string takes it");
        }
    }
    text
}

/// Checks that `each` percent of every listing is covered and `all` percent of them together.
///
/// # Errors
/// One line with what is not.
pub fn check(comparisons: &[Comparison], each: f64, all: f64) -> Result<(), String> {
    let below = |comparison: &&Comparison| comparison.figures().percent() < each;
    let mut short: Vec<String> = comparisons
        .iter()
        .filter(below)
        .map(|c| {
            format!(
                "{} is matched to {}",
                c.program.command(),
                percent(c.figures())
            )
        })
        .collect();
    if !short.is_empty() {
        let last = short.pop().into_iter();
        let list: Vec<String> = short.into_iter().chain(last).collect();
        return Err(format!(
            "{}; {each} % of each are asked for",
            list.join(", ")
        ));
    }
    let total: Figures = comparisons.iter().map(Comparison::figures).sum();
    if total.percent() < all {
        let found = percent(total);
        return Err(format!(
            "all together are matched to {found}; {all} % are asked for"
        ));
    }
    Ok(())
}
