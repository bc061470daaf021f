//! One listing beside our program: which lines are pairs, and what covers the others.
//!
//! Of a listing, the lines of code **count**: not blank lines, nor those of nothing but brackets, nor
//! the `package` clause and the imports, nor those of nothing but a comment (no prose of a course is
//! copied, so none could have a partner). A line that counts is
//!
//! - **paired** with one line of ours (see [`score`](crate::sidebyside::pair::score) for what makes a pair, and
//!   [`align`](crate::sidebyside::pair::align) for which pairs are chosen),
//! - or **carried** by a construct of Rust (see [`language`](crate::sidebyside::pair::language)),
//! - or **noted**: a `// Go:` comment of ours says why it has no partner. The line that the comment
//!   explains must be in the same hunk: between our lines that pair with, or carry, the nearest Go
//!   lines above and below, or one of those. One of those two Go lines must be in the same function
//!   of the listing, and both the Go line and the comment within [`NEAR`] lines of it and its place;
//!   if the comment explains that very line of ours, no blank line of the listing may be between,
//! - or a **gap**.

use std::io;

use crate::sidebyside::pair::align::align;
use crate::sidebyside::pair::language::{answers, carried, error_handling};
use crate::sidebyside::pair::score::Score;
use crate::sidebyside::read::article::{Article, invalid};
use crate::sidebyside::read::listings::Listing;
use crate::sidebyside::read::notes::{Note, notes};
use crate::sidebyside::read::programs::Program;
use crate::sidebyside::read::source::{Kind, Line, read};
use crate::sidebyside::read::tokens::Language;
use crate::text::printable;

/// How far from its neighbours a note, and what it covers, can be: in lines of ours, and of the listing.
pub const NEAR: usize = 8;

/// A listing beside our program.
#[derive(Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The listing.
    pub listing: Listing,
    /// Our program.
    pub program: &'static Program,
    /// The lines of the listing.
    pub go: Vec<Line>,
    /// Our lines, in the order in which they are shown.
    pub rust: Vec<RustLine>,
    /// What covers each line of the listing.
    pub cover: Vec<Cover>,
    /// The `// Go:` comments of ours, by the places of their lines in `rust`.
    pub notes: Vec<Note>,
    /// Whether a line of ours belongs to a later stage.
    pub later: Vec<bool>,
}

/// A line of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RustLine {
    /// The file that it is in, in the repository.
    pub path: &'static str,
    /// The line.
    pub line: Line,
}

/// What covers a Go line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// It does not count.
    None,
    /// Paired with this line of ours.
    Paired(usize),
    /// Carried by a construct in this line of ours.
    Carried(usize),
    /// Explained by this note.
    Noted(usize),
    /// Nothing covers it.
    Gap,
}

/// How many lines of a listing count, and how many of those are covered by what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Lines paired with one of ours.
    pub paired: usize,
    /// Lines carried by a construct of Rust.
    pub carried: usize,
    /// Lines explained by a note.
    pub noted: usize,
    /// Lines that nothing covers.
    pub gaps: usize,
}

impl Figures {
    /// The lines that count.
    pub fn lines(&self) -> usize {
        self.covered() + self.gaps
    }

    /// The lines that are covered.
    pub fn covered(&self) -> usize {
        self.paired + self.carried + self.noted
    }

    /// How much is covered, as text, rounded down, so that 100 % means all.
    pub fn shown(&self) -> String {
        format!("{:.1} %", (self.percent() * 10.0).floor() / 10.0)
    }

    /// How many of a hundred lines are covered; 100 where no line counts.
    pub fn percent(&self) -> f64 {
        match self.lines() {
            0 => 100.0,
            lines => 100.0 * self.covered() as f64 / lines as f64,
        }
    }
}

