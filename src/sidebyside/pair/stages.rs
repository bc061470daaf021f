//! Which lines of ours only later stages of the chat room have.

use std::collections::BTreeSet;
use std::iter;

use crate::sidebyside::pair::acts::closure;
use crate::sidebyside::pair::language::{block, openers};
use crate::sidebyside::read::programs::Program;
use crate::sidebyside::read::source::{Kind, Line};
use crate::sidebyside::read::tokens::starts;

/// The place of a line of ours: its file and its number there.
pub type Place = (&'static str, usize);

/// For each line of ours, whether a condition such as `stage >= Stage::Who` keeps it from running at the
/// stage of this program.
pub fn guarded(program: &Program, rust: &[Line]) -> Vec<bool> {
    let guards = |line: &Line| {
        let mut stages = line
            .tokens
            .windows(6)
            .filter(|w| starts(w, "> = Stage : :"));
        let has = |stage: &str| program.has_stage(&stage.to_lowercase());
        stages.any(|w| w[5].name().is_some_and(|stage| !has(stage)))
    };
    let openers = openers(rust);
    let mut guarded: Vec<bool> = rust.iter().map(guards).collect();
    for r in 0..rust.len() {
        guarded[r] |= openers[r].is_some_and(|opener| guarded[opener]);
    }
    guarded
}

/// For each line of ours, whether it belongs to later stages alone: it is guarded, or has a partner there
/// (`theirs`) and none here (`own`), or has to do with such a line: it is in its block or calls its closure,
/// is a comment above it, or opens a block around it that has nothing of this stage.
pub fn later(
    rust: &[Line],
    own: &BTreeSet<Place>,
    theirs: &BTreeSet<Place>,
    guarded: &[bool],
) -> Vec<bool> {
    let is_own = |line: &Line| own.contains(&(line.path, line.number));
    let is_later = |(r, line): (usize, &Line)| {
        let theirs = guarded[r] || theirs.contains(&(line.path, line.number));
        theirs && !is_own(line)
    };
    let mut starts: Vec<usize> = (0..rust.len())
        .filter(|r| is_later((*r, &rust[*r])))
        .collect();
    // A closure that is made there is called there.
    let closures = starts.iter().filter_map(|r| closure(&rust[*r].tokens));
    let closures: Vec<&str> = closures.collect();
    let calls = |line: &Line| line.names().any(|name| closures.contains(&name)) && !is_own(line);
    starts.extend((0..rust.len()).filter(|r| calls(&rust[*r])));
    // A block that has nothing of this stage belongs there as a whole.
    let openers = openers(rust);
    let around = |r: &usize| {
        let openers = iter::successors(openers[*r], |opener| openers[*opener]);
        let free = |opener: &usize| !rust[*opener..block(rust, *opener).end].iter().any(is_own);
        openers.take_while(free).collect::<Vec<_>>()
    };
    starts.extend(starts.iter().flat_map(around).collect::<Vec<_>>());

    let mut later = vec![false; rust.len()];
    let indent = |line: &Line| line.text.len() - line.text.trim_start().len();
    for r in starts {
        let comments = rust[..r].iter().rev();
        let comments = comments.take_while(|above| above.kind == Kind::Comment);
        let inside = rust[r + 1..].iter().take_while(|below| {
            let deeper = below.kind == Kind::Blank || indent(below) > indent(&rust[r]);
            let closes = below.kind == Kind::Brace && indent(below) == indent(&rust[r]);
            !is_own(below) && (deeper || closes)
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

    fn at(stage: &str) -> (Vec<Line>, Vec<bool>) {
        let mut programs = PROGRAMS.iter();
        let program = programs.find(|program| program.stage == Some(stage));
        let rust = read(Language::Rust, "a.rs", RUST, 1);
        let guarded = guarded(program.expect("there is such a stage"), &rust);
        (rust, guarded)
    }

    fn numbers(flags: &[bool]) -> Vec<usize> {
        (0..flags.len())
            .filter(|i| flags[*i])
            .map(|i| i + 1)
            .collect()
    }

    #[test]
    fn a_condition_guards_its_block() {
        assert_eq!(numbers(&at("broadcast").1), [4, 5]);
        assert_eq!(numbers(&at("who").1), [0; 0]);
        assert_eq!(numbers(&at("timeout").1), [0; 0]);
    }

    #[test]
    fn what_later_stages_alone_have_comes_with_its_comment_and_its_block() {
        let (rust, guarded) = at("broadcast");
        let places = |numbers: &[usize]| numbers.iter().map(|n| ("a.rs", *n)).collect();
        let later = later(&rust, &places(&[2, 6, 14]), &places(&[2, 4, 10]), &guarded);
        assert_eq!(numbers(&later), [3, 4, 5, 9, 10, 11, 12]);
    }
}
