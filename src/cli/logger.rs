//! The log on standard error.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use env_logger::{Builder, Target, WriteStyle};
use log::{LevelFilter, warn};

use crate::go::os;
use crate::system::is_writable;

/// How long a line waits for standard error, the first time it is full.
const PATIENCE: Duration = Duration::from_millis(100);

/// Starts the log. Its level comes from `RUST_LOG`; the default is `info`.
pub fn set_up() {
    let mut log = Builder::new();
    log.filter_level(LevelFilter::Info);
    log.target(Target::Pipe(Box::new(Lines { dropped: 0 })));
    if io::stderr().is_terminal() && wants_colours() {
        log.write_style(WriteStyle::Always);
    }
    if let Ok(style) = env::var("RUST_LOG_STYLE") {
        log.parse_write_style(&style);
    }
    let wanted = env::var("RUST_LOG").unwrap_or_default();
    // If it is invalid, the crate would print that itself, and panic if standard error is full.
    match env_filter::Builder::new().try_parse(&wanted) {
        Ok(_) => log.parse_filters(&wanted).init(),
        Err(err) => {
            log.init();
            warn!("RUST_LOG is ignored: {err}");
        }
    }
}

/// Whether a terminal gets colours, see <https://no-color.org>.
pub fn wants_colours() -> bool {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_some_and(|term| term != "dumb")
}

/// The lines of the log, each written at once. If nobody reads standard error, lines are dropped: a server must not
/// stop because of its log.
struct Lines {
    dropped: u64,
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // Only the first line waits, in case the reader is merely slow.
        let patience = match self.dropped {
            0 => PATIENCE,
            _ => Duration::ZERO,
        };
        if !is_writable(io::stderr(), patience) {
            self.dropped += 1;
            return Ok(line.len());
        }
        if self.dropped > 0 {
            let dropped = format!(
                "{} lines of the log were dropped: standard error was full\n",
                self.dropped
            );
            self.dropped = 0;
            os::Stderr.write_all(dropped.as_bytes())?;
        }
        os::Stderr.write_all(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
