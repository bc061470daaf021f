//! Every line of the course's Go programs beside its line here.

use std::env;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use threadline::cli;
use threadline::sidebyside::pair::compare::Comparison;
use threadline::sidebyside::read::article::Article;
use threadline::sidebyside::read::programs::{LAST_STAGE, PROGRAMS, Program};
use threadline::sidebyside::show::table::percent;
use threadline::sidebyside::show::table::{check, gaps, others, table};
use threadline::sidebyside::show::terminal::{Style, columns};
use threadline::sidebyside::show::{html, pager};

/// Show every line of the course's Go programs beside its line here
///
/// Reads the course's article, or any Markdown with the same programs in ```go blocks. Without a
/// program it lists what it has found there and how much of each is matched: a line counts as matched
/// if it is paired with one of ours, if Rust does by itself what it does, or if a // Go: comment beside
/// it says why ours differs. The pairs are computed; `cargo doc` says how.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  \
                  sidebyside article.md                   what is in it, how much is matched\n  \
                  sidebyside article.md tcp_client        one program, in two columns\n  \
                  sidebyside article.md --stage who       one stage of the chat room\n  \
                  sidebyside article.md --html site       all of it, as pages for a browser"
)]
struct Args {
    /// The Markdown file with the Go listings
    #[arg(value_name = "ARTICLE.md")]
    article: PathBuf,

    /// The program to show
    program: Option<String>,

    /// The stage of the chat room to show [default: timeout, the whole room]
    #[arg(long)]
    stage: Option<String>,

    /// Write an index and a page a program into this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["program", "stage", "check", "check_all"])]
    html: Option<PathBuf>,

    /// Fail if less of the lines of any program is matched, in percent
    #[arg(long, value_name = "PERCENT", value_parser = percentage, conflicts_with_all = ["program", "stage"])]
    check: Option<f64>,

    /// Fail if less of the lines of all programs together is matched, in percent
    #[arg(long, value_name = "PERCENT", value_parser = percentage, conflicts_with_all = ["program", "stage"])]
    check_all: Option<f64>,

    /// When to colour: auto is on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto)]
    color: Colour,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

fn percentage(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("expected a number from 0 to 100".to_owned()),
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let program = wanted(&args);
    cli::run(|| {
        let article = Article::read(&args.article)?;
        if let Some(program) = program {
            let comparisons = article.compare(&program.command(), |p| p == program)?;
            return show(&article, &comparisons, style(args.color));
        }
        let comparisons = article.compare("any program of ours", |_| true)?;
        if let Some(dir) = &args.html {
            let pages = html::write(dir, &article, &comparisons)?;
            let index = dir.join("index.html");
            cli::print(&format!("wrote {pages} pages, open {}\n", index.display()))?;
            return Ok(());
        }
        let checked = args.check.is_some() || args.check_all.is_some();
        cli::print(&(table(&comparisons) + &others(&article)))?;
        if checked {
            let each = args.check.unwrap_or(0.0);
            for short in comparisons.iter().filter(|c| c.figures().percent() < each) {
                let (program, figure) = (short.program.command(), percent(short.figures()));
                cli::print(&format!("\n{program}, {figure}, gaps:\n{}", gaps(short)))?;
            }
            check(&comparisons, each, args.check_all.unwrap_or(0.0)).map_err(io::Error::other)?;
        }
        Ok(())
    })
}

/// The program that is asked for by its name, its stage or both.
fn wanted(args: &Args) -> Option<&'static Program> {
    let name = args
        .program
        .as_deref()
        .or(args.stage.as_ref().map(|_| "chat_server"))?;
    let of_that_name = || PROGRAMS.iter().filter(move |program| program.name == name);
    let stage = args.stage.as_deref();
    let default = of_that_name()
        .any(|p| p.stage.is_some())
        .then_some(LAST_STAGE);
    let found = of_that_name().find(|program| program.stage == stage.or(default));
    found.or_else(|| {
        let (what, known): (_, Vec<&str>) = match (of_that_name().next(), stage) {
            (None, _) => (format!("no program of ours is called {name}"), names()),
            (Some(_), stage) => (
                format!("{name} has no stage {}", stage.unwrap_or_default()),
                of_that_name().filter_map(|program| program.stage).collect(),
            ),
        };
        let known = match known.is_empty() {
            true => String::new(),
            false => format!(", expected one of {}", known.join(", ")),
        };
        Args::command()
            .bin_name(env!("CARGO_BIN_NAME"))
            .error(ErrorKind::InvalidValue, what + &known)
            .exit()
    })
}

fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = PROGRAMS.iter().map(|program| program.name).collect();
    names.dedup();
    names
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

fn show(article: &Article, comparisons: &[Comparison], style: Style) -> io::Result<()> {
    let pages: Vec<String> = comparisons
        .iter()
        .map(|comparison| columns(&article.name, comparison, style))
        .collect();
    pager::page(&pages.join("\n"))
}