impl std::iter::Sum for Figures {
    fn sum<I: Iterator<Item = Figures>>(figures: I) -> Figures {
        figures.fold(Figures::default(), |a, b| Figures {
            paired: a.paired + b.paired,
            carried: a.carried + b.carried,
            noted: a.noted + b.noted,
            gaps: a.gaps + b.gaps,
        })
    }
}

/// Compares the originals of the programs that `wanted` is true for.
///
/// # Errors
/// There are none; `what` says what was wanted.
pub fn compare(
    article: &Article,
    what: &str,
    wanted: impl Fn(&Program) -> bool,
) -> io::Result<Vec<Comparison>> {
    let originals = article
        .originals
        .iter()
        .filter(|(_, program)| wanted(program));
    let comparisons: Vec<Comparison> = originals
        .map(|(listing, program)| Comparison::new(listing.clone(), program))
        .collect();
    if comparisons.is_empty() {
        let name = printable(&article.name);
        return Err(invalid(format!(
            "{name} has no listing of {what}; without a program's name, all that it has is listed"
        )));
    }
    Ok(comparisons)
}

impl Comparison {
    /// Compares a listing with the program whose original it is.
    pub fn new(listing: Listing, program: &'static Program) -> Comparison {
        let go = read(Language::Go, &listing.code, listing.line);
        let mut rust = Vec::new();
        let mut files = Vec::new();
        for source in program.sources {
            let lines = read(Language::Rust, source.text, 1);
            let parts = lines.chunk_by(|a, b| a.part == b.part).map(<[Line]>::len);
            files.push(parts.collect());
            let line = |line| RustLine {
                path: source.path,
                line,
            };
            rust.extend(lines.into_iter().map(line));
        }
        let lines: Vec<Line> = rust.iter().map(|line| line.line.clone()).collect();
        let score = Score::new(&go, &lines);
        // The handling of an error belongs to its call, and is like that of any other. So the calls
        // find their partners first, and the handling is paired only where that of its call can be.
        let handled = error_handling(&go);
        let similarity = |left_out: bool, g: usize, r: usize| match left_out {
            true => 0,
            false => score.similarity(g, r),
        };
        let calls = align(go.len(), &files, |g, r| {
            similarity(handled[g].is_some(), g, r)
        });
        let calls = partners(go.len(), calls.pairs.into_iter());
        let left_out = |call: &Option<usize>| {
            call.is_some_and(|call| calls[call].is_none_or(|r| !answers(&lines, r)))
        };
        let left_out: Vec<bool> = handled.iter().map(left_out).collect();
        let alignment = align(go.len(), &files, |g, r| similarity(left_out[g], g, r));

        let rust: Vec<RustLine> = alignment.order.iter().map(|&r| rust[r].clone()).collect();
        let mut place = vec![0; rust.len()];
        for (shown, &r) in alignment.order.iter().enumerate() {
            place[r] = shown;
        }
        let partners = partners(
            go.len(),
            alignment.pairs.iter().map(|&(g, r)| (g, place[r])),
        );
        let lines: Vec<Line> = rust.iter().map(|line| line.line.clone()).collect();
        let notes = notes(&lines);
        let cover = cover(&go, &lines, &partners, &notes);
        let n = lines.len();
        Comparison {
            listing,
            program,
            go,
            rust,
            cover,
            notes,
            later: vec![false; n],
        }
    }

    /// How much of the listing is covered.
    pub fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        for cover in &self.cover {
            match cover {
                Cover::None => {}
                Cover::Paired(_) => figures.paired += 1,
                Cover::Carried(_) => figures.carried += 1,
                Cover::Noted(_) => figures.noted += 1,
                Cover::Gap => figures.gaps += 1,
            }
        }
        figures
    }
}

