//! Laying a comparison out in rows of two columns.
//!
//! A pair is one row, and so are a Go line and the first line of the note that covers it, where their
//! order allows that. Between two such rows, the listing's code has rows of its own, but its comments,
//! brackets and blank lines stand beside whatever there is, and so do lines that a pair carries beside lines
//! that go on with its statement of ours. Every line of both sides is in exactly one row.

use crate::sidebyside::pair::compare::Comparison;
use crate::sidebyside::pair::cover::Cover;
use crate::sidebyside::read::source::Kind;

/// Fewest lines of ours that are folded.
const FOLDED: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub go: Option<usize>,
    pub rust: Option<usize>,
    /// Whether the two are a pair, not merely beside each other.
    pub paired: bool,
}

impl Row {
    fn unpaired(go: Option<usize>, rust: Option<usize>) -> Row {
        let paired = false;
        Row { go, rust, paired }
    }

    /// A line of ours with nothing beside it.
    pub fn ours(r: usize) -> Row {
        Row::unpaired(None, Some(r))
    }
}

/// What a page shows as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// From here on, our lines are of this file.
    Path(&'static str),
    /// Lines of ours, from the first to the last, that have nothing beside them and no note.
    Ours(usize, usize),
    /// Lines of ours, from the first to the last, that belong to later stages of the chat room.
    Later(usize, usize),
    Rows(Vec<Row>),
}

/// Cuts a comparison into blocks, which have every line once and in order.
pub fn blocks(comparison: &Comparison) -> Vec<Block> {
    let rows = rows(comparison);
    let noted = |r: usize| {
        let mut notes = comparison.notes.iter();
        notes.any(|note| (note.first..=note.explains).contains(&r))
    };
    // Whether a row can be folded, and whether as one of a later stage.
    let folds = |row: &Row| match (row.go, row.rust) {
        (None, Some(r)) if comparison.later[r] => Some(true),
        (None, Some(r)) if !noted(r) => Some(false),
        _ => None,
    };
    // With each row, its file.
    let mut path = None;
    let rows = rows.into_iter().map(|row| {
        path = row.rust.map(|r| comparison.rust[r].path).or(path);
        (path, row)
    });
    let rows: Vec<(Option<&str>, Row)> = rows.collect();
    let mut blocks = Vec::new();
    let mut shown = None;
    for run in rows.chunk_by(|a, b| a.0 == b.0 && folds(&a.1) == folds(&b.1)) {
        let (path, first) = run[0];
        if path != shown {
            shown = path;
            blocks.extend(path.map(Block::Path));
        }
        let rows = run.iter().map(|(_, row)| *row);
        match (folds(&first), first.rust.zip(run[run.len() - 1].1.rust)) {
            (Some(true), Some((first, last))) => blocks.push(Block::Later(first, last)),
            (Some(false), Some((first, last))) if run.len() >= FOLDED => {
                blocks.push(Block::Ours(first, last));
            }
            _ => match blocks.last_mut() {
                Some(Block::Rows(last)) => last.extend(rows),
                _ => blocks.push(Block::Rows(rows.collect())),
            },
        }
    }
    blocks
}

fn rows(comparison: &Comparison) -> Vec<Row> {
    let mut rows = Vec::new();
    let (mut go, mut rust) = (0, 0);
    for (next_go, next_rust, paired) in anchors(comparison) {
        between(comparison, (go, rust), (next_go, next_rust), &mut rows);
        rows.push(Row {
            go: Some(next_go),
            rust: Some(next_rust),
            paired,
        });
        (go, rust) = (next_go + 1, next_rust + 1);
    }
    let end = (comparison.go.len(), comparison.rust.len());
    between(comparison, (go, rust), end, &mut rows);
    rows
}

/// The Go lines and lines of ours that share a row: pairs, and notes with the first line that they
/// cover, as far as these keep to the order of the pairs.
fn anchors(comparison: &Comparison) -> Vec<(usize, usize, bool)> {
    let mut anchors = Vec::new();
    let mut noted: Vec<(usize, usize)> = Vec::new();
    let mut from = (0, 0);
    let end = Cover::Paired(comparison.rust.len());
    for (go, cover) in comparison.cover.iter().chain([&end]).enumerate() {
        match *cover {
            Cover::Noted(note) => noted.push((go, comparison.notes[note].first)),
            Cover::Paired(rust) => {
                for (go, note) in noted.drain(..) {
                    if (from.1..rust).contains(&note) {
                        anchors.push((go, note, false));
                        from = (go + 1, note + 1);
                    }
                }
                anchors.push((go, rust, true));
                from = (go + 1, rust + 1);
            }
            _ => {}
        }
    }
    anchors.pop();
    anchors
}

