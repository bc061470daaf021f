//! What the programs are built from: threads, and no runtime for anything else.

use std::env;
use std::process::Command;

/// Crates that bring an async runtime or its parts; names that go on after a hyphen are meant too.
const ASYNC: [&str; 5] = ["async", "embassy", "futures", "smol", "tokio"];

#[test]
fn no_dependency_brings_an_async_runtime() {
    // Cargo names itself to what it runs.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tree = Command::new(&cargo);
    tree.args(["tree", "--locked", "--offline", "--all-features"])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = tree.output().unwrap_or_else(|err| {
        panic!("this test asks cargo for the dependencies, and cannot run {cargo:?}: {err}")
    });
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tree:?}: {stderr}");

    let crates: Vec<_> = (stdout.lines())
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(crates.contains(&"crossbeam-channel"), "{stdout}");
    let is_async = |name: &&&str| ASYNC.contains(&name.split('-').next().unwrap_or_default());
    let found: Vec<_> = crates.iter().filter(is_async).collect();
    assert!(found.is_empty(), "{found:?} are in {stdout}");
}
