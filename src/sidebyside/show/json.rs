//! The comparisons as JSON, for other programs; `docs/sidebyside.schema.json` describes it.

use serde::Serialize;

use crate::sidebyside::pair::compare::Comparison;
use crate::sidebyside::pair::cover::Cover;

/// What `sidebyside --json` writes: the Go programs of a text, line by line beside ours.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Comparisons<'a> {
    /// The version of this form
    #[cfg_attr(test, schemars(extend("const" = SCHEMA)))]
    schema: u32,
    /// The name of the text
    article: &'a str,
    /// The programs, in the order of the text
    programs: Vec<Program<'a>>,
}

/// One program. Each Go line that counts is in a pair, a gap or the lines of a note.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Program<'a> {
    /// Its name, with its stage as on the command line
    name: String,
    /// What the text calls the listing
    title: &'a str,
    /// Where in the text the listing starts
    line: usize,
    /// The Go lines that have a partner
    pairs: Vec<Pair<'a>>,
    /// The Go lines that have neither a partner nor a note
    gaps: Vec<Gap<'a>>,
    /// The `// Go:` comments of ours, without those of later stages
    notes: Vec<Note<'a>>,
    /// How many percent of the Go lines have a partner or a note
    score: f64,
    /// How the pairs stand to the table of right pairs; null where that is not for this listing
    checked: Option<Checked>,
}

/// A Go line and the line of ours that does the same
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Pair<'a> {
    /// Its line in the text
    go_line: usize,
    /// What it says, without its indent
    go_text: &'a str,
    /// The file of ours, in the repository
    rust_file: &'static str,
    /// The first line of the statement there
    rust_line: usize,
    /// What that line says, without its indent
    rust_text: &'a str,
    /// Whether that line does this beside what it is paired with: by `?`, at the end of a scope
    carried: bool,
}

/// A Go line with nothing of ours
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Gap<'a> {
    /// Its line in the text
    go_line: usize,
    /// What it says, without its indent
    go_text: &'a str,
}

/// Why ours differs
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Note<'a> {
    /// The file of ours, in the repository
    rust_file: &'static str,
    /// The line that it explains
    rust_line: usize,
    /// What it says
    text: &'a str,
    /// The Go lines that have no partner for that reason
    go_lines: Vec<usize>,
}

/// The computed pairs against the table of right ones
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Checked {
    /// The pairs in the table
    pairs: usize,
    /// How many percent of the computed pairs are right
    precision: f64,
    /// How many percent of the right pairs were found
    recall: f64,
}

/// The version of the form.
const SCHEMA: u32 = 1;

pub fn json(article: &str, comparisons: &[Comparison]) -> String {
    let document = Comparisons {
        schema: SCHEMA,
        article,
        programs: comparisons.iter().map(program).collect(),
    };
    serde_json::to_string_pretty(&document).expect("it can be written as JSON") + "\n"
}

fn program(comparison: &Comparison) -> Program<'_> {
    let (mut pairs, mut gaps) = (Vec::new(), Vec::new());
    let mut explained = vec![Vec::new(); comparison.notes.len()];
    for (go, cover) in comparison.go.iter().zip(&comparison.cover) {
        let (go_line, go_text) = (go.number, go.text.trim());
        match *cover {
            Cover::None => {}
            Cover::Paired(r) | Cover::Carried(r) => {
                let ours = &comparison.rust[r];
                pairs.push(Pair {
                    go_line,
                    go_text,
                    rust_file: ours.path,
                    rust_line: ours.number,
                    rust_text: ours.text.trim(),
                    carried: matches!(cover, Cover::Carried(_)),
                });
            }
            Cover::Noted(note) => explained[note].push(go_line),
            Cover::Gap => gaps.push(Gap { go_line, go_text }),
        }
    }
    let notes = comparison.notes.iter().zip(explained);
    let notes = notes.filter(|(note, go_lines)| {
        let later = comparison.later[note.explains];
        !later || !go_lines.is_empty()
    });
    let notes = notes.map(|(note, go_lines)| Note {
        rust_file: comparison.rust[note.explains].path,
        rust_line: comparison.rust[note.explains].number,
        text: &note.text,
        go_lines,
    });
    let checked = comparison.verdict.as_ref().map(|verdict| Checked {
        pairs: verdict.pairs,
        precision: verdict.precision(),
        recall: verdict.recall(),
    });
    Program {
        name: comparison.program.command(),
        title: &comparison.listing.title,
        line: comparison.listing.line,
        pairs,
        gaps,
        notes: notes.collect(),
        score: comparison.figures().percent(),
        checked,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use schemars::generate::SchemaSettings;

    use super::Comparisons;

    /// The schema is made from the types above. After changing them, run this test with
    /// `UPDATE_SCHEMA=1`.
    #[test]
    fn schema_in_docs_is_that_of_the_types() {
        let schema = SchemaSettings::draft2020_12().into_generator();
        let schema = schema.into_root_schema_for::<Comparisons>();
        let made = serde_json::to_string_pretty(&schema).expect("it is JSON") + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sidebyside.schema.json");
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            fs::write(&path, &made).expect("it can be written");
        }
        let kept = fs::read_to_string(&path).expect("it is there");
        assert!(
            kept == made,
            "docs/sidebyside.schema.json is not up to date"
        );
    }
}
