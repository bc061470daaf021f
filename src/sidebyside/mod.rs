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

use std::env;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::cli;
use crate::text::printable;
use options::{Args, Colour};
use pair::compare::compare;
use read::article::Article;
use show::table::{check, gaps, others, table};
use show::terminal::{Style, columns};
use show::{html, pager};

/// The program `sidebyside`.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let program = args.program();
    cli::run(|| {
        let article = Article::read(&args.article)?;
        if let Some(program) = program {
            let comparisons = compare(&article, &program.command(), |p| p == program)?;
            let columns = |comparison| columns(&article.name, comparison, style(args.color));
            let pages: Vec<String> = comparisons.iter().map(columns).collect();
            return pager::page(&pages.join("\n"));
        }
        let comparisons = compare(&article, "any program of ours", |_| true)?;
        if let Some(dir) = &args.html {
            let pages = html::write(dir, &article, &comparisons)?;
            let index = dir.join("index.html");
            let index = printable(index.as_os_str().as_encoded_bytes());
            return cli::print(&format!("wrote {pages} pages, open {index}\n"));
        }
        let checked = args.check.is_some() || args.check_all.is_some();
        cli::print(&(table(&comparisons) + &others(&article)))?;
        if checked {
            let each = args.check.unwrap_or(0.0);
            for short in comparisons.iter().filter(|c| c.figures().percent() < each) {
                let (program, figure) = (short.program.command(), short.figures().shown());
                cli::print(&format!("\n{program}, {figure}, gaps:\n{}", gaps(short)))?;
            }
            check(&comparisons, each, args.check_all.unwrap_or(0.0)).map_err(io::Error::other)?;
        }
        Ok(())
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

fn style(colour: Colour) -> Style {
    let terminal = io::stdout().is_terminal();
    let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Style {
        width: terminal
            .then(terminal_size::terminal_size)
            .flatten()
            .map(|(columns, _)| columns.0.into()),
        colour: match colour {
            Colour::Auto => terminal && !no_colour,
            Colour::Always => true,
            Colour::Never => false,
        },
    }
}
