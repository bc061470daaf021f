//! A listing beside our program, line by line.

use std::collections::BTreeSet;
use std::io;

use crate::sidebyside::pair::align::align;
use crate::sidebyside::pair::cover::{Cover, Figures, cover};
use crate::sidebyside::pair::language::{answers, error_handling, handles};
use crate::sidebyside::pair::score::{Score, is_same_function};
use crate::sidebyside::pair::stages::{Place, later, runs};
use crate::sidebyside::pair::truth::{Verdict, verdict};
use crate::sidebyside::read::article::{Article, invalid};
use crate::sidebyside::read::listings::Listing;
use crate::sidebyside::read::notes::{Note, notes};
use crate::sidebyside::read::programs::Program;
use crate::sidebyside::read::source::{Kind, Line, read};
use crate::sidebyside::read::tokens::Language;
use crate::text::printable;

pub struct Comparison {
    pub listing: Listing,
    pub program: &'static Program,
    /// The lines of the listing.
    pub go: Vec<Line>,
    /// Our lines, in the order in which they are shown.
    pub rust: Vec<Line>,
    /// What covers each line of the listing.
    pub cover: Vec<Cover>,
    /// The `// Go:` comments of ours, by the places of their lines in `rust`.
    pub notes: Vec<Note>,
    /// For each line of ours, whether only a later stage of the chat room has it.
    pub later: Vec<bool>,
    /// What the table of right pairs says; none where that is for another listing.
    pub verdict: Option<Verdict>,
}

/// Compares the originals of the programs that `wanted` is true for.
///
/// # Errors
/// There are none, `what` says what was wanted; or a table of right pairs does not fit.
pub fn compare(
    article: &Article,
    what: &str,
    wanted: impl Fn(&Program) -> bool,
) -> io::Result<Vec<Comparison>> {
    let originals = article.originals.iter();
    let comparisons = originals.map(|(listing, program)| Comparison::new(listing.clone(), program));
    let mut comparisons: Vec<Comparison> = comparisons.collect::<io::Result<_>>()?;
    for i in 0..comparisons.len() {
        let (program, rust) = (comparisons[i].program, &comparisons[i].rust);
        let has_later = |other: &&Comparison| {
            let stages = program.stage.zip(other.program.stage);
            stages.is_some_and(|(_, other)| !program.has_stage(other))
        };
        let others = comparisons.iter().filter(has_later);
        let theirs = others.flat_map(Comparison::partners).collect();
        let runs = runs(program, rust);
        comparisons[i].later = later(rust, &comparisons[i].partners(), &theirs, &runs);
    }
    comparisons.retain(|comparison| wanted(comparison.program));
    if comparisons.is_empty() {
        let name = printable(&article.name);
        return Err(invalid(format!(
            "{name} has no listing of {what}; without a program's name, all that it has is listed"
        )));
    }
    Ok(comparisons)
}

/// The figures of all comparisons together, and their verdict if there are tables for them.
pub fn together(comparisons: &[Comparison]) -> (Figures, Option<Verdict>) {
    let verdicts = comparisons.iter().filter_map(|c| c.verdict.as_ref());
    let covers = comparisons.iter().flat_map(|c| &c.cover);
    (Figures::of(covers), verdicts.cloned().reduce(Verdict::and))
}

