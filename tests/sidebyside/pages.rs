//! The pages, as text.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::{COURSE, printed, run, stderr};

/// The values of an attribute in a page, in order.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    html.split(&start)
        .skip(1)
        .map(|rest| rest.split('"').next().expect("it is closed"))
        .collect()
}

#[test]
fn pages_are_complete_and_links_resolve() {
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
    let chinese = "<span lang=\"zh\">客户端读取到</span>";
    assert_eq!(page.matches(chinese).count(), 2, "on both sides: {page}");
    let (go, ours): (Vec<_>, Vec<_>) = values(&page, "id")
        .into_iter()
        .filter(|id| id.ends_with(|c: char| c.is_ascii_digit()) && !id.starts_with("note-"))
        .partition(|id| id.starts_with("go-"));
    let go_lines: Vec<String> = (11..=36).map(|n| format!("go-{n}")).collect();
    let lines = include_str!("../../bin/tcp_client.rs").lines().count();
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
fn article_text_is_escaped_in_pages() {
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
#[cfg(unix)]
fn pages_replace_pages_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let at = |name: &str| dir.path().join(name);
    let write = || run(&[COURSE, "--html", at("site").to_str().expect("it is UTF-8")]);
    let refused = |why: &str| {
        let output = write();
        assert_eq!(output.status.code(), Some(1), "{output:#?}");
        assert!(stderr(&output).contains(why), "{output:#?}");
    };
    assert!(write().status.success());
    let page = fs::read(at("site/index.html")).expect("it was written");
    assert!(write().status.success(), "pages may be written again");

    // The first page is all right, so a refusal must come before it is written.
    fs::write(at("site/index.html"), [&page[..], b"old"].concat()).expect("it can be written");
    fs::write(at("mine"), "mine").expect("it can be written");
    fs::remove_file(at("site/file_stat.html")).expect("it was written");
    std::os::unix::fs::symlink(at("mine"), at("site/file_stat.html")).expect("it can be made");
    refused("file_stat.html: it is a symbolic link");
    assert_eq!(fs::read(at("mine")).expect("it is there"), b"mine");
    std::os::unix::fs::symlink(at("none"), at("dangling")).expect("it can be made");
    fs::rename(at("dangling"), at("site/file_stat.html")).expect("it can be moved");
    refused("file_stat.html: it is a symbolic link");
    assert!(!at("none").exists());

    fs::rename(at("mine"), at("site/file_stat.html")).expect("it can be moved");
    refused("file_stat.html: it exists and was not written by sidebyside");
    fs::remove_file(at("site/file_stat.html")).expect("it is there");
    fs::create_dir(at("site/file_stat.html")).expect("it can be made");
    refused("file_stat.html: it is not a file");
    let index = fs::read(at("site/index.html")).expect("it is there");
    assert!(
        index.ends_with(b"old"),
        "nothing is written if not everything can be"
    );
}

#[test]
fn characters_that_reorder_or_hide_are_shown_everywhere() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let course = fs::read_to_string(COURSE).expect("the course is there");
    let course = course
        .replace("How large a file is", "How \u{202e}large\u{2066} a file is")
        .replace("celebrate()", "celebrate(\"\u{202e}\u{200b}\")")
        .replace("no counterpart", "no\u{202e} counterpart");
    let path = dir.path().join("tri\u{202e}cks.md");
    fs::write(&path, course).expect("a file for the test");
    let path = path.to_str().expect("the path is UTF-8");
    let site = dir.path().join("site");
    let mut shown = printed(&[path, "--html", site.to_str().expect("the path is UTF-8")]);
    for name in ["index.html", "tcp_client.html", "file_stat.html"] {
        shown += &fs::read_to_string(site.join(name)).expect("the page was written");
    }
    shown += &printed(&[path]);
    shown += &printed(&[path, "tcp_client"]);
    shown += stderr(&run(&[path, "udp_client"]));
    assert!(
        !shown.contains(['\u{202e}', '\u{2066}', '\u{200b}']),
        "{shown}"
    );
    for code in [
        "tri‹U+202E›cks.md",
        "How ‹U+202E›large‹U+2066›",
        "&quot;‹U+202E›‹U+200B›&quot;",
        "(\"‹U+202E›‹U+200B›\")",
    ] {
        assert!(shown.contains(code), "{code} is not in {shown}");
    }
}
