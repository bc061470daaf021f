//! `sidebyside` as its user runs it, on a small Markdown made for the purpose.
#![cfg(feature = "lab")]

mod common;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::browser;

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

/// The one line that a run says on standard error, which must end with `status`.
fn refused(args: &[&str], status: i32) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {output:#?}");
    stderr(&output).to_owned()
}

/// The line with this Go line, as its words: numbers, marks and code of both sides.
fn row<'a>(text: &'a str, go: &str) -> &'a str {
    let found = text.lines().find(|line| line.contains(go));
    found.unwrap_or_else(|| panic!("no row has {go:?} in\n{text}"))
}

#[test]
fn an_article_alone_lists_its_programs_and_what_is_not_compared() {
    let text = printed(&[COURSE]);
    let words = |row: &str| {
        row.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let client = words(row(&text, "tcp_client"));
    assert_eq!(
        client[..4],
        ["tcp_client", "client.go", "11", "14"],
        "{text}"
    );
    assert_eq!(
        client.last().map(String::as_str),
        Some("bin/tcp_client.rs"),
        "{text}"
    );
    assert!(
        row(&text, "file_stat").contains("How large a file is    42 "),
        "{text}"
    );
    let others = text.split("none of ours").nth(1).expect("there are others");
    assert!(
        others.contains("62  Something else  package main"),
        "{text}"
    );
    assert!(
        others.contains("70  Something else  type Conn interface"),
        "{text}"
    );
    assert!(!others.contains("not Go"), "{text}");
}

#[test]
fn a_program_is_printed_in_two_columns() {
    let text = printed(&[COURSE, "tcp_client"]);
    for (go, mark, rust) in [
        ("func main() {", "=", "fn main() -> ExitCode {"),
        (
            "net.Dial(\"tcp\", \"127.0.0.1:9000\")",
            "=",
            "net::dial(&args.addr)?",
        ),
        (
            "conn.Write([]byte(\"R U ok??\"))",
            "=",
            "conn.write_all(b\"R U ok??\")",
        ),
        ("n, err := conn.Read(answer)", "=", "conn.read(&mut buf)"),
        ("客户端读取到: ", "=", "fmt::println(&[&\"客户端读取到: \""),
    ] {
        let row = row(&text, go);
        let rest = row.split_once(go).expect("the row has it").1;
        assert!(rest.contains(mark) && rest.contains(rust), "{row}\n{text}");
    }
    // What `?` and the end of the scope do for us.
    for go in ["if err != nil {", "dial failed", "defer conn.Close()"] {
        assert!(row(&text, go).ends_with('~'), "{go}\n{text}");
    }
    assert!(row(&text, "celebrate()").ends_with('!'), "{text}");
    assert!(text.contains("13 of 14 lines matched, 92.8 %"), "{text}");
    assert!(!text.contains('\x1b'), "a pipe gets no colours: {text:?}");
}

#[test]
fn every_line_of_both_sides_is_printed_once_and_in_order() {
    let text = printed(&[COURSE, "tcp_client"]);
    let body = text.split("\n\n13 of 14").next().expect("there is a body");
    let wide = |c: char| !c.is_ascii();
    let column = |line: &str| {
        // Characters of the left side take two columns each if they are Chinese.
        let mut columns = 0;
        line.char_indices()
            .find(|(_, c)| {
                columns += if wide(*c) { 2 } else { 1 };
                columns > 58
            })
            .map_or("", |(at, _)| &line[at..])
            .trim_start_matches([' ', '='])
            .to_owned()
    };
    let number = |text: &str| {
        text.split_whitespace()
            .next()
            .and_then(|n| n.parse::<usize>().ok())
    };
    let ours: Vec<usize> = body
        .lines()
        .skip(1)
        .filter_map(|l| number(&column(l)))
        .collect();
    let source = include_str!("../bin/tcp_client.rs").lines().count();
    assert_eq!(ours, (1..=source).collect::<Vec<_>>(), "{text}");
    let theirs: Vec<usize> = body
        .lines()
        .skip(1)
        .filter(|l| !l.starts_with("     "))
        .filter_map(number)
        .collect();
    assert_eq!(theirs, (11..=36).collect::<Vec<_>>(), "{text}");
}

#[test]
fn colours_come_when_they_are_asked_for() {
    let text = printed(&[COURSE, "tcp_client", "--color", "always"]);
    assert!(text.contains("\x1b[32m\"R U ok??\"\x1b[0m"), "{text:?}");
    let plain = printed(&[COURSE, "tcp_client", "--color", "never"]);
    assert_eq!(plain, printed(&[COURSE, "tcp_client"]));
}

#[test]
fn the_check_fails_below_its_figures_and_says_where() {
    let text = printed(&[COURSE, "--check", "90", "--check-all", "95"]);
    assert!(
        text.contains("tcp_client") && text.contains("92.8 %"),
        "{text}"
    );

    let output = run(&[COURSE, "--check", "99"]);
    assert_eq!(output.status.code(), Some(1), "{output:#?}");
    assert!(
        stdout(&output).contains("    35  celebrate()"),
        "{output:#?}"
    );
    assert_eq!(
        stderr(&output),
        "error: tcp_client is matched to 92.8 %; 99 % of each are asked for\n"
    );

    let line = refused(&[COURSE, "--check-all", "95.5"], 1);
    assert_eq!(
        line,
        "error: all together are matched to 95.0 %; 95.5 % are asked for\n"
    );
}

#[test]
fn the_same_input_gives_the_same_output() {
    for args in [
        &[COURSE][..],
        &[COURSE, "tcp_client"],
        &[COURSE, "--check", "0"],
    ] {
        assert_eq!(printed(args), printed(args));
    }
}

#[test]
fn what_cannot_be_read_gets_one_line() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let file = |name: &str, content: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, content).expect("a file for the test");
        path.to_str().expect("the path is UTF-8").to_owned()
    };
    for (path, why) in [
        (
            dir.path()
                .join("none.md")
                .to_str()
                .expect("UTF-8")
                .to_owned(),
            "No such file",
        ),
        (dir.path().to_str().expect("UTF-8").to_owned(), "directory"),
        (
            file("gbk.md", b"# ok\n\n\xc1\xc4\xcc\xec\n"),
            "is not UTF-8 text, see line 3",
        ),
        (file("empty.md", b""), "has no Go listing"),
        (
            file("python.md", b"```python\nx\n```\n"),
            "has no Go listing",
        ),
        (
            file("none.md", b"```go\nx\n```\n"),
            "has no listing of any program of ours",
        ),
    ] {
        // The last file exists by now under the name of the first.
        let _ = fs::remove_file(dir.path().join("none.md"));
        if why.contains("any program") {
            file("none.md", b"```go\nx\n```\n");
        }
        let line = refused(&[&path], 1);
        let name = Path::new(&path)
            .file_name()
            .and_then(|n| n.to_str())
            .expect("a name");
        assert!(
            line.starts_with("error: ") && line.lines().count() == 1,
            "{line}"
        );
        assert!(line.contains(why) && line.contains(name), "{line}");
    }
    let line = refused(&[COURSE, "udp_client"], 1);
    assert!(
        line.contains("sidebyside.md has no listing of udp_client"),
        "{line}"
    );
    let line = refused(&[COURSE, "--stage", "who"], 1);
    assert!(
        line.contains("no listing of chat_server --stage who"),
        "{line}"
    );
}

