//! Every line of the course's Go programs beside its line here.
//!
//! The text of the course is read where its reader has it: `read` finds the listings that are
//! originals of ours in it and cuts both sides into lines and tokens. `pair` scores and aligns
//! them, and brings in our `// Go:` notes and what Rust does by itself. `show` prints a comparison
//! or writes it as pages.

mod options;
mod pair;
mod read;
mod show;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use clap::ColorChoice;

use crate::cli;
use crate::error::context;
use crate::text::printable;
use options::Args;
use pair::compare::compare;
use read::article::Article;
use read::programs::Program;
use show::check::{check, faults};
use show::json::json;
use show::table::{others, table};
use show::terminal::{Style, columns};
use show::{html, pager};

/// The program `sidebyside`.
pub fn main() -> ExitCode {
    let args: Args = cli::parse();
    let program = args.program();
    cli::run(|| {
        let article = Article::read(&args.article)?;
        let what = program.map_or("any program of ours".to_owned(), Program::command);
        let wanted = |p: &Program| program.is_none_or(|program| p == program);
        let comparisons = compare(&article, &what, wanted)?;
        if let Some(dir) = &args.html {
            let pages = html::write(dir, &article, &comparisons)?;
            let index = printable(dir.join("index.html").as_os_str().as_encoded_bytes());
            cli::print(&format!("wrote {pages} pages, open {index}\n"))?;
        }
        if let Some(file) = &args.json {
            let json = json(&article.name, &comparisons);
            match file.as_os_str() == "-" {
                true => cli::print(&json)?,
                false => fs::write(file, json)
                    .map_err(context(format!("cannot write {}", file.display())))?,
            }
        }
        if args.check.is_some() || args.check_all.is_some() {
            cli::print(&table(&comparisons))?;
            let (each, all) = (args.check.unwrap_or(0.0), args.check_all.unwrap_or(0.0));
            cli::print(&faults(&comparisons, each))?;
            check(&comparisons, wanted, each, all).map_err(io::Error::other)
        } else if args.html.is_some() || args.json.is_some() {
            Ok(())
        } else if program.is_some() {
            let columns = |comparison| columns(&article.name, comparison, style(args.color));
            let pages: Vec<String> = comparisons.iter().map(columns).collect();
            pager::page(&pages.join("\n"))
        } else {
            cli::print(&(table(&comparisons) + &others(&article)))
        }
    })
}

/// The originals that a text has: of each, the name of our program, with its stage as in
/// `chat_server-who`, and the listing.
///
/// # Errors
/// The text cannot be read, or has no Go listing.
pub fn originals(article: &Path) -> io::Result<Vec<(String, String)>> {
    let originals = Article::read(article)?.originals.into_iter();
    Ok(originals
        .map(|(listing, program)| (program.slug(), listing.code))
        .collect())
}

fn style(colour: ColorChoice) -> Style {
    let terminal = io::stdout().is_terminal();
    let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let size = terminal.then(terminal_size::terminal_size).flatten();
    Style {
        width: size.map(|(columns, _)| columns.0.into()),
        colour: match colour {
            ColorChoice::Auto => terminal && !no_colour,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        },
    }
}
