//! The command-line options of the file programs.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use crate::cli;
use crate::server::limits::Limits;
use crate::units;

/// The server and the file to send, as command-line arguments.
#[derive(Clone, Debug, clap::Args)]
pub struct Target {
    /// Address of the server [default: 127.0.0.1:8005]
    addr: Option<OsString>,

    /// File to send; without it, the program asks for one. A single argument is the file, unless it has the
    /// form HOST:PORT
    file: Option<PathBuf>,
}

impl Target {
    /// The address (or `default`), and the file if one was given.
    ///
    /// # Errors
    /// One line that explains what is wrong.
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

/// Parses an argument as an address if it has the form HOST:PORT.
fn address(text: &OsStr) -> Option<String> {
    let addr = cli::addr(text.to_str()?).ok()?;
    (!addr.contains('/')).then_some(addr)
}

/// How files are received, as command-line options.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Folder for received files
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,

    /// Keep running and receive any number of files concurrently (1 MiB of memory each)
    #[arg(long)]
    pub keep: bool,

    /// Reject files over this size, such as 500M or 2G [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub max_size: Option<u64>,

    /// Confirm a file before it has been written to disk. Faster, but a confirmed file may be lost if the
    /// machine loses power or the disk fails
    #[arg(long)]
    pub no_sync: bool,

    /// Disconnect a sender that sends nothing for this long
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = cli::duration)]
    pub timeout: Duration,

    #[allow(missing_docs)]
    #[command(flatten)]
    pub limits: Limits,
}
