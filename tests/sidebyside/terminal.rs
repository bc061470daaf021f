//! What is printed on the terminal.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::{COURSE, printed, sidebyside};

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
        ("客户端读取到: ", "=", "fmt::println!(\"客户端读取到: \""),
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
    let source = include_str!("../../bin/tcp_client.rs").lines().count();
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
fn color_always_colours_and_never_does_not() {
    let text = printed(&[COURSE, "tcp_client", "--color", "always"]);
    assert!(text.contains("\x1b[32m\"R U ok??\"\x1b[0m"), "{text:?}");
    let plain = printed(&[COURSE, "tcp_client", "--color", "never"]);
    assert_eq!(plain, printed(&[COURSE, "tcp_client"]));
}

#[test]
fn output_in_a_pipe_does_not_depend_on_the_folder_or_the_environment() {
    let elsewhere = tempfile::tempdir().expect("a folder for the test");
    for args in [
        &[COURSE][..],
        &[COURSE, "tcp_client"],
        &[COURSE, "tcp_client", "--check", "0"],
    ] {
        let output = sidebyside(args)
            .current_dir(elsewhere.path())
            .envs([
                ("COLUMNS", "40"),
                ("LINES", "5"),
                ("LANG", "C"),
                ("TERM", "dumb"),
            ])
            .output()
            .expect("sidebyside starts");
        assert_eq!(crate::stdout(&output), printed(args), "{args:?}");
    }
}

#[test]
fn closed_pipe_is_not_an_error() {
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