#[test]
fn wrong_usage_says_what_there_is() {
    assert!(refused(&[COURSE, "tcp_sever"], 2).contains("tcp_server, tcp_client"));
    assert!(refused(&[COURSE, "--stage", "whom"], 2).contains("login, broadcast, who"));
    assert!(refused(&[COURSE, "tcp_client", "--stage", "who"], 2).contains("no stage who"));
    assert!(refused(&[COURSE, "--check", "101"], 2).contains("from 0 to 100"));
    refused(&[], 2);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    // More than a pipe holds, so that the program is still writing when the reader goes.
    let dir = tempfile::tempdir().expect("a folder for the test");
    let course = fs::read_to_string(COURSE).expect("the course is there");
    let path = dir.path().join("long.md");
    fs::write(&path, course.repeat(60)).expect("a file for the test");
    let path = path.to_str().expect("the path is UTF-8");
    let mut child = sidebyside(&[path, "tcp_client", "--color", "never"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sidebyside starts");
    let mut first = String::new();
    let mut reader = BufReader::new(child.stdout.take().expect("it is a pipe"));
    reader.read_line(&mut first).expect("it prints");
    drop(reader);
    let output = child.wait_with_output().expect("it ends");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{first}{output:#?}"
    );
}

/// The values of an attribute in a page, in order.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    html.split(&start)
        .skip(1)
        .map(|rest| rest.split('"').next().expect("it is closed"))
        .collect()
}

#[test]
fn the_pages_are_whole_and_their_links_lead_somewhere() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let site = dir.path().join("new/site");
    let text = printed(&[COURSE, "--html", site.to_str().expect("the path is UTF-8")]);
    assert!(
        text.starts_with("wrote 3 pages, open ") && text.contains("index.html"),
        "{text}"
    );

    for name in ["index.html", "tcp_client.html", "file_stat.html"] {
        let html = fs::read_to_string(site.join(name)).expect("the page was written");
        assert!(
            html.starts_with("<!doctype html>") && html.ends_with("</html>\n"),
            "{name}"
        );
        for outside in ["http:", "https:", "src=", "@import", "url("] {
            assert!(
                !html.contains(outside),
                "{name} asks for something: {outside}"
            );
        }
        let ids = values(&html, "id");
        let once: BTreeSet<_> = ids.iter().copied().collect();
        assert_eq!(once.len(), ids.len(), "{name} has an id twice: {ids:?}");
        for href in values(&html, "href") {
            match href.strip_prefix('#') {
                Some(id) => assert!(once.contains(id), "{name}: nothing is at #{id}"),
                None => assert!(site.join(href).is_file(), "{name}: there is no {href}"),
            }
        }
    }

    let index = fs::read_to_string(site.join("index.html")).expect("the index was written");
    assert!(index.contains("Something else"), "{index}");
    assert!(
        !index.contains("<script"),
        "the index has a script: {index}"
    );
    let page = fs::read_to_string(site.join("tcp_client.html")).expect("the page was written");
    let (go, ours): (Vec<_>, Vec<_>) = values(&page, "id")
        .into_iter()
        .filter(|id| id.ends_with(|c: char| c.is_ascii_digit()) && !id.starts_with("note-"))
        .partition(|id| id.starts_with("go-"));
    let go_lines: Vec<String> = (11..=36).map(|n| format!("go-{n}")).collect();
    let lines = include_str!("../bin/tcp_client.rs").lines().count();
    let our_lines: Vec<String> = (1..=lines).map(|n| format!("bin-tcp_client-{n}")).collect();
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    let owned = |ids: Vec<&str>| sorted(ids.into_iter().map(str::to_owned).collect());
    assert_eq!(owned(go), sorted(go_lines));
    assert_eq!(owned(ours), sorted(our_lines));

    let again = dir.path().join("again");
    printed(&[COURSE, "--html", again.to_str().expect("the path is UTF-8")]);
    let page_again = fs::read_to_string(again.join("tcp_client.html")).expect("it was written");
    assert_eq!(page, page_again, "the same input gives the same page");
}

