//! What the file programs can be told on their command lines.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use crate::cli;
use crate::file::size;
use crate::server::accept::Limits;

/// What to send and where, as arguments for a command line.
#[derive(Clone, Debug, clap::Args)]
pub struct Target {
    /// Address of the server [default: 127.0.0.1:8005]
    addr: Option<OsString>,

    /// File to send; if it is not given, the program asks for it. A single argument is taken for the
    /// file unless it reads as HOST:PORT
    file: Option<PathBuf>,
}

impl Target {
    /// The address, or `default`, and the file if one was given.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn or(self, default: &str) -> Result<(String, Option<PathBuf>), String> {
        let Some(first) = self.addr else {
            return Ok((default.to_owned(), None));
        };
        match (address(&first), self.file) {
            (Some(addr), file) => Ok((addr, file)),
            (None, None) => Ok((default.to_owned(), Some(first.into()))),
            (None, Some(_)) => Err(format!(
                "{} is not an address, expected HOST:PORT and then FILE",
                first.display()
            )),
        }
    }
}

/// Takes an argument for an address if it reads as HOST:PORT.
fn address(text: &OsStr) -> Option<String> {
    let addr = cli::addr(text.to_str()?).ok()?;
    (!addr.contains('/')).then_some(addr)
}

/// How files are received, as options for a command line.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Folder that files go into
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,

    /// Keep running and receive any number of files, also at the same time; each takes 1 MiB of memory
    #[arg(long)]
    pub keep: bool,

    /// Refuse files over this size, such as 500M or 2G [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub max_size: Option<u64>,

    /// Confirm a file before it is on the disk. Faster, but a file that was confirmed may be lost if the
    /// machine loses power, or if the disk then fails to write it
    #[arg(long)]
    pub no_sync: bool,

    /// Disconnect a sender that sends nothing for this long
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = cli::duration)]
    pub timeout: Duration,

    #[allow(missing_docs)]
    #[command(flatten)]
    pub limits: Limits,
}
