//! The table of an article's programs.

use crate::sidebyside::pair::compare::{Comparison, together};
use crate::sidebyside::pair::cover::{Figures, percent};
use crate::sidebyside::pair::truth::Verdict;
use crate::sidebyside::read::article::Article;
use crate::sidebyside::read::listings::Listing;
use crate::sidebyside::show::highlight::shown;
use crate::text::{columns, printable};

/// The table of what was compared: a row per program, and one for all of them.
pub fn table(comparisons: &[Comparison]) -> String {
    let heads = [
        "program", "original", "line", "lines", "matched", "=", "~", "note", "gap", "right",
        "found", "ours",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    for comparison in comparisons {
        rows.push(row(
            [
                comparison.program.command(),
                printable(&comparison.listing.title),
                comparison.listing.line.to_string(),
            ],
            comparison.figures(),
            comparison.verdict.as_ref(),
            comparison.program.files(" "),
        ));
    }
    let (figures, all) = together(comparisons);
    let name = ["all".to_owned(), String::new(), String::new()];
    rows.push(row(name, figures, all.as_ref(), String::new()));
    format!("{}\n{}", columns(&rows, &[0, 1, 11]), legend(all.as_ref()))
}

/// What the figures mean, in three lines.
pub fn legend(all: Option<&Verdict>) -> String {
    let unchecked = "no table of right pairs is for these listings: matched is likeness alone";
    let checked = all.map_or(unchecked.to_owned(), |Verdict { pairs, .. }| {
        format!("right, found: of the computed pairs, and of the {pairs} pairs in the tables made by hand")
    });
    format!(
        "lines: those that count, without blank lines, brackets, imports and comments\n\
         matched: paired (=), done by another line, as by a ? (~), or explained by a // Go: comment (note)\n\
         {checked}\n"
    )
}

/// A share of a verdict as text, or a dash where there is no table.
pub fn share(verdict: Option<&Verdict>, of: fn(&Verdict) -> f64) -> String {
    verdict.map_or("-".to_owned(), |verdict| percent(of(verdict)))
}

fn row(
    [program, title, line]: [String; 3],
    figures: Figures,
    verdict: Option<&Verdict>,
    paths: String,
) -> [String; 12] {
    [
        program,
        title,
        line,
        figures.lines().to_string(),
        percent(figures.percent()),
        figures.paired.to_string(),
        figures.carried.to_string(),
        figures.noted.to_string(),
        figures.gaps.to_string(),
        share(verdict, Verdict::precision),
        share(verdict, Verdict::recall),
        paths,
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