#[test]
fn what_the_article_says_is_text_to_the_browser() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let course = fs::read_to_string(COURSE).expect("the course is there");
    let evil = "<script>alert(1)</script>";
    let course = course
        .replace("## How large a file is", &format!("## {evil}\"'&"))
        .replace("celebrate()", &format!("celebrate(\"{evil}\")"));
    let path = dir.path().join("evil.md");
    fs::write(&path, course).expect("a file for the test");
    let site = dir.path().join("site");
    let utf8 = |path: &Path| path.to_str().expect("the path is UTF-8").to_owned();
    printed(&[&utf8(&path), "--html", &utf8(&site)]);
    for name in ["index.html", "tcp_client.html", "file_stat.html"] {
        let html = fs::read_to_string(site.join(name)).expect("the page was written");
        assert!(!html.contains(evil), "{name} has the script");
        assert!(
            html.contains("&lt;script&gt;alert(1)"),
            "{name} has lost the text"
        );
    }
}

#[test]
fn a_folder_that_cannot_be_written_gets_one_line() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let file = dir.path().join("file");
    fs::write(&file, "").expect("a file for the test");
    let line = refused(
        &[COURSE, "--html", file.to_str().expect("the path is UTF-8")],
        1,
    );
    assert!(
        line.starts_with("error: cannot write ") && line.lines().count() == 1,
        "{line}"
    );
}

