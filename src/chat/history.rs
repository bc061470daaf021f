//! The sixth stage, for which the course has no listing: history for newcomers.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::chat::queue::Batch;

/// Maximum size of the history in bytes, whatever `--history` says.
pub const HISTORY_BYTES: usize = 256 * 1024;

/// The last lines that were sent to everyone, for clients that connect later.
pub struct History {
    most: usize,
    bytes: usize,
    lines: VecDeque<Vec<u8>>,
    /// The lines in the form in which they are sent, until a new line is recorded.
    batch: Option<Arc<Batch>>,
}

impl History {
    /// Keeps at most `most` lines and [`HISTORY_BYTES`].
    pub fn new(most: usize) -> History {
        History {
            most,
            bytes: 0,
            lines: VecDeque::new(),
            batch: None,
        }
    }

    /// Adds a line.
    pub fn record(&mut self, line: &[u8]) {
        if self.most == 0 {
            return;
        }
        self.batch = None;
        self.bytes += line.len();
        self.lines.push_back(line.to_vec());
        while self.lines.len() > self.most || self.bytes > HISTORY_BYTES {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.len();
        }
    }

    /// The lines for a newcomer, each marked; all who come before the next line share them.
    pub fn earlier(&mut self) -> Option<Arc<Batch>> {
        if self.batch.is_none() && !self.lines.is_empty() {
            let mark = |line: &Vec<u8>| [b"(earlier) ", &line[..], b"\r\n"].concat();
            let earlier: Vec<u8> = self.lines.iter().flat_map(mark).collect();
            self.batch = Some(Batch::new(&earlier).0);
        }
        self.batch.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_keeps_and_marks_the_last_lines() {
        let mut history = History::new(2);
        for line in [&b"one"[..], b"two", b"three"] {
            history.record(line);
        }
        let earlier = history.earlier().unwrap();
        assert_eq!(*earlier.bytes, *b"(earlier) two\r\n(earlier) three\r\n");
        history.record(b"four");
        let earlier = history.earlier().unwrap();
        assert_eq!(*earlier.bytes, *b"(earlier) three\r\n(earlier) four\r\n");
    }

    #[test]
    fn history_is_limited_in_bytes() {
        let mut history = History::new(1000);
        for _ in 0..1000 {
            history.record(&[b'x'; 4096]);
        }
        let kept = history.earlier().unwrap().bytes.len();
        assert!(kept <= HISTORY_BYTES + 1000 * 12, "{kept} bytes");
        assert!(kept > HISTORY_BYTES / 2, "{kept} bytes");
    }

    #[test]
    fn no_lines_are_kept_without_history() {
        let mut history = History::new(0);
        history.record(b"one");
        assert!(history.earlier().is_none());
    }
}
