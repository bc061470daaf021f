//! Finds the sixteen Go programs in the course's article, by what they are: fenced `go` blocks
//! with `package main`, told apart by what each holds and lacks.

use std::fs;
use std::path::Path;

/// One of the originals: its name here, and how it is known among the article's listings.
pub(crate) struct Original {
    /// Our program's name; for the chat, its stage's.
    pub(crate) name: &'static str,
    holds: &'static [&'static str],
    lacks: &'static [&'static str],
}

/// All sixteen, in the course's order.
pub(crate) const ORIGINALS: [Original; 16] = [
    original("tcp_server", &["net.Listen(", "server is ok"], &[]),
    original("tcp_client", &["net.Dial(", "R U ok??"], &[]),
    original(
        "tcp_concurrent_server",
        &["net.Listen(", "strings.ToUpper("],
        &[],
    ),
    original(
        "tcp_concurrent_client",
        &[r#"net.Dial("tcp""#, "os.Stdin.Read("],
        &[],
    ),
    original("udp_server", &["net.ListenUDP(", "nice to see u"], &[]),
    original("udp_client", &[r#"net.Dial("udp""#, "Hello!"], &[]),
    original(
        "udp_concurrent_server",
        &["net.ListenUDP(", "I-AM-SERVER"],
        &[],
    ),
    original(
        "udp_concurrent_client",
        &[r#"net.Dial("udp""#, "os.Stdin.Read("],
        &[],
    ),
    original("file_stat", &["os.Stat(", "os.Args"], &["net."]),
    original("file_client", &["os.Stat(", "net.Dial("], &[]),
    original("file_server", &["os.Create(", "net.Listen("], &[]),
    original("chat_login", &["onlineMap", "login!!!"], &["MakeMsg("]),
    original(
        "chat_broadcast",
        &["onlineMap", "MakeMsg("],
        &["online user list"],
    ),
    original("chat_who", &["online user list"], &["rename successful"]),
    original("chat_rename", &["rename successful"], &["time.After("]),
    original("chat_timeout", &["rename successful", "time.After("], &[]),
];

const fn original(
    name: &'static str,
    holds: &'static [&'static str],
    lacks: &'static [&'static str],
) -> Original {
    Original { name, holds, lacks }
}

/// Reads the article and returns the text of the named original.
///
/// # Panics
/// The article cannot be read, or holds no such program.
pub(crate) fn listing(article: &Path, name: &str) -> String {
    let text = fs::read_to_string(article)
        .unwrap_or_else(|err| panic!("cannot read GO_ARTICLE {}: {err}", article.display()));
    find(&text, name).unwrap_or_else(|err| panic!("{}: {err}", article.display()))
}

fn find(text: &str, name: &str) -> Result<String, String> {
    let wanted = ORIGINALS
        .iter()
        .find(|original| original.name == name)
        .ok_or_else(|| format!("no original is called {name}"))?;
    let mut programs = go_blocks(text);
    programs.retain(|block| block.lines().any(|line| line.trim_end() == "package main"));
    let count = programs.len();
    let is_wanted = |block: &String| {
        wanted.holds.iter().all(|mark| block.contains(mark))
            && !wanted.lacks.iter().any(|mark| block.contains(mark))
    };
    programs.into_iter().find(is_wanted).ok_or_else(|| {
        format!(
            "the listing of {name} is missing: none of the {count} go programs holds {:?} and lacks {:?}",
            wanted.holds, wanted.lacks
        )
    })
}

/// The fenced blocks marked `go`, in order, without their fences.
fn go_blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "```go" {
            let block = lines.by_ref().take_while(|line| line.trim() != "```");
            blocks.push(block.map(|line| format!("{line}\n")).collect());
        } else if line.trim_start().starts_with("```") {
            // A block in another language: its text is nobody's fence.
            lines.by_ref().find(|line| line.trim() == "```");
        }
    }
    blocks
}

#[test]
fn a_listing_is_found_by_what_it_is() {
    let text = "# x\n```go\nfunc Listen(network string)\n```\n```sh\n```go\n```\n\
                ```go\npackage main\n// net.Dial( R U ok??\n```\n\
                ```go\npackage main\n// net.Listen( server is ok\n```\n";
    assert_eq!(go_blocks(text).len(), 3, "{:?}", go_blocks(text));
    assert_eq!(
        find(text, "tcp_server").unwrap(),
        "package main\n// net.Listen( server is ok\n"
    );
    assert_eq!(
        find(text, "tcp_client").unwrap(),
        "package main\n// net.Dial( R U ok??\n"
    );
    let missing = find(text, "chat_who").unwrap_err();
    assert!(
        missing.contains("chat_who is missing: none of the 2 go programs"),
        "{missing}"
    );
}
