//! The listing on `os.Stat`: a file's name and size.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use threadline::cli;
use threadline::error::{context, ignore_broken_pipe};
use threadline::file::name;
use threadline::go::fmt;

/// Prints the name of a file, without its folder, and its size in bytes
#[derive(Parser)]
#[command(name = env!("CARGO_BIN_NAME"), version, after_help = "Example: file_stat photos/cat.jpg")]
struct Args {
    /// File whose attributes to print
    file: PathBuf,
}

fn main() -> ExitCode {
    // Go: without exactly one argument, prints its usage on standard output and exits with status 0. Ours
    // prints it on standard error and exits with status 2.
    let args: Args = cli::parse();
    cli::run(|| {
        let file_name = args.file;

        let file_info = fs::metadata(&file_name)
            .map_err(context(format!("cannot stat {}", file_name.display())))?;
        // Without its folder, and in bytes.
        ignore_broken_pipe(fmt::println!("文件name为：", name::base(&file_name)))?;
        ignore_broken_pipe(fmt::println!("文件size为：", file_info.len().to_string()))
    })
}
