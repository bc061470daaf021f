//! The whole of the course's article, and its pages in a browser.

use std::env;
use std::fs;

use crate::common::browser;
use crate::printed;

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
#[ignore = "needs GO_ARTICLE"]
fn pairs_of_the_course_are_those_of_the_tables() {
    let text = printed(&[&go_article(), "--check", "97"]);
    let all = text.lines().find(|line| line.starts_with("all "));
    assert!(all.is_some_and(|all| all.contains(" 100.0 %")), "{text}");
    assert!(!text.contains(" - "), "each listing is a known one: {text}");
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
    let harness = include_str!("../data/sidebyside.html").replace("@PAGES@", &pages.join("\", \""));
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
