//! The command-line options of the chat room.

use std::time::Duration;

use crate::chat::presence::engine;
use crate::chat::rate_limit::Rate;
use crate::server::limits::Limits;

/// How a room behaves, as command-line options.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Which lesson to run; each includes the earlier ones
    #[arg(long, value_enum, default_value_t = Stage::Timeout)]
    pub stage: Stage,

    /// Disconnect a client that sends nothing for this long (500ms, 60s, 5m); from stage timeout on
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = crate::cli::duration)]
    pub timeout: Duration,

    /// Kick a client that does not read when this many batches wait for it (0 to 1024)
    ///
    /// A batch has at most 21 KiB, so a client takes at most 1.4 MiB at the default, plus up to two unread
    /// answers to `who` and, with --history, up to 0.3 MiB of earlier lines. 0 is Go's unbuffered channel: no client is kicked, and one that stops reading freezes
    /// the room.
    #[arg(long, value_name = "BATCHES", default_value_t = 64, value_parser = queue)]
    pub queue: usize,

    /// Maximum number of messages per second from one client [default: no limit]
    ///
    /// The room reads no faster than this, so a client that sends more is slowed down by TCP. Messages that wait
    /// do not count as silence.
    #[arg(long, value_name = "N/s")]
    pub rate: Option<Rate>,

    /// Lines that a newcomer gets first, each marked `(earlier)`: 0 to 1000, at most 256 KiB; from stage
    /// beyond on
    #[arg(long, value_name = "LINES", default_value_t = 0, value_parser = history)]
    pub history: usize,

    /// With more users than this, show logins and logouts as one line per second [default: one line each]
    ///
    /// Everyone sees `[room]: 37 joined, 21 left`. A newcomer still gets its own login line. Otherwise every
    /// login is a line for every user, which makes thousands of logins slow.
    #[arg(long, value_name = "N")]
    pub quiet_above: Option<usize>,

    #[allow(missing_docs)]
    #[command(flatten)]
    pub limits: Limits,

    #[allow(missing_docs)]
    #[command(flatten)]
    pub sharing: engine::Sharing,
}

impl Options {
    /// Checks what no option can check by itself.
    ///
    /// # Errors
    /// One line that says which options do not go together.
    pub fn check(&self) -> Result<(), String> {
        if self.history > 0 && self.stage < Stage::Beyond {
            return Err("--history needs --stage beyond".to_owned());
        }
        let has_logouts = self.stage >= Stage::Timeout;
        self.sharing.check(self.queue, has_logouts)
    }

    /// Shares the room through the engine at this URL.
    ///
    /// # Errors
    /// The program was built without the feature `engine`.
    #[cfg(all(feature = "lab", unix))]
    pub(crate) fn share_through(&mut self, url: &str) -> std::io::Result<()> {
        self.sharing = engine::Sharing::at(url)?;
        Ok(())
    }

    /// How long a client may send nothing. The stages before `timeout` have no limit.
    pub(crate) fn kick_after(&self) -> Duration {
        if self.stage >= Stage::Timeout {
            self.timeout
        } else {
            Duration::MAX
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            stage: Stage::Timeout,
            timeout: Duration::from_secs(60),
            queue: 64,
            rate: None,
            history: 0,
            quiet_above: None,
            limits: Limits::default(),
            sharing: engine::Sharing::default(),
        }
    }
}

/// Limited because a channel allocates all its slots when it is created, 16 bytes each.
fn queue(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(batches @ 0..=1024) => Ok(batches),
        _ => Err("expected a number of batches from 0 to 1024".to_owned()),
    }
}

fn history(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(lines @ 0..=1000) => Ok(lines),
        _ => Err("expected a number of lines from 0 to 1000".to_owned()),
    }
}

/// The lessons in which the course builds the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Stage {
    /// Everyone sees each login
    Login,
    /// Everyone sees each message
    Broadcast,
    /// `who` lists the users, also those who have left
    Who,
    /// `rename|NAME` changes your name
    Rename,
    /// Everyone sees each logout, and idle users are disconnected: the complete server
    Timeout,
    /// Private messages, `help`, `exit` and --history, which the course does not have
    Beyond,
}
