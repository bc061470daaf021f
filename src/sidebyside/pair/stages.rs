//! Which lines of ours only later stages of the chat room have.

use std::collections::BTreeSet;

use crate::sidebyside::pair::acts::closure;
use crate::sidebyside::pair::language::{around, block, openers};
use crate::sidebyside::read::programs::Program;
use crate::sidebyside::read::source::{Kind, Line};
use crate::sidebyside::read::tokens::starts;

/// The place of a line of ours: its file and its number there.
pub type Place = (&'static str, usize);

/// For each line of ours under a condition such as `stage >= Stage::Who`, whether it runs at the stage of
/// this program.
pub fn runs(program: &Program, rust: &[Line]) -> Vec<Option<bool>> {
    let condition = |line: &Line| {
        let mut tokens = line.tokens.windows(6);
        let stage = tokens.find(|w| starts(w, "> = Stage : :"))?[5].name()?;
        Some(program.has_stage(&stage.to_lowercase()))
    };
    let openers = openers(rust);
    let mut runs: Vec<Option<bool>> = rust.iter().map(condition).collect();
    for r in 0..rust.len() {
        let around = openers[r].and_then(|opener| runs[opener]);
        runs[r] = runs[r].map_or(around, |own| Some(own && around != Some(false)));
    }
    runs
}

/// For each line of ours, whether it belongs to later stages alone: its condition says so (`runs`), or it has
/// a partner there (`theirs`), no condition, and no partner here (`own`), or has to do with such a line: it is
/// in its block or calls its closure, is a comment above it, or opens a block around it that has nothing of
/// this stage.
pub fn later(
    rust: &[Line],
    own: &BTreeSet<Place>,
    theirs: &BTreeSet<Place>,
    runs: &[Option<bool>],
) -> Vec<bool> {
    let is_in =
        |places: &BTreeSet<Place>, r: usize| places.contains(&(rust[r].path, rust[r].number));
    let is_own = |r: usize| is_in(own, r) || runs[r] == Some(true);
    let is_later = |r: &usize| !is_own(*r) && (runs[*r] == Some(false) || is_in(theirs, *r));
    let mut starts: Vec<usize> = (0..rust.len()).filter(is_later).collect();
    // A closure that is made there is called there.
    let closures = starts.iter().filter_map(|r| closure(&rust[*r].tokens));
    let closures: Vec<&str> = closures.collect();
    let calls = |r: &usize| rust[*r].names().any(|name| closures.contains(&name)) && !is_own(*r);
    starts.extend((0..rust.len()).filter(calls));
    // A block that has nothing of this stage belongs there as a whole.
    let openers = openers(rust);
    let free = |opener: &usize| !(*opener..block(&openers, *opener).end).any(is_own);
    let wholes = starts
        .iter()
        .flat_map(|r| around(&openers, *r).take_while(free));
    starts.extend(wholes.collect::<Vec<_>>());

    let mut later = vec![false; rust.len()];
    let indent = |line: &Line| line.text.len() - line.text.trim_start().len();
    for r in starts {
        let comments = rust[..r].iter().rev();
        let comments = comments.take_while(|above| above.kind == Kind::Comment);
        let inside = (r + 1..rust.len()).take_while(|below| {
            let line = &rust[*below];
            let deeper = line.kind == Kind::Blank || indent(line) > indent(&rust[r]);
            let closes = line.kind == Kind::Brace && indent(line) == indent(&rust[r]);
            !is_own(*below) && (deeper || closes)
        });
        let mut end = r + 1 + inside.count();
        while rust[end - 1].kind == Kind::Blank && end > r + 1 {
            end -= 1;
        }
        later[r - comments.count()..end].fill(true);
    }
    later
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::read::programs::PROGRAMS;
    use crate::sidebyside::read::source::read;
    use crate::sidebyside::read::tokens::Language;

    const RUST: &str = "fn f() {\n    a();\n    // b\n    if stage >= Stage::Who && x {\n        b();\n    \
                        } else if y {\n        c();\n    }\n    // d\n    d(\n        1,\n    );\n\n    e();\n}\n";

    fn at(stage: &str) -> (Vec<Line>, Vec<Option<bool>>) {
        let mut programs = PROGRAMS.iter();
        let program = programs.find(|program| program.stage == Some(stage));
        let rust = read(Language::Rust, "a.rs", RUST, 1);
        let runs = runs(program.expect("there is such a stage"), &rust);
        (rust, runs)
    }

    fn numbers<T: PartialEq>(values: &[T], wanted: T) -> Vec<usize> {
        let found = (0..values.len()).filter(|i| values[*i] == wanted);
        found.map(|i| i + 1).collect()
    }

    #[test]
    fn stage_condition_applies_to_its_block() {
        for (stage, runs) in [("broadcast", false), ("who", true), ("timeout", true)] {
            assert_eq!(numbers(&at(stage).1, Some(runs)), [4, 5]);
            assert_eq!(numbers(&at(stage).1, Some(!runs)), [0; 0]);
        }
    }

    #[test]
    fn lines_of_later_stages_include_their_comments_and_blocks() {
        let (rust, runs) = at("broadcast");
        let places = |numbers: &[usize]| numbers.iter().map(|n| ("a.rs", *n)).collect();
        let later = later(&rust, &places(&[2, 6, 14]), &places(&[2, 4, 10]), &runs);
        assert_eq!(numbers(&later, true), [3, 4, 5, 9, 10, 11, 12]);
    }

    #[test]
    fn block_of_a_stage_condition_that_holds_is_of_this_stage() {
        let (rust, runs) = at("who");
        let places = |numbers: &[usize]| numbers.iter().map(|n| ("a.rs", *n)).collect();
        let later = later(&rust, &places(&[2]), &places(&[4, 5, 10]), &runs);
        assert_eq!(numbers(&later, true), [9, 10, 11, 12]);
    }
}
