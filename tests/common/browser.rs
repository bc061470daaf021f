//! A page in a real browser, headless. It is `$CHROMIUM`, or `chromium` on the path.

use std::env;
use std::path::Path;
use std::process::Command;

use super::program::Program;
use super::wait::PAGE_DEADLINE;

/// Loads a file, with these options beside the usual ones. Its document when it has been loaded,
/// and the browser's log.
pub(crate) fn load(file: &Path, options: &[&str]) -> (String, String) {
    let chromium = env::var_os("CHROMIUM").unwrap_or_else(|| "chromium".into());
    println!("the browser is {chromium:?}; CHROMIUM may name another");
    let profile = tempfile::tempdir().expect("a folder for the browser's profile");
    let browser = Program::spawn(
        Command::new(chromium)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                // The browser itself is not to talk to anyone either.
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--enable-logging=stderr",
                "--dump-dom",
            ])
            .args(options)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("file://{}", file.display())),
    );
    let status = browser.wait_end_within(PAGE_DEADLINE);
    assert!(status.success(), "{}", browser.seen());
    (browser.stdout(), browser.stderr())
}
