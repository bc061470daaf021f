//! Tells the programs the commit that they are built from, for the records of `loadtest`.

use std::path::Path;
use std::process::Command;

/// The files that the programs are made of.
const SOURCES: [&str; 5] = ["src", "bin", "build.rs", "Cargo.toml", "Cargo.lock"];

fn main() {
    for path in SOURCES {
        println!("cargo::rerun-if-changed={path}");
    }
    // Without git, or in a copy that is no repository of its own, the commit is not known.
    let home = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let top = git(&["rev-parse", "--show-toplevel"]);
    if top.is_none_or(|top| Path::new(&top) != Path::new(&home)) {
        return;
    }
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        let changes = git(&[&["status", "--porcelain", "--"], &SOURCES[..]].concat());
        let dirty = if changes.is_some() { "-dirty" } else { "" };
        println!("cargo::rustc-env=THREADLINE_COMMIT={commit}{dirty}");
    }
}

/// The answer of git, if it gives one.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
