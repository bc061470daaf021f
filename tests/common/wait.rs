//! Waiting, always with a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for what must come, on a slow and busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// How long a page may take in a browser, with all that its scripts do.
pub(super) const PAGE_DEADLINE: Duration = Duration::from_secs(300);

/// How long to sleep between two looks.
pub(super) const PAUSE: Duration = Duration::from_millis(2);

/// Waits until `done`, and fails with what `state` says if that takes too long.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool, state: impl Fn() -> String) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < DEADLINE,
            "{what}: not within {DEADLINE:?}; {}",
            state()
        );
        thread::sleep(PAUSE);
    }
}
