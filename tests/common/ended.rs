//! The exit status and output of a program that has exited, and assertions on them.

use std::process::ExitStatus;

use super::program::text;

pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ended {
    /// Asserts the exit status and standard output, and returns standard error.
    #[track_caller]
    pub(crate) fn expect(self, code: i32, stdout: impl AsRef<[u8]>) -> String {
        assert_eq!(
            (self.status.code(), text(&self.stdout)),
            (Some(code), text(stdout.as_ref())),
            "standard error: {}",
            self.stderr
        );
        self.stderr
    }

    /// Asserts exit status 1 with nothing on standard output, and exactly one line on standard
    /// error, which contains `text`.
    #[track_caller]
    pub(crate) fn expect_one_error(self, text: &str) {
        let stderr = self.expect(1, "");
        assert!(
            stderr.lines().count() == 1 && stderr.starts_with("error: ") && stderr.contains(text),
            "expected one line with {text:?}: {stderr:?}"
        );
    }
}
