//! What a chat room can be told on its command line.

use std::time::Duration;

use crate::chat::rate_limit::Rate;
use crate::server::accept::Limits;

/// How a room behaves, as options for its command line.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How far the course has got: each stage has what the ones before it have
    #[arg(long, value_enum, default_value_t = Stage::Timeout)]
    pub stage: Stage,

    /// Kick a client who says nothing for this long (500ms, 60s, 5m); only the last stage does
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = crate::cli::duration)]
    pub timeout: Duration,

    /// Bursts that may wait for a client that reads slowly, before it is kicked. A burst has at most
    /// 21 KiB, so 64 of them, and the one being written, hold at most 1.4 MiB. 0 is Go's unbuffered
    /// channel: nobody is kicked, and one client that stops reading freezes the room. An answer to
    /// `who` that is not read comes on top, twice at most. Up to 1024
    #[arg(long, value_name = "BURSTS", default_value_t = 64, value_parser = queue)]
    pub queue: usize,

    /// Messages a second that a client may send; beyond it the room stops reading that client for a
    /// while, which counts as silence: keep --timeout longer [default: no limit]
    #[arg(long, value_name = "N/s")]
    pub rate: Option<Rate>,

    #[allow(missing_docs)]
    #[command(flatten)]
    pub limits: Limits,
}

impl Options {
    /// How long a client may say nothing; the stages before the last kick nobody.
    pub(crate) fn kick_after(&self) -> Duration {
        match self.stage {
            Stage::Timeout => self.timeout,
            _ => Duration::MAX,
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
            limits: Limits::default(),
        }
    }
}

/// Every client has room made for so many bursts when it comes, 16 bytes each.
fn queue(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bursts @ 0..=1024) => Ok(bursts),
        _ => Err("expected a number of bursts from 0 to 1024".to_owned()),
    }
}

/// The steps in which the course builds the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Stage {
    /// Everyone sees who logs in
    Login,
    /// ... and what is said
    Broadcast,
    /// ... and `who` lists the users, gone ones too
    Who,
    /// ... and `rename|NAME` changes one's name
    Rename,
    /// ... and everyone sees who leaves, and who is silent too long is kicked: the whole room
    Timeout,
}
