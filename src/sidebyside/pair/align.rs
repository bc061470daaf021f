//! Pairing the lines of one listing with the lines of several files, by dynamic programming.
//!
//! A Go program is one listing; ours may be spread over a file in `bin/` and a module or two. Their
//! top-level parts (declarations with their comments) are interleaved: each file keeps its own
//! order, and of all interleavings and all pairings that keep to them, the one is taken in which
//! the pairs are the most alike in sum. So within a file nothing is out of order, and still each
//! function of the listing can meet its counterpart, whichever file that is in.
//!
//! The sum is found exactly. For each choice of how many parts of each file have been placed, and
//! of the file that the last one came from, a row holds the best sum for each number of Go lines
//! placed so far; placing one more part extends the row as in a longest common subsequence.

use std::ops::Range;

/// What it costs to go on in another file. Without it, parts that match nothing would scatter.
pub const SWITCH: i64 = 12;

/// A pairing of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alignment {
    /// The Rust lines in the order in which they are shown: each once, each file in its own order.
    pub order: Vec<usize>,
    /// The pairs of a Go line and a Rust line; both go on in the order in which they are shown.
    pub pairs: Vec<(usize, usize)>,
}

/// Pairs `go` lines with the lines of `files`: for each file, how many lines each of its parts has.
///
/// Rust lines are counted from 0 over all files in turn. `similarity` says how alike a Go line and a
/// Rust line are; 0 is for those that can be no pair. The same input gives the same result.
pub fn align(
    go: usize,
    files: &[Vec<usize>],
    similarity: impl Fn(usize, usize) -> u32,
) -> Alignment {
    let files = ranges(files);
    let grid = Grid::new(&files);
    // What can be no pair must never be worth one.
    let alike = |g, r| match similarity(g, r) {
        0 => i64::MIN / 2,
        alike => i64::from(alike),
    };
    let extend = |row: Vec<i64>, part: Range<usize>| {
        let mut rows = vec![row];
        for rust in part {
            let before = &rows[rows.len() - 1];
            let mut row = before.clone();
            for i in 1..=go {
                let paired = before[i - 1] + alike(i - 1, rust);
                row[i] = row[i].max(row[i - 1]).max(paired);
            }
            rows.push(row);
        }
        rows
    };

    // states[at][file]: the last row after the parts of `at`, the last of which came from `file`.
    let mut states: Vec<Vec<Option<Vec<i64>>>> = Vec::with_capacity(grid.len);
    for at in 0..grid.len {
        let state = (0..files.len()).map(|file| {
            let (before, part) = grid.before(at, file)?;
            let row = arriving(&states[before], file, go)?;
            extend(row, files[file][part].clone()).pop()
        });
        let state = state.collect();
        states.push(state);
    }

    let mut parts = Vec::new();
    let mut pairs = Vec::new();
    let mut at = grid.len - 1;
    let mut lines = go;
    let mut next = None;
    while let Some(file) = came_from(&states[at], next, lines) {
        let (before, part) = grid
            .before(at, file)
            .expect("a state that was reached has a past");
        let row = arriving(&states[before], file, go).expect("as above");
        let part = files[file][part].clone();
        let rows = extend(row, part.clone());
        for (i, rust) in part.clone().enumerate().rev() {
            while lines > 0 && rows[i + 1][lines] == rows[i + 1][lines - 1] {
                lines -= 1;
            }
            // Of pairs that are as good, the one with our later line: what opens a block stands by
            // the block.
            if lines > 0 && rows[i + 1][lines] == rows[i][lines - 1] + alike(lines - 1, rust) {
                lines -= 1;
                pairs.push((lines, rust));
            }
        }
        parts.push(part);
        (at, next) = (before, Some(file));
    }
    pairs.reverse();
    Alignment {
        order: parts.into_iter().rev().flatten().collect(),
        pairs,
    }
}

/// The best row with which a part of `file` can be placed next, where one can.
fn arriving(state: &[Option<Vec<i64>>], file: usize, go: usize) -> Option<Vec<i64>> {
    if state.iter().all(Option::is_none) {
        return Some(vec![0; go + 1]);
    }
    let rows = state
        .iter()
        .enumerate()
        .filter_map(|(last, row)| Some((last, row.as_ref()?)));
    rows.map(|(last, row)| row.iter().map(|sum| sum - cost(last, file)).collect())
        .reduce(|best: Vec<i64>, row: Vec<i64>| {
            best.iter().zip(&row).map(|(a, b)| *a.max(b)).collect()
        })
}

/// The file whose part was placed last, where that was followed by one of `next`.
fn came_from(state: &[Option<Vec<i64>>], next: Option<usize>, lines: usize) -> Option<usize> {
    let sum = |last: usize| {
        let row = state[last].as_ref()?;
        Some(row[lines] - next.map_or(0, |next| cost(last, next)))
    };
    (0..state.len())
        .filter_map(|last| Some((sum(last)?, next == Some(last), last)))
        .max()
        .map(|(.., last)| last)
}

fn cost(last: usize, next: usize) -> i64 {
    if last == next { 0 } else { SWITCH }
}

/// The lines of each part of each file.
fn ranges(files: &[Vec<usize>]) -> Vec<Vec<Range<usize>>> {
    let mut start = 0;
    let mut range = |&lines: &usize| {
        start += lines;
        start - lines..start
    };
    files
        .iter()
        .map(|parts| parts.iter().map(&mut range).collect())
        .collect()
}