/// The rows of the lines from `from` up to `to`, where there is no pair.
fn between(comparison: &Comparison, from: (usize, usize), to: (usize, usize), rows: &mut Vec<Row>) {
    let (mut go, mut rust) = from;
    let (mut go_end, mut rust_end) = to;
    let is_note = |rust| {
        let mut notes = comparison.notes.iter();
        notes.any(|n| (n.first..=n.last).contains(&rust))
    };
    let alike = |go: usize, rust: usize, kinds: &[Kind]| {
        let kind = comparison.go[go].kind;
        kind == comparison.rust[rust].kind && kinds.contains(&kind) && !is_note(rust)
    };
    // Brackets belong to what they close, so they go with the pair above; comments speak of what is
    // below them. What goes on with the statement of the pair above stands by what that carries.
    let continues = |rust: usize| comparison.rust[rust].text.trim_start().starts_with('.');
    let above = from.1.checked_sub(1).map(Cover::Carried);
    let goes_on = |go: usize, rust| Some(comparison.cover[go]) == above && continues(rust);
    // So do the lines that a note covers beside the lines of the note.
    let noted = |go: usize, rust: usize| match comparison.cover[go] {
        Cover::Noted(note) => {
            let note = &comparison.notes[note];
            note.first < rust && rust <= note.last
        }
        _ => false,
    };
    let beside = |go, rust| {
        alike(go, rust, &[Kind::Blank, Kind::Brace]) || goes_on(go, rust) || noted(go, rust)
    };
    while go < go_end && rust < rust_end && beside(go, rust) {
        rows.push(Row::unpaired(Some(go), Some(rust)));
        (go, rust) = (go + 1, rust + 1);
    }
    // From below, because a comment speaks of what comes after it.
    let mut last = Vec::new();
    while go < go_end && rust < rust_end {
        rust_end -= 1;
        if comparison.go[go_end - 1].kind == Kind::Code || comparison.later[rust_end] {
            last.push(Row::ours(rust_end));
        } else {
            go_end -= 1;
            last.push(Row::unpaired(Some(go_end), Some(rust_end)));
        }
    }
    rows.extend((go..go_end).map(|go| Row::unpaired(Some(go), None)));
    rows.extend((rust..rust_end).map(Row::ours));
    rows.extend(last.into_iter().rev());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::pair::compare::compare;
    use crate::sidebyside::read::article::Article;
    use crate::sidebyside::read::listings::Listing;
    use crate::sidebyside::read::notes::notes;
    use crate::sidebyside::read::programs::PROGRAMS;
    use crate::sidebyside::read::source::read;
    use crate::sidebyside::read::tokens::Language;

    fn course() -> Vec<Comparison> {
        let course = include_str!("../../../tests/data/sidebyside.md");
        let article = Article::parse("course".to_owned(), course);
        compare(&article, "any", |_| true).expect("it has programs of ours")
    }

    #[test]
    fn every_line_of_both_sides_is_in_one_row_and_in_order() {
        for comparison in course() {
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

    /// A comparison whose Go lines are covered so.
    fn covered(go: &str, rust: &str, cover: &[Cover], later: &[usize]) -> Comparison {
        let rust = read(Language::Rust, "a.rs", rust, 1);
        Comparison {
            listing: Listing {
                title: String::new(),
                line: 1,
                code: go.to_owned(),
            },
            program: &PROGRAMS[0],
            go: read(Language::Go, "", go, 1),
            cover: cover.to_vec(),
            notes: notes(&rust),
            later: (1..=rust.len())
                .map(|number| later.contains(&number))
                .collect(),
            rust,
            verdict: None,
        }
    }

    /// The rows as the numbers of both sides, and `fold` for folded lines.
    fn shown(comparison: &Comparison) -> String {
        let number = |line: Option<usize>| line.map_or("-".to_owned(), |i| (i + 1).to_string());
        let row = |row: &Row| format!("{}/{}", number(row.go), number(row.rust));
        let blocks = blocks(comparison).into_iter().map(|block| match block {
            Block::Path(_) => String::new(),
            Block::Ours(first, last) => format!("ours {}-{}", first + 1, last + 1),
            Block::Later(first, last) => format!("later {}-{}", first + 1, last + 1),
            Block::Rows(rows) => rows.iter().map(row).collect::<Vec<_>>().join(" "),
        });
        blocks.collect::<Vec<_>>().join(" ").trim().to_owned()
    }

    #[test]
    fn a_note_stands_beside_the_first_line_that_it_covers() {
        let rust = "a();\nx();\n// Go: why\n// not.\ny();\nd();\n";
        let cover = [
            Cover::Paired(0),
            Cover::Noted(0),
            Cover::Noted(0),
            Cover::Paired(5),
        ];
        let comparison = covered("a()\nb()\nc()\nd()\n", rust, &cover, &[]);
        assert_eq!(shown(&comparison), "1/1 -/2 2/3 3/4 -/5 4/6");
    }

    #[test]
    fn comments_share_rows_with_unpaired_lines_and_code_does_not() {
        let rust = "a();\nx();\ny();\nd();\n";
        let cover = [Cover::Paired(0), Cover::Gap, Cover::None, Cover::Paired(3)];
        let comparison = covered("a()\nb()\n// c\nd()\n", rust, &cover, &[]);
        assert_eq!(shown(&comparison), "1/1 2/- -/2 3/3 4/4");
    }

    #[test]
    fn later_stages_and_long_stretches_fold() {
        let lines: Vec<String> = (1..=13).map(|i| format!("x{i}();")).collect();
        let cover = [Cover::Paired(0), Cover::Paired(3), Cover::Paired(12)];
        let comparison = covered("a()\nb()\nc()\n", &lines.join("\n"), &cover, &[2, 3]);
        assert_eq!(shown(&comparison), "1/1 later 2-3 2/4 ours 5-12 3/13");
    }

    #[test]
    fn every_row_is_in_one_block_and_long_stretches_of_ours_fold() {
        for comparison in course() {
            let mut ours = Vec::new();
            let mut folds = 0;
            for block in blocks(&comparison) {
                match block {
                    Block::Path(_) => {}
                    Block::Ours(first, last) | Block::Later(first, last) => {
                        assert!(last - first + 1 >= FOLDED);
                        ours.extend(first..=last);
                        folds += 1;
                    }
                    Block::Rows(rows) => ours.extend(rows.iter().filter_map(|row| row.rust)),
                }
            }
            assert_eq!(ours, (0..comparison.rust.len()).collect::<Vec<_>>());
            assert!(folds > 0, "the options of our program are folded");
        }
    }
}
