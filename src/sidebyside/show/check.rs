//! The check: whether the pairs are right, and enough of them are found.

use crate::sidebyside::pair::compare::{Comparison, together};
use crate::sidebyside::pair::cover::{Cover, Figures, percent};
use crate::sidebyside::pair::truth::Verdict;
use crate::sidebyside::read::programs::{PROGRAMS, Program};
use crate::sidebyside::show::highlight::shown;

/// How many percent are found: of the right pairs, where a table has them, or else of the lines.
fn score(verdict: Option<&Verdict>, figures: Figures) -> f64 {
    verdict.map_or(figures.percent(), Verdict::recall)
}

fn fails(comparison: &Comparison, each: f64) -> bool {
    let verdict = comparison.verdict.as_ref();
    let wrong = verdict.is_some_and(|verdict| verdict.wrong > 0);
    wrong || score(verdict, comparison.figures()) < each
}

/// The lines because of which programs fail the check.
pub fn faults(comparisons: &[Comparison], each: f64) -> String {
    let faults = |comparison: &Comparison| {
        let verdict = comparison.verdict.as_ref();
        let score = percent(score(verdict, comparison.figures()));
        let what = verdict.map_or("gaps", |_| "faults");
        let command = comparison.program.command();
        format!("\n{command}, {score}, {what}:\n{}", lines(comparison))
    };
    let failing = comparisons.iter().filter(|c| fails(c, each));
    failing.map(faults).collect()
}

/// The lines of a listing that are not as the table of right pairs has them, or else its gaps.
fn lines(comparison: &Comparison) -> String {
    let place = |r: Option<usize>| match r.map(|r| &comparison.rust[r]) {
        Some(ours) => format!("{}:{}", ours.path, ours.number),
        None => "nothing".to_owned(),
    };
    let Some(verdict) = &comparison.verdict else {
        return gaps(comparison);
    };
    let fault = |(go, right): &(usize, Option<usize>)| {
        let found = place(comparison.cover[*go].partner());
        let why = format!("  // beside {found}, not {}", place(*right));
        line(comparison, *go, &why)
    };
    verdict.faults.iter().map(fault).collect()
}

/// The lines of a listing that nothing covers.
pub fn gaps(comparison: &Comparison) -> String {
    let lines = 0..comparison.go.len();
    let gaps = lines.filter(|go| comparison.cover[*go] == Cover::Gap);
    gaps.map(|go| line(comparison, go, "")).collect()
}

fn line(comparison: &Comparison, go: usize, why: &str) -> String {
    let go = &comparison.go[go];
    format!("{:>6}  {}{why}\n", go.number, shown(go.text.trim()))
}

/// Checks that no pair is wrong, that `each` percent of every program and `all` percent of all programs
/// together are found, and that no program that is `wanted` is missing.
///
/// # Errors
/// One line with what is not so.
pub fn check(
    comparisons: &[Comparison],
    wanted: impl Fn(&Program) -> bool,
    each: f64,
    all: f64,
) -> Result<(), String> {
    let is_there = |program: &&Program| comparisons.iter().any(|c| c.program == *program);
    let wanted = PROGRAMS.iter().filter(|program| wanted(program));
    let (found, missing): (Vec<&Program>, Vec<_>) = wanted.partition(is_there);
    if !missing.is_empty() {
        let (found, all) = (found.len(), found.len() + missing.len());
        let missing: Vec<String> = missing.into_iter().map(Program::command).collect();
        let missing = missing.join(", ");
        return Err(format!(
            "{found} of {all} programs are there, missing: {missing}"
        ));
    }
    let short = comparisons.iter().filter(|c| fails(c, each)).map(|c| {
        let command = c.program.command();
        match &c.verdict {
            Some(v) => {
                let (right, found) = (percent(v.precision()), percent(v.recall()));
                format!("{command} has {right} of its pairs right and {found} of the right pairs")
            }
            None => format!("{command} is matched to {}", percent(c.figures().percent())),
        }
    });
    let short = short.collect::<Vec<_>>().join(", ");
    if !short.is_empty() {
        return Err(format!("{short}; {each} % of each are asked for"));
    }
    let (figures, verdict) = together(comparisons);
    let score = score(verdict.as_ref(), figures);
    if score < all {
        let score = percent(score);
        return Err(format!(
            "all together are matched to {score}; {all} % are asked for"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::pair::compare::compare;
    use crate::sidebyside::read::article::Article;

    #[test]
    fn one_wrong_pair_fails_the_check_at_any_percentage() {
        let course = include_str!("../../../tests/data/sidebyside.md");
        let article = Article::parse("course".to_owned(), course);
        let wanted = |program: &Program| program.name == "tcp_client";
        let mut found = compare(&article, "any", wanted).expect("it is there");
        assert_eq!(check(&found, wanted, 92.0, 92.0), Ok(()));
        let verdict = |found, wrong, faults| Verdict {
            pairs: 2,
            found,
            wrong,
            faults,
        };
        found[0].verdict = Some(verdict(2, 0, Vec::new()));
        assert_eq!(check(&found, wanted, 100.0, 100.0), Ok(()));
        assert_eq!(faults(&found, 100.0), "");
        found[0].verdict = Some(verdict(2, 2, vec![(9, None)]));
        assert_eq!(
            check(&found, wanted, 0.0, 0.0).unwrap_err(),
            "tcp_client has 50.0 % of its pairs right and 100.0 % of the right pairs; 0 % of each are asked for"
        );
        let faults = faults(&found, 0.0);
        assert!(faults.contains("// beside bin/tcp_client.rs:"), "{faults}");
        found[0].verdict = Some(verdict(1, 0, vec![(9, None)]));
        assert!(
            check(&found, wanted, 51.0, 0.0).is_err() && check(&found, wanted, 50.0, 51.0).is_err()
        );
    }
}
