//! Laying a comparison out in rows of two columns.
//!
//! A pair is one row. What stands between two pairs has rows of its own, the listing's lines first,
//! but for what only sets lines apart: closing brackets after a pair, comments before one, and blank
//! lines next to either share a row, and so do lines that go on with a pair's statement of ours and
//! lines that it carries. Every line of both sides is in exactly one row.

use crate::sidebyside::pair::compare::{Comparison, Cover};
use crate::sidebyside::read::source::Kind;

/// One row: a line of the listing, a line of ours, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line of the listing.
    pub go: Option<usize>,
    /// Our line.
    pub rust: Option<usize>,
    /// Whether the two are a pair, not merely beside each other.
    pub paired: bool,
}

/// Lays out a comparison.
pub fn rows(comparison: &Comparison) -> Vec<Row> {
    let pairs = comparison
        .cover
        .iter()
        .enumerate()
        .filter_map(|(go, cover)| match cover {
            Cover::Paired(rust) => Some((go, *rust)),
            _ => None,
        });
    let end = (comparison.go.len(), comparison.rust.len());
    let mut rows = Vec::new();
    let (mut go, mut rust) = (0, 0);
    for (next_go, next_rust) in pairs.chain([end]) {
        between(comparison, (go, rust), (next_go, next_rust), &mut rows);
        if (next_go, next_rust) != end {
            rows.push(Row {
                go: Some(next_go),
                rust: Some(next_rust),
                paired: true,
            });
        }
        (go, rust) = (next_go + 1, next_rust + 1);
    }
    rows
}

/// The rows of the lines from `from` up to `to`, where there is no pair.
fn between(comparison: &Comparison, from: (usize, usize), to: (usize, usize), rows: &mut Vec<Row>) {
    let (mut go, mut rust) = from;
    let (mut go_end, mut rust_end) = to;
    let beside = |go, rust| Row {
        go: Some(go),
        rust: Some(rust),
        paired: false,
    };
    let is_note = |rust| {
        comparison
            .notes
            .iter()
            .any(|n| (n.first..=n.last).contains(&rust))
    };
    let alike = |go: usize, rust: usize, kinds: &[Kind]| {
        let kind = comparison.go[go].kind;
        kind == comparison.rust[rust].line.kind && kinds.contains(&kind) && !is_note(rust)
    };
    // Brackets belong to what they close, so they go with the pair above; comments speak of what is
    // below them.
    while go < go_end && rust < rust_end && alike(go, rust, &[Kind::Blank, Kind::Brace]) {
        rows.push(beside(go, rust));
        (go, rust) = (go + 1, rust + 1);
    }
    // What goes on with the statement of the pair above stands by what that carries.
    let goes_on = |go: usize, rust: usize| {
        comparison.cover[go] == Cover::Carried(from.1 - 1)
            && comparison.rust[rust]
                .line
                .text
                .trim_start()
                .starts_with('.')
    };
    while from.1 > 0 && go < go_end && rust < rust_end && goes_on(go, rust) {
        rows.push(beside(go, rust));
        (go, rust) = (go + 1, rust + 1);
    }
    let mut last = Vec::new();
    let above = [Kind::Blank, Kind::Comment];
    while go < go_end && rust < rust_end && alike(go_end - 1, rust_end - 1, &above) {
        (go_end, rust_end) = (go_end - 1, rust_end - 1);
        last.push(beside(go_end, rust_end));
    }
    rows.extend((go..go_end).map(|go| Row {
        go: Some(go),
        rust: None,
        paired: false,
    }));
    rows.extend((rust..rust_end).map(|rust| Row {
        go: None,
        rust: Some(rust),
        paired: false,
    }));
    rows.extend(last.into_iter().rev());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::read::article::Article;

    #[test]
    fn every_line_of_both_sides_is_in_one_row_and_in_order() {
        let course = include_str!("../../../tests/data/sidebyside.md");
        let article = Article::parse("course".to_owned(), course);
        for comparison in article
            .compare("any", |_| true)
            .expect("it has programs of ours")
        {
            let rows = rows(&comparison);
            let go: Vec<usize> = rows.iter().filter_map(|row| row.go).collect();
            let rust: Vec<usize> = rows.iter().filter_map(|row| row.rust).collect();
            assert_eq!(go, (0..comparison.go.len()).collect::<Vec<_>>());
            assert_eq!(rust, (0..comparison.rust.len()).collect::<Vec<_>>());
            for row in rows {
                let paired = row.go.map(|g| comparison.cover[g]);
                assert_eq!(
                    row.paired,
                    matches!(paired, Some(Cover::Paired(_))),
                    "{row:?}"
                );
                if let (Some(Cover::Paired(r)), Some(rust)) = (paired, row.rust) {
                    assert_eq!(r, rust, "a pair shares its row: {row:?}");
                }
            }
        }
    }
}
