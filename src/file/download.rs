//! Receiving one file: writes it, counts and hashes its bytes, and shows the progress.

use std::io::{self, ErrorKind, Write};

use indicatif::ProgressBar;
use log::info;

use crate::file::options::Options;
use crate::file::partial::PartialFile;
use crate::file::receipt::Receipt;
use crate::file::{bar, name};
use crate::text::printable;
use crate::units::Unit;

/// A file that is being received. If it is dropped before [`Download::keep`], nothing is left on disk.
pub struct Download {
    file: PartialFile,
    receipt: Receipt,
    max_size: u64,
    sync: bool,
    bar: ProgressBar,
}

impl Download {
    /// Creates the file under the name that the sender gave.
    ///
    /// # Errors
    /// The name is rejected or exists already, or the folder cannot be written.
    pub fn create(name: &[u8], options: &Options) -> io::Result<Download> {
        let safe = name::check(name).map_err(|why| io::Error::new(ErrorKind::InvalidInput, why))?;
        Ok(Download {
            file: PartialFile::create(&options.dir, &safe)?,
            receipt: Receipt::new(),
            sync: !options.no_sync,
            max_size: options.max_size.unwrap_or(u64::MAX),
            bar: bar::start(name, None),
        })
    }

    /// Writes all of `bytes` to the file.
    ///
    /// # Errors
    /// The file exceeds `--max-size`, or cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.receipt.add(bytes);
        if self.receipt.bytes() > self.max_size {
            let limit = Unit::Bytes.show(self.max_size as f64);
            let why = format!("the file is over {limit}, the maximum size");
            return Err(io::Error::new(ErrorKind::FileTooLarge, why));
        }
        self.file.write_all(bytes)?;
        self.bar.inc(bytes.len() as u64);
        Ok(())
    }

    /// Renames the complete file to its final name, and returns the receipt for the sender.
    ///
    /// # Errors
    /// As for [`PartialFile::keep`].
    pub fn keep(self) -> io::Result<Receipt> {
        let path = printable(self.file.path().as_os_str().as_encoded_bytes());
        self.file.keep(self.sync)?;
        self.bar.finish_and_clear();
        bar::suspend(|| info!("{path}: {}", self.receipt));
        Ok(self.receipt)
    }
}