/// How many parts of each file have been placed, as one number: the digits of a mixed base.
struct Grid {
    strides: Vec<usize>,
    bases: Vec<usize>,
    len: usize,
}

impl Grid {
    fn new(files: &[Vec<Range<usize>>]) -> Grid {
        let bases: Vec<usize> = files.iter().map(|parts| parts.len() + 1).collect();
        let mut len = 1;
        let strides = bases.iter().map(|base| {
            len *= base;
            len / base
        });
        Grid {
            strides: strides.collect(),
            bases,
            len,
        }
    }

    /// The place before the last part of `file` was placed, and which part that was.
    fn before(&self, at: usize, file: usize) -> Option<(usize, usize)> {
        let placed = at / self.strides[file] % self.bases[file];
        Some((at.checked_sub(self.strides[file])?, placed.checked_sub(1)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Lines are letters; equal letters are alike, and capitals the more so.
    fn letters(go: &str, files: &[&[&str]]) -> (String, String) {
        let rust: Vec<u8> = files.concat().concat().into_bytes();
        let go = go.as_bytes();
        let sizes: Vec<Vec<usize>> = files
            .iter()
            .map(|parts| parts.iter().map(|part| part.len()).collect())
            .collect();
        let alignment = align(go.len(), &sizes, |g, r| match (go[g] == rust[r], go[g]) {
            (false, _) => 0,
            (true, letter) => {
                if letter.is_ascii_uppercase() {
                    100
                } else {
                    10
                }
            }
        });
        let order = alignment.order.iter().map(|&r| rust[r] as char).collect();
        let pairs = alignment
            .pairs
            .iter()
            .map(|&(g, _)| go[g] as char)
            .collect();
        (order, pairs)
    }

    #[test]
    fn lines_pair_in_order_and_runs_of_either_side_stand_alone() {
        assert_eq!(
            letters("abcde", &[&["xbyde"]]),
            ("xbyde".into(), "bde".into())
        );
        assert_eq!(letters("abc", &[&["cab"]]).1, "ab");
        assert_eq!(letters("aBc", &[&["cBa"]]).1, "B");
        assert_eq!(letters("", &[&["ab"]]), ("ab".into(), String::new()));
        assert_eq!(letters("ab", &[&[]]), (String::new(), String::new()));
        assert_eq!(letters("ab", &[]), (String::new(), String::new()));
    }

    #[test]
    fn parts_of_several_files_meet_the_listing_in_its_order() {
        // The listing's main is in the second file, between two functions of the first.
        assert_eq!(
            letters("ABCDEF", &[&["ABx", "EFy"], &["z", "CD"]]),
            ("ABxzCDEFy".into(), "ABCDEF".into())
        );
        // Within a file nothing changes places.
        assert_eq!(letters("ABCD", &[&["CD", "AB"]]).1.len(), 2);
    }

    #[test]
    fn what_is_alike_in_passing_is_not_worth_a_change_of_file() {
        assert_eq!(letters("BaC", &[&["B", "C"], &["a"]]).0, "BCa");
    }

    fn sizes() -> impl Strategy<Value = Vec<Vec<usize>>> {
        prop::collection::vec(prop::collection::vec(0..6_usize, 0..5), 0..4)
    }

    proptest! {
        #[test]
        fn an_alignment_is_monotone_covers_every_line_once_and_is_the_same_again(
            go in 0..30_usize,
            files in sizes(),
            table in prop::collection::vec(prop_oneof![Just(0_u32), 0..60_u32], 30 * 90),
        ) {
            let similarity = |g: usize, r: usize| table[g * 90 + r];
            let found = align(go, &files, similarity);
            let total: usize = files.iter().flatten().sum();

            let mut covered = found.order.clone();
            covered.sort_unstable();
            prop_assert_eq!(covered, (0..total).collect::<Vec<_>>());

            let file = |line: usize| {
                let mut end = 0;
                files.iter().position(|parts| { end += parts.iter().sum::<usize>(); line < end })
            };
            for f in 0..files.len() {
                let own: Vec<_> = found.order.iter().filter(|l| file(**l) == Some(f)).collect();
                prop_assert!(own.is_sorted(), "file {} is out of order: {:?}", f, own);
            }

            let place = |line: usize| found.order.iter().position(|l| *l == line);
            for pair in found.pairs.windows(2) {
                prop_assert!(pair[0].0 < pair[1].0 && place(pair[0].1) < place(pair[1].1));
            }
            for &(g, r) in &found.pairs {
                prop_assert!(g < go && similarity(g, r) > 0);
            }
            prop_assert_eq!(found, align(go, &files, similarity));
        }

        #[test]
        fn no_pairing_of_one_file_is_better(
            go in 0..6_usize,
            rust in 0..6_usize,
            table in prop::collection::vec(0..40_u32, 36),
        ) {
            fn best(go: usize, rust: usize, table: &[u32]) -> u32 {
                if go == 0 || rust == 0 {
                    return 0;
                }
                let paired = best(go - 1, rust - 1, table) + table[(go - 1) * 6 + rust - 1];
                paired.max(best(go - 1, rust, table)).max(best(go, rust - 1, table))
            }
            let found = align(go, &[vec![rust]], |g, r| table[g * 6 + r]);
            let sum: u32 = found.pairs.iter().map(|&(g, r)| table[g * 6 + r]).sum();
            prop_assert_eq!(sum, best(go, rust, &table));
        }
    }
}