fn go_article() -> String {
    env::var("GO_ARTICLE").expect("GO_ARTICLE is the path of the course's article")
}

#[test]
#[ignore = "needs GO_ARTICLE"]
fn all_sixteen_originals_are_found_in_the_article() {
    let text = printed(&[&go_article()]);
    let found: Vec<&str> = text
        .lines()
        .skip(1)
        .map_while(|l| l.split("  ").next())
        .take(16)
        .collect();
    let expected = [
        "tcp_server",
        "tcp_client",
        "tcp_concurrent_server",
        "tcp_concurrent_client",
        "udp_server",
        "udp_client",
        "udp_concurrent_server",
        "udp_concurrent_client",
        "file_stat",
        "file_client",
        "file_server",
        "chat_server --stage login",
        "chat_server --stage broadcast",
        "chat_server --stage who",
        "chat_server --stage rename",
        "chat_server --stage timeout",
    ];
    assert_eq!(found, expected, "{text}");
}

#[test]
#[ignore = "needs Chromium and GO_ARTICLE"]
fn the_pages_work_in_a_browser() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let at = |name: &str| dir.path().join(name);
    printed(&[
        &go_article(),
        "--html",
        dir.path().to_str().expect("the path is UTF-8"),
    ]);
    let mut pages: Vec<String> = fs::read_dir(dir.path())
        .expect("the folder is there")
        .map(|entry| {
            entry
                .expect("it can be read")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    pages.sort();
    assert_eq!(pages.len(), 17, "{pages:?}");
    let harness = include_str!("data/sidebyside.html").replace("@PAGES@", &pages.join("\", \""));
    fs::write(at("harness.html"), harness).expect("a file for the test");

    let (dom, log) = browser::load(
        &at("harness.html"),
        &[
            "--allow-file-access-from-files",
            "--window-size=1500,1000",
            "--virtual-time-budget=600000",
        ],
    );
    let result = dom
        .split("<pre id=\"result\">")
        .nth(1)
        .and_then(|rest| rest.split("</pre>").next());
    let result = result.unwrap_or_else(|| panic!("no result in {dom}\n{log}"));
    let checks: usize = result
        .lines()
        .last()
        .and_then(|line| line.strip_suffix(" checks, 0 failures"))
        .and_then(|checks| checks.parse().ok())
        .unwrap_or_else(|| panic!("{result}\n{log}"));
    assert!(checks > 2_000, "only {checks} checks: {result}");
    // Errors of scripts, and of the security policy, are said on the console.
    let said: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(
        said.len() == 1 && said[0].contains("looked at every page"),
        "{said:#?}"
    );
}
