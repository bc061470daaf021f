//! The pages, as text.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::{COURSE, printed};

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