/// The Rust line that each Go line is paired with.
fn partners(go: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Vec<Option<usize>> {
    let mut partners = vec![None; go];
    for (g, r) in pairs {
        partners[g] = Some(r);
    }
    partners
}

fn cover(go: &[Line], rust: &[Line], partners: &[Option<usize>], notes: &[Note]) -> Vec<Cover> {
    let carried = carried(go, rust, partners);
    let places: Vec<_> = partners
        .iter()
        .zip(&carried)
        .map(|(p, c)| p.or(*c))
        .collect();
    let cover = |g: usize| match (go[g].kind, partners[g], carried[g]) {
        (Kind::Code, Some(r), _) => Cover::Paired(r),
        (Kind::Code, None, Some(r)) => Cover::Carried(r),
        (Kind::Code, None, None) => match note_near(go, &places, notes, g) {
            Some(note) => Cover::Noted(note),
            None => Cover::Gap,
        },
        _ => Cover::None,
    };
    (0..go.len()).map(cover).collect()
}

/// The note that covers a Go line, see the top of this module. `places` are the lines of ours that Go
/// lines are paired with or carried by.
fn note_near(go: &[Line], places: &[Option<usize>], notes: &[Note], g: usize) -> Option<usize> {
    let above = (0..g).rev().find_map(|other| Some((other, places[other]?)));
    let below = (g..go.len()).find_map(|other| Some((other, places[other]?)));
    // What is said of a pair is not said of what a blank line parts from it.
    let parted = |other: usize| {
        let between = &go[g.min(other)..g.max(other)];
        between.iter().any(|line| line.kind == Kind::Blank)
    };
    let within = |note: &Note| {
        let after = |(other, line)| line < note.explains || line == note.explains && !parted(other);
        let before =
            |(other, line)| note.explains < line || line == note.explains && !parted(other);
        above.is_none_or(after) && below.is_none_or(before)
    };
    let near_enough = |note: &Note| {
        let anchors = [above, below]
            .into_iter()
            .flatten()
            .filter(|&(other, _)| go[g].function.is_none() || go[g].function == go[other].function);
        let distances =
            anchors.map(|(other, line)| other.abs_diff(g).max(line.abs_diff(note.explains)));
        distances.min().filter(|distance| *distance <= NEAR)
    };
    let near = notes.iter().enumerate().filter(|(_, note)| within(note));
    near.filter_map(|(i, note)| Some((near_enough(note)?, i)))
        .min()
        .map(|(_, i)| i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::read::notes::notes;

    const GO: &str = "func f() {\n\ta()\n\tb()\n\n\tc()\n\td()\n}\nfunc g() {\n\te()\n}\n";
    const RUST: &str =
        "fn f() {\n    // Go: of a\n    a();\n    x();\n    // Go: of x\n    y();\n    d();\n}\n";

    /// What covers each line that counts, where `pairs` are paired: `=`, the number of a note, `!`.
    fn covered(pairs: &[(usize, usize)]) -> String {
        let (go, rust) = (read(Language::Go, GO, 1), read(Language::Rust, RUST, 1));
        let partners = partners(go.len(), pairs.iter().copied());
        let cover = cover(&go, &rust, &partners, &notes(&rust));
        let mark = |cover: &Cover| match cover {
            Cover::None => None,
            Cover::Paired(_) => Some('='),
            Cover::Carried(_) => Some('~'),
            Cover::Noted(note) => Some(if *note == 0 { '0' } else { '1' }),
            Cover::Gap => Some('!'),
        };
        cover.iter().filter_map(mark).collect()
    }

    #[test]
    fn a_note_covers_what_is_beside_it() {
        // f, a, b, c, d; g, e: b is beside the note of a, c beside that of x.
        assert_eq!(covered(&[(0, 0), (1, 2), (5, 6)]), "==01=!!");
        // Nothing of g is in a hunk with a note.
        assert_eq!(covered(&[(7, 0), (8, 6)]), "!!!!!==");
    }

    #[test]
    fn what_is_said_of_a_pair_is_not_said_of_what_comes_after_a_blank_line() {
        assert_eq!(covered(&[(1, 2), (5, 3)]), "0=0!=!!");
    }
}
