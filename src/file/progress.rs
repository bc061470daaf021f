//! The progress line on standard error, shown where that is a terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::file::size;

/// The line is drawn at most this often.
const EVERY: Duration = Duration::from_millis(100);

static TERMINAL: LazyLock<bool> = LazyLock::new(|| io::stderr().is_terminal());

/// The one line that all transfers of this process share.
static LINE: Mutex<Option<Line>> = Mutex::new(None);

#[derive(Debug)]
struct Line {
    transfers: usize,
    done: u64,
    total: Option<u64>,
    started: Instant,
    drawn: Instant,
    shown: bool,
}

/// One transfer's part in the progress line, from its start until it is dropped.
#[derive(Debug)]
pub struct Progress(());

impl Progress {
    /// Begins a transfer of `total` bytes, if that is known.
    pub fn start(total: Option<u64>) -> Progress {
        let now = Instant::now();
        let mut line = LINE.lock();
        let line = line.get_or_insert(Line {
            transfers: 0,
            done: 0,
            total,
            started: now,
            drawn: now,
            shown: false,
        });
        line.transfers += 1;
        Progress(())
    }

    /// Counts `bytes` more, and shows them if it is time.
    pub fn advance(&self, bytes: usize) {
        let mut line = LINE.lock();
        let Some(line) = line.as_mut() else { return };
        line.done += bytes as u64;
        if *TERMINAL && line.drawn.elapsed() >= EVERY {
            line.drawn = Instant::now();
            line.shown = true;
            // The cursor goes back to the start of the line, so that whatever is printed next
            // replaces it.
            let text = format!("\x1b[2K{}\r", line.text(line.started.elapsed()));
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let mut line = LINE.lock();
        if let Some(shared) = line.as_mut() {
            shared.clear();
            shared.transfers -= 1;
            if shared.transfers == 0 {
                *line = None;
            }
        }
    }
}

impl Line {
    fn text(&self, elapsed: Duration) -> String {
        let done = size::display(self.done);
        let rate = size::display((self.done as f64 / elapsed.as_secs_f64()) as u64);
        match (self.transfers, self.total) {
            (1, Some(total)) if total > 0 => {
                let percent = (u128::from(self.done) * 100 / u128::from(total)).min(100);
                format!(
                    "{percent:3} %  {done} of {}  {rate}/s",
                    size::display(total)
                )
            }
            (1, _) => format!("{done}  {rate}/s"),
            (n, _) => format!("{n} files  {done}  {rate}/s"),
        }
    }

    fn clear(&mut self) {
        if self.shown {
            self.shown = false;
            let _ = write!(io::stderr(), "\x1b[2K");
        }
    }
}

/// Clears the progress line and keeps it away while `print` prints something else.
pub fn pause<T>(print: impl FnOnce() -> T) -> T {
    let mut line = LINE.lock();
    if let Some(line) = line.as_mut() {
        line.clear();
    }
    print()
}

/// Ends a line that standard output has left open, where the progress line would overwrite it.
pub fn keep_open_line() {
    if *TERMINAL && io::stdout().is_terminal() {
        let _ = writeln!(io::stderr());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_and_how_fast() {
        let now = Instant::now();
        let mut line = Line {
            transfers: 1,
            done: 3 << 20,
            total: Some(4 << 20),
            started: now,
            drawn: now,
            shown: false,
        };
        let two_seconds = Duration::from_secs(2);
        assert_eq!(
            line.text(two_seconds),
            " 75 %  3.0 MiB of 4.0 MiB  1.5 MiB/s"
        );
        line.done = 5 << 20; // the file has grown
        assert_eq!(
            line.text(two_seconds),
            "100 %  5.0 MiB of 4.0 MiB  2.5 MiB/s"
        );
        line.total = None;
        assert_eq!(line.text(two_seconds), "5.0 MiB  2.5 MiB/s");
        line.transfers = 2;
        assert_eq!(line.text(two_seconds), "2 files  5.0 MiB  2.5 MiB/s");
    }
}
