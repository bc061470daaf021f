//! Builds the originals with the go tool that `GO` names.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

use crate::article;
use crate::mends::{self, Mend};

/// Language version 1.23 or later: the mend of the map race ranges over a function.
const GO_MOD: &str = "module original\n\ngo 1.23\n";

/// Returns an original made fit for a test: it takes its address as its first argument, and a
/// server says on standard error where it listens.
pub(crate) fn original(name: &str) -> PathBuf {
    match name {
        "file_stat" => build(name, &[]),
        _ if name.ends_with("server") => {
            build(name, &[mends::address(name), mends::announce(name)])
        }
        _ => build(name, &[mends::address(name)]),
    }
}

/// Returns a stage of the chat with the faults mended that keep it from being compiled or used.
pub(crate) fn chat(stage: &str, timeout: Duration) -> PathBuf {
    let name = format!("chat_{stage}");
    let mut mends = vec![
        mends::address(&name),
        mends::announce(&name),
        mends::map_made_first(),
    ];
    if stage == "timeout" {
        mends.push(mends::timeout(timeout));
    } else {
        mends.push(mends::keep_alive(&name));
        if stage != "login" {
            mends.push(mends::make_msg());
        }
        if stage == "rename" {
            mends.push(mends::rename_prefix());
        }
    }
    build(&name, &mends)
}

/// Returns the whole room as published, its map race included.
pub(crate) fn chat_as_published() -> PathBuf {
    let name = "chat_timeout";
    build(name, &[mends::address(name), mends::announce(name)])
}

/// Returns the whole room with its map race mended.
pub(crate) fn chat_without_race(timeout: Duration) -> PathBuf {
    let name = "chat_timeout";
    let timeout = mends::timeout(timeout);
    build(
        name,
        &[
            mends::address(name),
            mends::announce(name),
            mends::map_race(),
            timeout,
        ],
    )
}

/// Returns our own room in Go, which batches as ours in Rust does.
pub(crate) fn batching_room() -> PathBuf {
    let source = include_str!("../../benches/go/batching_room.go");
    build_source("batching_room", source)
}

/// Returns our own upper-case server in Go, which does only what it must.
pub(crate) fn bare_echo() -> PathBuf {
    build_source("bare_echo", include_str!("../../benches/go/bare_echo.go"))
}

/// Builds an original with these mends, once for each text that results, and returns the binary.
///
/// # Panics
/// `GO` or `GO_ARTICLE` is not set, a listing or a mend's pattern is missing, or the build fails.
pub(crate) fn build(name: &str, mends: &[Mend]) -> PathBuf {
    let listing = article::listing(Path::new(&required("GO_ARTICLE")), name);
    let source = mends
        .iter()
        .fold(listing, |source, mend| mend.apply(&source));
    build_source(name, &source)
}

fn build_source(name: &str, source: &str) -> PathBuf {
    static BUILT: LazyLock<Mutex<HashMap<PathBuf, Arc<OnceLock<()>>>>> =
        LazyLock::new(Mutex::default);

    let mut hasher = DefaultHasher::new();
    (source, GO_MOD, go_version()).hash(&mut hasher);
    let key = format!("{name}-{:016x}", hasher.finish());
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("originals")
        .join(key)
        .join(name);

    let built = BUILT.lock().entry(binary.clone()).or_default().clone();
    built.get_or_init(|| {
        if !binary.exists() {
            compile(source, &binary);
        }
    });
    binary
}

/// Compiles into a folder of this process's own and moves the result into its place, so that two
/// test runs at the same time do not meet.
fn compile(source: &str, binary: &Path) {
    let place = binary.parent().expect("the binary has a folder of its own");
    let work = place.with_extension(format!("{}.tmp", process::id()));
    let name = binary.file_name().expect("the binary has a name");
    fs::create_dir_all(&work).expect("cannot make a folder for the build");
    fs::write(work.join("go.mod"), GO_MOD).expect("cannot write go.mod");
    fs::write(work.join("main.go"), source).expect("cannot write main.go");
    let output = go()
        .args(["build", "-o"])
        .arg(work.join(name))
        .arg(".")
        .current_dir(&work)
        .output()
        .expect("cannot run GO");
    assert!(
        output.status.success(),
        "go build of {name:?} failed ({}):\n{}\nin this text:\n{source}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    fs::create_dir_all(place).expect("cannot make a folder for the binary");
    fs::rename(work.join(name), binary).expect("cannot move the binary into its place");
    fs::rename(work.join("main.go"), place.join("main.go")).expect("cannot keep the text");
    fs::remove_dir_all(&work).expect("cannot remove the folder of the build");
}

fn go_version() -> &'static [u8] {
    static VERSION: OnceLock<Vec<u8>> = OnceLock::new();
    VERSION.get_or_init(|| {
        let output = go().arg("version").output();
        let output =
            output.unwrap_or_else(|err| panic!("cannot run GO {:?}: {err}", required("GO")));
        assert!(
            output.status.success(),
            "GO {:?} does not work: {output:?}",
            required("GO")
        );
        output.stdout
    })
}

/// The go tool, cut off from the network, from cgo and from this machine's own settings.
fn go() -> Command {
    let mut command = Command::new(required("GO"));
    command
        .env("GO111MODULE", "on")
        .env("GOFLAGS", "-mod=mod")
        .env("GOWORK", "off")
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0")
        .stdin(Stdio::null());
    command
}

pub(crate) fn required(variable: &str) -> OsString {
    env::var_os(variable).filter(|value| !value.is_empty()).unwrap_or_else(|| {
        panic!("{variable} is not set: these tests need GO (the go tool) and GO_ARTICLE (the course's article)")
    })
}
