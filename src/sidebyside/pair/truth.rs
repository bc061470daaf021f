//! What pairs are right: tables made by reading each listing against our sources, by hand.
//!
//! A table (`src/sidebyside/pairs/`) starts with the hash of the listing that it was made for. Each line
//! has the number of a line of the listing, counted from 1, and a piece of the line of ours that belongs
//! beside it, or a `-` where it is right that none does. A piece is in one line of ours alone; with `a ... b`
//! it is the first line below that with `a` that has `b`. A line that Rust does by itself has the first line
//! of the statement that does it, such as the one with a `?`.

use twox_hash::XxHash3_128;

use crate::sidebyside::pair::cover::{Cover, share};
use crate::sidebyside::read::listings::Listing;
use crate::sidebyside::read::programs::Program;
use crate::sidebyside::read::source::Line;

/// How a comparison stands to its table.
#[derive(Debug, Default)]
pub struct Verdict {
    /// The pairs that the table has, how many of them were found, and how many wrong ones.
    pub pairs: usize,
    pub found: usize,
    pub wrong: usize,
    /// The Go lines whose partner is not the table's, and the place of that if there is one.
    pub faults: Vec<(usize, Option<usize>)>,
}

impl Verdict {
    /// The verdicts on several programs in one; none where there are none.
    pub fn all<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> Option<Verdict> {
        verdicts.fold(None, |all, verdict| {
            let mut all = all.unwrap_or(Verdict::default());
            all.pairs += verdict.pairs;
            all.found += verdict.found;
            all.wrong += verdict.wrong;
            Some(all)
        })
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

/// Holds the covers of a listing against the table of its program; none where that was made for another
/// listing.
pub fn verdict(
    program: &Program,
    listing: &Listing,
    rust: &[Line],
    cover: &[Cover],
) -> Option<Verdict> {
    let (hash, entries) = entries(program);
    (hash == fingerprint(&listing.code)).then(|| judge(&entries, rust, cover))
}

fn judge(entries: &[Entry], rust: &[Line], cover: &[Cover]) -> Verdict {
    let mut verdict = Verdict::default();
    for (number, piece) in entries {
        let go = number - 1;
        // A test sees to it that every piece is found.
        let right = piece.and_then(|piece| find(rust, piece).ok());
        let found = cover[go].partner();
        verdict.pairs += usize::from(piece.is_some());
        if right == found && right.is_some() == piece.is_some() {
            verdict.found += usize::from(found.is_some());
        } else {
            verdict.wrong += usize::from(found.is_some());
            verdict.faults.push((go, right));
        }
    }
    verdict
}

/// The number of a line of a listing, and a piece of its partner if it has one.
type Entry = (usize, Option<&'static str>);

/// The hash and the entries of a program's table.
fn entries(program: &Program) -> (&'static str, Vec<Entry>) {
    let mut lines = program.table.lines();
    let hash = lines
        .next()
        .and_then(|first| first.strip_prefix("listing "));
    let entry = |line: &'static str| {
        let (number, piece) = line.split_once(' ').expect("a number and a piece");
        let piece = Some(piece).filter(|piece| *piece != "-");
        (number.parse().expect("a number of a line"), piece)
    };
    (
        hash.expect("the hash of a listing"),
        lines.map(entry).collect(),
    )
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
    fn every_piece_of_every_table_is_in_one_line_of_ours() {
        let mut pairs = 0;
        for program in &PROGRAMS {
            let (_, entries) = entries(program);
            let rust = sources(program);
            assert!(entries.is_sorted_by_key(|(number, _)| *number));
            for (number, piece) in entries {
                let found = piece.map_or(Ok(0), |piece| find(&rust, piece));
                assert!(
                    found.is_ok(),
                    "src/sidebyside/pairs/{}.txt, line {number} of the listing: {}; if the source has \
                     changed, give a piece of the line that does the same now",
                    program.slug(),
                    found.unwrap_err()
                );
                pairs += usize::from(piece.is_some());
            }
        }
        assert!(pairs >= 350, "the tables have only {pairs} pairs");
    }

    #[test]
    fn pieces_are_found_one_below_the_other() {
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
    fn a_wrong_pair_lowers_precision_and_a_missing_one_recall() {
        let rust = read(Language::Rust, "a.rs", "a();\nb();\nc();\n", 1);
        let entries = [
            (1, Some("a(")),
            (2, Some("b(")),
            (3, Some("c(")),
            (4, None),
            (5, None),
        ];
        let mut cover = [
            Cover::Paired(0),
            Cover::Carried(1),
            Cover::Noted(0),
            Cover::Gap,
            Cover::None,
        ];
        let verdict = judge(&entries, &rust, &cover);
        assert_eq!(
            (verdict.precision(), verdict.faults),
            (100.0, vec![(2, Some(2))])
        );
        cover[2] = Cover::Paired(2);
        cover[3] = Cover::Paired(2);
        let verdict = judge(&entries, &rust, &cover);
        assert_eq!((verdict.precision(), verdict.recall()), (75.0, 100.0));
        assert_eq!(verdict.faults, [(3, None)]);
    }

    #[test]
    fn line_ends_do_not_make_another_listing() {
        assert_eq!(fingerprint("a\n b \r\n\n"), fingerprint("a\n b"));
        assert_ne!(fingerprint("a\nb"), fingerprint("a\n b"));
    }
}
