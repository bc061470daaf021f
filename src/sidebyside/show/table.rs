//! The table of an article's programs, and the check of how much of each is covered.

use std::fmt::Write;

use crate::sidebyside::pair::compare::{Comparison, Cover, Figures};
use crate::sidebyside::read::article::Article;
use crate::sidebyside::read::listings::Listing;
use crate::sidebyside::show::highlight::shown;
use crate::text::{columns, printable};

/// The table of what was compared: a row a program, and one for all of them.
pub fn table(comparisons: &[Comparison]) -> String {
    let heads = [
        "program", "original", "line", "lines", "matched", "=", "~", "note", "gap", "ours",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    for comparison in comparisons {
        rows.push(row(
            &comparison.program.command(),
            &printable(&comparison.listing.title),
            &comparison.listing.line.to_string(),
            comparison.figures(),
            &comparison.program.files(" "),
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
        figures.shown(),
        figures.paired.to_string(),
        figures.carried.to_string(),
        figures.noted.to_string(),
        figures.gaps.to_string(),
        paths.to_owned(),
    ]
}

/// The listings that are compared with nothing, each with its place and its first line.
pub fn others(article: &Article) -> String {
    let group = |(why, listings): (&str, &[Listing])| {
        let row = |listing: &Listing| {
            [
                listing.line.to_string(),
                printable(&listing.title),
                shown(listing.first_line()),
            ]
        };
        let rows: Vec<[String; 3]> = listings.iter().map(row).collect();
        format!("\n{why}, so not compared:\n{}", columns(&rows, &[1, 2]))
    };
    article.not_compared().map(group).collect()
}

/// The lines of a listing that nothing covers.
pub fn gaps(comparison: &Comparison) -> String {
    let mut text = String::new();
    for (line, cover) in comparison.go.iter().zip(&comparison.cover) {
        if *cover == Cover::Gap {
            writeln!(text, "{:>6}  {}", line.number, shown(line.text.trim()))
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
                c.figures().shown()
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
        let found = total.shown();
        return Err(format!(
            "all together are matched to {found}; {all} % are asked for"
        ));
    }
    Ok(())
}
