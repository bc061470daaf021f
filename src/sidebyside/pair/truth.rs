//! What pairs are right: tables made by reading each listing against our sources, by hand.
//!
//! A table (`src/sidebyside/pairs/`) starts with the hash of the listing that it was made for. Each line
//! has the number of a line of the listing, counted from 1, and a piece of the line of ours that belongs
//! beside it, or a `-` where it is right that none does. A piece is in one line of ours alone; with `a ... b`
//! it is the first line below that with `a` that has `b`. A line that Rust does by itself has the first line
//! of the statement that does it, such as the one with a `?`.

use std::io;

use twox_hash::XxHash3_128;

use crate::sidebyside::pair::cover::{Cover, share};
use crate::sidebyside::read::article::invalid;
use crate::sidebyside::read::listings::Listing;
use crate::sidebyside::read::programs::Program;
use crate::sidebyside::read::source::Line;

/// How a comparison stands to its table.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The pairs that the table has, how many of them were found, and how many wrong ones.
    pub pairs: usize,
    pub found: usize,
    pub wrong: usize,
    /// The Go lines whose partner is not the table's, and the place of that if there is one.
    pub faults: Vec<(usize, Option<usize>)>,
}

impl Verdict {
    /// The verdict on two programs, without their faults.
    pub fn and(self, other: Verdict) -> Verdict {
        Verdict {
            pairs: self.pairs + other.pairs,
            found: self.found + other.found,
            wrong: self.wrong + other.wrong,
            faults: Vec::new(),
        }
    }

    /// How many percent of the pairs found for lines of the table are the table's.
    pub fn precision(&self) -> f64 {
        share(self.found, self.found + self.wrong)
    }

    /// How many percent of the table's pairs were found.
    pub fn recall(&self) -> f64 {
        share(self.found, self.pairs)
    }
}

/// Checks the covers of a listing against the table of its program; none where that was made for another
/// listing.
///
/// # Errors
/// The table has a line that the listing or ours does not have.
pub fn verdict(
    program: &Program,
    listing: &Listing,
    rust: &[Line],
    cover: &[Cover],
) -> io::Result<Option<Verdict>> {
    let (hash, table) = program.table.split_once('\n').unwrap_or_default();
    if hash != format!("listing {}", fingerprint(&listing.code)) {
        return Ok(None);
    }
    let entries = entries(table, cover.len(), rust).map_err(|why| {
        let slug = program.slug();
        invalid(format!(
            "src/sidebyside/pairs/{slug}.txt does not fit, {why}"
        ))
    })?;
    Ok(Some(judge(&entries, cover)))
}

fn judge(entries: &[Entry], cover: &[Cover]) -> Verdict {
    let mut verdict = Verdict::default();
    for &(go, right) in entries {
        let found = cover[go].partner();
        verdict.pairs += usize::from(right.is_some());
        if right == found {
            verdict.found += usize::from(found.is_some());
        } else {
            verdict.wrong += usize::from(found.is_some());
            verdict.faults.push((go, right));
        }
    }
    verdict
}

/// The place of a Go line, and that of its partner if it has one.
type Entry = (usize, Option<usize>);

/// Reads a table for a listing of `go` lines.
fn entries(table: &str, go: usize, rust: &[Line]) -> Result<Vec<Entry>, String> {
    let entry = |line: &str| {
        let (number, piece) = line.split_once(' ').unwrap_or((line, ""));
        let place = |piece| find(rust, piece).map_err(|why| format!("line {number}: {why}"));
        let partner = Some(piece).filter(|piece| *piece != "-").map(place);
        match number.parse::<usize>() {
            Ok(number) if (1..=go).contains(&number) => Ok((number - 1, partner.transpose()?)),
            _ => Err(format!("the listing has no line {number:?}")),
        }
    };
    table.lines().map(entry).collect()
}

/// A hash of a listing, whatever its line ends and the space at them.
fn fingerprint(code: &str) -> String {
    let lines: Vec<&str> = code.trim_end().lines().map(str::trim_end).collect();
    format!("{:032x}", XxHash3_128::oneshot(lines.join("\n").as_bytes()))
}