impl Comparison {
    /// Compares a listing with the program whose original it is.
    fn new(listing: Listing, program: &'static Program) -> io::Result<Comparison> {
        let go = read(Language::Go, "", &listing.code, listing.line);
        let rust = in_order(&go, program);
        let score = Score::new(&go, &rust);
        let runs = runs(program, &rust);
        let alike = |g: usize, r: usize| match runs[r] {
            Some(false) => 0,
            _ => score.similarity(g, r),
        };
        // The handling of an error belongs to its call, and is like that of any other. So the calls
        // find their partners first, and the handling is paired only where that of its call can be.
        let handled = error_handling(&go);
        let calls = align(go.len(), rust.len(), |g, r| match handled[g] {
            Some(_) => 0,
            None => alike(g, r),
        });
        let answered = |call: usize| calls[call].is_some_and(|r| answers(&rust, r));
        let answered: Vec<bool> = (0..go.len()).map(answered).collect();
        let handles = handles(&rust);
        let similarity = |g: usize, r: usize| match handled[g] {
            Some(call) if !answered[call] || !handles[r] => 0,
            _ => alike(g, r),
        };
        let mut partners = align(go.len(), rust.len(), similarity);
        tighten(&mut partners, similarity);
        // What ours does at another place, in one line.
        let moved = |g: usize| {
            let free = (0..rust.len()).filter(|r| !partners.contains(&Some(*r)));
            let mut same = free.filter(|r| runs[*r] != Some(false) && score.is_same(g, *r));
            same.next()
                .filter(|_| handled[g].is_none() && same.next().is_none())
        };
        let moved: Vec<Option<usize>> = (0..go.len()).map(moved).collect();
        let notes = notes(&rust);
        let cover = cover(&go, &rust, &partners, &moved, &notes);
        Ok(Comparison {
            verdict: verdict(program, &listing, &rust, &cover)?,
            later: vec![false; rust.len()],
            listing,
            program,
            go,
            rust,
            cover,
            notes,
        })
    }

    /// How much of the listing is covered.
    pub fn figures(&self) -> Figures {
        Figures::of(&self.cover)
    }

    /// The places in our files that Go lines are paired with, or carried by.
    fn partners(&self) -> BTreeSet<Place> {
        let partners = self.cover.iter().filter_map(|cover| cover.partner());
        partners
            .map(|r| (self.rust[r].path, self.rust[r].number))
            .collect()
    }
}

/// Our lines in the order of the listing: those of a file, down to one of the listing's functions, stand
/// where the listing has that. Each file keeps its own order.
fn in_order(go: &[Line], program: &Program) -> Vec<Line> {
    let place = |line: &Line| {
        let function = line.function.as_deref()?;
        let is_same = |go: &Line| {
            let go = go.function.as_deref();
            go.is_some_and(|go| is_same_function(go, function))
        };
        go.iter().position(is_same)
    };
    let mut placed = Vec::new();
    // Of several files, the one in `bin/` is the last, and what its `main` calls comes after it.
    for source in program.sources.iter().rev() {
        let file = read(Language::Rust, source.path, source.text, 1);
        let mut at = file.iter().filter_map(place).max().unwrap_or(0);
        let first = placed.len();
        for part in file.split_inclusive(|line| line.kind == Kind::Blank).rev() {
            let here = part.iter().find_map(place);
            at = here.map_or(at, |here| here.min(at));
            placed.push((at, part.to_vec()));
        }
        placed[first..].reverse();
    }
    placed.sort_by_key(|(at, _)| *at);
    placed.into_iter().flat_map(|(_, part)| part).collect()
}

/// Lines that follow each other do so on both sides: a line right below the partner of the Go line above
/// is preferred to one further down that is up to twice as alike.
fn tighten(partners: &mut [Option<usize>], similarity: impl Fn(usize, usize) -> u32) {
    for go in 1..partners.len() {
        if let (Some(above), Some(rust)) = (partners[go - 1], partners[go])
            && 2 * similarity(go, above + 1) >= similarity(go, rust)
        {
            partners[go] = Some(above + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::read::programs::PROGRAMS;

    #[test]
    fn files_stand_in_the_order_of_the_listing_and_keep_their_own() {
        let listing = "type Client struct {\n}\nfunc HandlerConnect() {\n}\nfunc main() {\n}\n";
        let go = read(Language::Go, "", listing, 1);
        let room = PROGRAMS.last().expect("there are programs");
        let lines = in_order(&go, room);
        let mut paths: Vec<&str> = lines.iter().map(|line| line.path).collect();
        paths.dedup();
        let (map, room, main) = (
            "src/chat/online_map.rs",
            "src/chat.rs",
            "bin/chat_server.rs",
        );
        assert_eq!(paths, [map, room, main, room]);
        for path in [map, room, main] {
            let own = lines.iter().filter(|line| line.path == path);
            let numbers: Vec<usize> = own.map(|line| line.number).collect();
            assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "{path}");
        }
    }
}
