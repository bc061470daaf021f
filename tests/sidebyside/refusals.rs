//! What fails, and what is said then.

use std::fs;

use crate::{COURSE, printed, run, stderr, stdout};

/// The one line that a run says on standard error, which must end with `status`.
fn refused(args: &[&str], status: i32) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {output:#?}");
    stderr(&output).to_owned()
}

#[test]
fn check_fails_below_its_figures_and_reports_the_lines() {
    let text = printed(&[COURSE, "tcp_client", "--check", "90", "--check-all", "92"]);
    assert!(
        text.contains("tcp_client") && text.contains("92.8 %"),
        "{text}"
    );
    assert!(
        text.contains("no table of right pairs is for these listings: matched is likeness alone"),
        "{text}"
    );

    let output = run(&[COURSE, "tcp_client", "--check", "99"]);
    assert_eq!(output.status.code(), Some(1), "{output:#?}");
    assert!(
        stdout(&output).contains("    35  celebrate()"),
        "{output:#?}"
    );
    assert_eq!(
        stderr(&output),
        "error: tcp_client is matched to 92.8 %; 99 % of each are asked for\n"
    );

    let line = refused(&[COURSE, "tcp_client", "--check-all", "95.5"], 1);
    assert_eq!(
        line,
        "error: all together are matched to 92.8 %; 95.5 % are asked for\n"
    );
}

#[test]
fn check_fails_if_programs_are_missing() {
    for option in ["--check", "--check-all"] {
        let line = refused(&[COURSE, option, "0"], 1);
        assert!(
            line.starts_with("error: 2 of 16 programs are there, missing: tcp_server, tcp_con"),
            "{line}"
        );
        assert!(line.contains(", chat_server --stage timeout"), "{line}");
    }
}

#[test]
#[cfg(unix)]
fn unreadable_article_is_one_line_on_stderr() {
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
            file("unmarked.md", b"```\npackage main\n```\n\n    func f() {\n"),
            "lines that look like Go and are in no such block: 2, 5",
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
        let name = std::path::Path::new(&path)
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
fn wrong_usage_lists_valid_values() {
    assert!(refused(&[COURSE, "tcp_sever"], 2).contains("tcp_server, tcp_client"));
    assert!(refused(&[COURSE, "--stage", "whom"], 2).contains("login, broadcast, who"));
    assert!(refused(&[COURSE, "tcp_client", "--stage", "who"], 2).contains("no stage who"));
    assert!(refused(&[COURSE, "--check", "101"], 2).contains("from 0 to 100"));
    refused(&[], 2);
}

#[test]
fn unwritable_folder_is_one_line_on_stderr() {
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
