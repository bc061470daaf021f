//! Cutting the rows of a comparison into blocks that a page shows as one.
//!
//! On a narrow screen the two sides cannot stand beside each other: there, a hunk shows the listing's
//! lines and then ours. So a hunk is short: it ends at a blank line of the listing, and before the next
//! pair once it has `LONG` rows. Whole parts of ours with which nothing is paired are folded.

use std::ops::Range;

use crate::sidebyside::pair::compare::{Comparison, Cover};
use crate::sidebyside::read::source::Kind;
use crate::sidebyside::show::rows::{Row, rows};

/// Rows after which the next pair begins a new hunk.
const LONG: usize = 10;

/// Fewest lines that are folded.
const FOLDED: usize = 6;

/// A block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// From here on, our lines are of this file.
    Path(&'static str),
    /// Lines of ours that nothing is paired with, and that no note is in.
    Fold(Range<usize>),
    /// Rows.
    Hunk(Vec<Row>),
}

/// Cuts a comparison into blocks, which have every row once and in order.
pub fn blocks(comparison: &Comparison) -> Vec<Block> {
    let rows = rows(comparison);
    let alone = alone(comparison);
    let mut blocks = Vec::new();
    let mut hunk: Vec<Row> = Vec::new();
    let sources = comparison.program.sources;
    // Where all is in one file, the heading of the page names it.
    let mut path = if sources.len() == 1 {
        sources[0].path
    } else {
        ""
    };
    let mut at = 0;
    while at < rows.len() {
        let row = rows[at];
        if let Some(r) = row.rust
            && comparison.rust[r].path != path
        {
            path = comparison.rust[r].path;
            end(&mut hunk, &mut blocks);
            blocks.push(Block::Path(path));
        }
        let folded = rows[at..].iter().map_while(|row| match (row.go, row.rust) {
            (None, Some(r)) if alone[r] && comparison.rust[r].path == path => Some(r),
            _ => None,
        });
        let folded: Vec<usize> = folded.collect();
        if folded.len() >= FOLDED {
            end(&mut hunk, &mut blocks);
            at += folded.len();
            blocks.push(Block::Fold(folded[0]..folded[0] + folded.len()));
            continue;
        }
        if row.paired && hunk.len() >= LONG {
            end(&mut hunk, &mut blocks);
        }
        hunk.push(row);
        if row.go.is_some_and(|g| comparison.go[g].kind == Kind::Blank) {
            end(&mut hunk, &mut blocks);
        }
        at += 1;
    }
    end(&mut hunk, &mut blocks);
    blocks
}

fn end(hunk: &mut Vec<Row>, blocks: &mut Vec<Block>) {
    if !hunk.is_empty() {
        blocks.push(Block::Hunk(std::mem::take(hunk)));
    }
}

/// For each of our lines, whether its whole part has no pair and no note.
fn alone(comparison: &Comparison) -> Vec<bool> {
    let part = |r: usize| (comparison.rust[r].path, comparison.rust[r].line.part);
    let paired = comparison.cover.iter().filter_map(|cover| match cover {
        Cover::Paired(r) | Cover::Carried(r) => Some(*r),
        _ => None,
    });
    let noted = comparison
        .notes
        .iter()
        .flat_map(|note| [note.first, note.explains]);
    let wanted: Vec<_> = paired.chain(noted).map(part).collect();
    (0..comparison.rust.len())
        .map(|r| !wanted.contains(&part(r)))
        .collect()
}

/// What lines of ours declare, for those who do not see them: `use, struct Args, fn main`.
pub fn declared(comparison: &Comparison, lines: Range<usize>) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut last = None;
    for line in &comparison.rust[lines] {
        let name = match line.line.kind {
            Kind::Import => "use".to_owned(),
            Kind::Code if last != Some(line.line.part) => {
                last = Some(line.line.part);
                let text = line.line.text.trim().trim_start_matches("pub ");
                let end = text
                    .find(['(', '{', '<', ':', '=', ';'])
                    .unwrap_or(text.len());
                text[..end].trim().to_owned()
            }
            _ => continue,
        };
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}