/// The place of the one line of ours that a piece is in.
fn find(rust: &[Line], piece: &str) -> Result<usize, String> {
    let has = |at: usize, piece: &str| rust[at].is_code() && rust[at].text.contains(piece);
    let mut pieces = piece.split(" ... ");
    let first = pieces.next().unwrap_or_default();
    let places: Vec<usize> = (0..rust.len()).filter(|at| has(*at, first)).collect();
    let [mut place] = places[..] else {
        let count = places.len();
        return Err(format!(
            "{count} lines of ours have the piece {first:?}, expected one"
        ));
    };
    for piece in pieces {
        let path = rust[place].path;
        let below = (place + 1..rust.len()).find(|at| rust[*at].path == path && has(*at, piece));
        place = below.ok_or_else(|| {
            format!("no line of ours has the piece {piece:?} below the one with {first:?}")
        })?;
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::read::programs::PROGRAMS;
    use crate::sidebyside::read::source::read;
    use crate::sidebyside::read::tokens::Language;

    fn sources(program: &Program) -> Vec<Line> {
        let sources = program.sources.iter();
        sources
            .flat_map(|source| read(Language::Rust, source.path, source.text, 1))
            .collect()
    }

    #[test]
    fn every_piece_of_every_table_matches_exactly_one_line() {
        let mut pairs = 0;
        for program in &PROGRAMS {
            let (_, table) = program.table.split_once('\n').expect("a hash and pairs");
            let entries = entries(table, usize::MAX, &sources(program)).unwrap_or_else(|why| {
                panic!(
                    "src/sidebyside/pairs/{}.txt, {why}; if the source has changed, give a piece of the line \
                     that does the same now",
                    program.slug()
                )
            });
            assert!(entries.is_sorted_by_key(|(go, _)| *go));
            pairs += entries.iter().filter(|(_, right)| right.is_some()).count();
        }
        assert!(pairs >= 350, "the tables have only {pairs} pairs");
    }

    #[test]
    fn pieces_are_found_from_top_to_bottom() {
        let rust = read(
            Language::Rust,
            "a.rs",
            "a();\nb();\n// c();\nb(); a2();\nd();\n",
            1,
        );
        assert_eq!(find(&rust, "d("), Ok(4));
        assert_eq!(find(&rust, "a2 ... d"), Ok(4));
        assert_eq!(find(&rust, "a(); ... b"), Ok(1));
        assert_eq!(
            find(&rust, "b()").unwrap_err(),
            "2 lines of ours have the piece \"b()\", expected one"
        );
        assert!(find(&rust, "c()").is_err() && find(&rust, "d( ... a").is_err());
    }

    #[test]
    fn a_table_that_does_not_fit_is_an_error_in_one_line() {
        let program = &PROGRAMS[0];
        let rust = sources(program);
        for (table, why) in [
            ("9 fn main", "the listing has no line \"9\""),
            ("x", "the listing has no line \"x\""),
            (
                "2 fn none(",
                "line 2: 0 lines of ours have the piece \"fn none(\", expected one",
            ),
        ] {
            assert_eq!(entries(table, 8, &rust), Err(why.to_owned()), "{table}");
        }
        assert_eq!(entries("8 -", 8, &rust), Ok(vec![(7, None)]));
    }

    #[test]
    fn a_wrong_pair_lowers_precision_and_a_missing_one_recall() {
        let entries = [
            (0, Some(0)),
            (1, Some(1)),
            (2, Some(2)),
            (3, None),
            (4, None),
        ];
        let mut cover = [
            Cover::Paired(0),
            Cover::Carried(1),
            Cover::Noted(0),
            Cover::Gap,
            Cover::None,
        ];
        let verdict = judge(&entries, &cover);
        assert_eq!(
            (verdict.precision(), verdict.faults),
            (100.0, vec![(2, Some(2))])
        );
        cover[2] = Cover::Paired(2);
        cover[3] = Cover::Paired(2);
        let verdict = judge(&entries, &cover);
        assert_eq!((verdict.precision(), verdict.recall()), (75.0, 100.0));
        assert_eq!(verdict.faults, [(3, None)]);
    }

    #[test]
    fn line_endings_do_not_change_the_fingerprint() {
        assert_eq!(fingerprint("a\n b \r\n\n"), fingerprint("a\n b"));
        assert_ne!(fingerprint("a\nb"), fingerprint("a\n b"));
    }
}
