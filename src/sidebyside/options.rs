//! The command line of `sidebyside`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{ColorChoice, CommandFactory, Parser};

use crate::sidebyside::read::programs::{PROGRAMS, Program};

/// Show every line of the course's Go programs beside its line here
///
/// Reads the course's article, or any Markdown with the same programs in ```go blocks. Without a program
/// it prints a table of the programs found and how much of each is matched. A line is matched if it is
/// paired with one of ours, if another line does it, as by a ?, or if a // Go: comment beside it says why
/// ours differs.
///
/// The pairs are computed. For the listings of the course there is also a table of right pairs, made by
/// hand, and the computed pairs are checked against it.
#[derive(Parser)]
#[command(
    name = "sidebyside",
    version,
    after_help = "Examples:\n  \
                  sidebyside article.md                   what is in it, how much is matched\n  \
                  sidebyside article.md tcp_client        one program, in two columns\n  \
                  sidebyside article.md --stage who       one stage of the chat room\n  \
                  sidebyside article.md --html site       all of it, as pages for a browser\n  \
                  sidebyside article.md --check 97        check the computed pairs"
)]
pub struct Args {
    /// The Markdown file with the Go listings
    #[arg(value_name = "ARTICLE.md")]
    pub article: PathBuf,

    /// The program to show
    #[arg(value_parser = of_programs(|program| Some(program.name)), hide_possible_values = true)]
    program: Option<String>,

    /// The stage of the chat room to show [default: timeout, the whole room]
    #[arg(long, value_parser = of_programs(|program| program.stage), hide_possible_values = true)]
    stage: Option<String>,

    /// Write an index and one page per program into this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["program", "stage"])]
    pub html: Option<PathBuf>,

    /// Write pairs, gaps and notes as JSON to this file, or to standard output with -
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Fail if a pair is wrong, if less than this share of the right pairs of any program is found, or if
    /// a program is missing
    ///
    /// Where a listing is not the course's, there is no table of right pairs: then this is the share of its
    /// lines that are matched.
    #[arg(long, value_name = "PERCENT", value_parser = percentage)]
    pub check: Option<f64>,

    /// Like --check, but for all programs together
    #[arg(long, value_name = "PERCENT", value_parser = percentage)]
    pub check_all: Option<f64>,

    /// When to colour: auto is on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
}

fn percentage(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("expected a number from 0 to 100".to_owned()),
    }
}

/// The names by which programs can be selected.
fn of_programs(name: fn(&Program) -> Option<&'static str>) -> PossibleValuesParser {
    let mut names: Vec<&str> = PROGRAMS.iter().filter_map(name).collect();
    names.dedup();
    names.into()
}

impl Args {
    /// The program selected by its name, its stage or both; exits if there is none.
    pub fn program(&self) -> Option<&'static Program> {
        let stage = self.stage.as_deref();
        let name = self.program.as_deref().or(stage.map(|_| "chat_server"))?;
        let named = PROGRAMS.iter().filter(|program| program.name == name);
        // Without a stage it is the last one.
        let mut found = named.filter(|program| stage.is_none() || program.stage == stage);
        found.next_back().or_else(|| {
            let why = format!("{name} has no stage {}", stage.unwrap_or_default());
            Args::command().error(ErrorKind::InvalidValue, why).exit()
        })
    }
}
