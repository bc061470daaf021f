//! `sidebyside` as its user runs it, on a small Markdown made for the purpose.
#![cfg(feature = "sidebyside")]

#[path = "../common/mod.rs"]
mod common;

mod article;
mod json;
#[cfg(unix)]
mod pager;
mod pages;
mod refusals;
mod terminal;

use std::process::{Command, Output};

const COURSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sidebyside.md");

fn sidebyside(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidebyside"));
    command
        .args(args)
        .env_remove("NO_COLOR")
        .env("PAGER", "false");
    command
}

fn run(args: &[&str]) -> Output {
    sidebyside(args).output().expect("sidebyside starts")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("it prints UTF-8")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("it prints UTF-8")
}

/// The output of a run that must succeed without a word on standard error.
fn printed(args: &[&str]) -> String {
    let output = run(args);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{args:?}: {output:#?}"
    );
    stdout(&output).to_owned()
}
