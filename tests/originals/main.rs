//! Holds our programs against the Go programs of the course.
//!
//! The article that `GO_ARTICLE` names is read, its sixteen programs are taken out ([`article`]),
//! mended where they must be ([`mends`]), built with `GO` ([`golang`]) and run. README.md beside
//! this file says how.
#![cfg(all(feature = "lab", feature = "sidebyside", unix))]

#[path = "../common/mod.rs"]
mod common;

mod article;
mod chat;
mod faults;
mod files;
mod golang;
mod loadtest;
mod mends;
mod mixes;
mod room;
mod side;
mod upper;

use std::fs;
use std::path::Path;

/// Leaves the originals as binaries in `target/originals/`, under our programs' names and with the
/// addresses they were published with. `chat_server` has its map race mended, because it would not live
/// long enough to be measured; `chat_server_published` is as published. `batching_room` and
/// `bare_echo` are our own servers in Go.
#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn build_originals() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("originals");
    fs::create_dir_all(&place).expect("cannot make target/originals");
    let article = golang::required("GO_ARTICLE");
    let published = article::originals(Path::new(&article)).into_keys();
    let mended = golang::build("chat_timeout", &[mends::map_race()]);
    let mut binaries = vec![
        ("chat_server".to_owned(), mended),
        (
            "chat_server_published".to_owned(),
            golang::build("chat_timeout", &[]),
        ),
        ("batching_room".to_owned(), golang::batching_room()),
        ("bare_echo".to_owned(), golang::bare_echo()),
    ];
    for name in published.filter(|name| !name.starts_with("chat_")) {
        let binary = golang::build(&name, &[]);
        binaries.push((name, binary));
    }
    for (name, binary) in binaries {
        let temporary = place.join(format!("{name}.tmp"));
        fs::copy(&binary, &temporary).expect("cannot copy the binary");
        // A rename replaces a binary that is running, where a copy would fail.
        fs::rename(&temporary, place.join(&name)).expect("cannot move the binary into its place");
        println!("{}", place.join(&name).display());
    }
}
