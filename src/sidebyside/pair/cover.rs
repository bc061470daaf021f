//! What covers each line of a listing.
//!
//! Of a listing, the lines of code **count**: not blank lines, nor those of nothing but brackets, nor
//! the `package` clause and the imports, nor those of nothing but a comment (no prose of a course is
//! copied, so none could have a partner). A line that counts is
//!
//! - **paired** with one line of ours (see [`score`](crate::sidebyside::pair::score) for what makes a pair, and
//!   [`align`](crate::sidebyside::pair::align) for which pairs are chosen),
//! - or **carried** by a construct of Rust (see [`language`](crate::sidebyside::pair::language)), or by the
//!   one line of ours that does the same at another place,
//! - or **noted**: a `// Go:` comment of ours says why it has no partner. The line that the comment
//!   explains must be in the same hunk: between our lines that pair with, or carry, the nearest Go
//!   lines above and below, or one of those. One of those two Go lines must be in the same function
//!   of the listing, and both the Go line and the comment within [`NEAR`] lines of it and its place,
//! - or a **gap**.

use crate::sidebyside::pair::language::carried;
use crate::sidebyside::read::notes::Note;
use crate::sidebyside::read::source::{Kind, Line};

/// How far from its neighbours a note, and what it covers, can be: in lines of ours, and of the listing.
const NEAR: usize = 8;

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

impl Cover {
    /// The line of ours that does what the Go line does.
    pub fn partner(self) -> Option<usize> {
        match self {
            Cover::Paired(r) | Cover::Carried(r) => Some(r),
            _ => None,
        }
    }
}

/// How many lines count, and how many of those are covered by what.
#[derive(Clone, Copy, Default)]
pub struct Figures {
    pub paired: usize,
    pub carried: usize,
    pub noted: usize,
    pub gaps: usize,
}

impl Figures {
    pub fn of<'a>(covers: impl IntoIterator<Item = &'a Cover>) -> Figures {
        let mut figures = Figures::default();
        for cover in covers {
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

    /// The lines that count.
    pub fn lines(&self) -> usize {
        self.covered() + self.gaps
    }

    pub fn covered(&self) -> usize {
        self.paired + self.carried + self.noted
    }

    pub fn percent(&self) -> f64 {
        share(self.covered(), self.lines())
    }
}

/// A part of a whole in percent; all of nothing is 100.
pub fn share(part: usize, whole: usize) -> f64 {
    match whole {
        0 => 100.0,
        whole => 100.0 * part as f64 / whole as f64,
    }
}

/// A percentage as text, rounded down, so that 100 % means all.
pub fn percent(percent: f64) -> String {
    format!("{:.1} %", (percent * 10.0).floor() / 10.0)
}

/// What covers each Go line. `partners` holds the lines of ours that Go lines are paired with, `moved` those
/// that do the same at another place.
pub fn cover(
    go: &[Line],
    rust: &[Line],
    partners: &[Option<usize>],
    moved: &[Option<usize>],
    notes: &[Note],
) -> Vec<Cover> {
    let either = |a: &[Option<usize>], b: &[Option<usize>]| -> Vec<Option<usize>> {
        a.iter().zip(b).map(|(a, b)| a.or(*b)).collect()
    };
    let in_order = carried(go, rust, partners);
    // What ours does elsewhere says nothing of where the lines around it are.
    let places = either(partners, &in_order);
    let elsewhere = either(moved, &carried(go, rust, &either(partners, moved)));
    let carried = either(&in_order, &elsewhere);
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
    // What is carried from above says nothing of where the next lines are.
    let further = |line: &usize| above.is_none_or(|(_, above)| above < *line);
    let below = (g..go.len()).find_map(|other| Some((other, places[other].filter(further)?)));
    let within = |note: &Note| {
        let after = above.is_none_or(|(_, line)| line <= note.explains);
        after && below.is_none_or(|(_, line)| note.explains <= line)
    };
    let in_function = |(other, _): &(usize, usize)| {
        go[g].function.is_none() || go[g].function == go[*other].function
    };
    let distance = |note: &Note| {
        let anchors = above.into_iter().chain(below).filter(in_function);
        let distances = anchors.map(|(o, line)| o.abs_diff(g).max(line.abs_diff(note.explains)));
        distances.min().filter(|distance| *distance <= NEAR)
    };
    let near = notes.iter().enumerate().filter(|(_, note)| within(note));
    let near = near.filter_map(|(i, note)| Some((distance(note)?, i)));
    near.min().map(|(_, i)| i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::read::notes::notes;
    use crate::sidebyside::read::source::read;
    use crate::sidebyside::read::tokens::Language;

    const GO: &str = "func f() {\n\ta()\n\tb()\n\n\tc()\n\td()\n}\nfunc g() {\n\te()\n}\n";
    const RUST: &str =
        "fn f() {\n    // Go: of a\n    a();\n    x();\n    // Go: of x\n    y();\n    d();\n}\n";

    /// What covers each line that counts, where `pairs` are paired: `=`, the number of a note, `!`.
    fn covered(pairs: &[(usize, usize)], moved: &[(usize, usize)]) -> String {
        let (go, rust) = (
            read(Language::Go, "", GO, 1),
            read(Language::Rust, "", RUST, 1),
        );
        let of = |pairs: &[(usize, usize)]| {
            let mut lines = vec![None; go.len()];
            pairs.iter().for_each(|&(g, r)| lines[g] = Some(r));
            lines
        };
        let cover = cover(&go, &rust, &of(pairs), &of(moved), &notes(&rust));
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
        assert_eq!(covered(&[(0, 0), (1, 2), (5, 6)], &[]), "==01=!!");
        // Nothing of g is in a hunk with a note.
        assert_eq!(covered(&[(7, 0), (8, 6)], &[]), "!!!!!==");
    }

    #[test]
    fn line_done_elsewhere_is_carried_and_does_not_move_notes() {
        assert_eq!(covered(&[(0, 0), (1, 2), (5, 6)], &[(2, 5)]), "==~1=!!");
    }
}
