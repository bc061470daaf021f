//! A file while it is being received: under a temporary name, locked, and gone unless it is kept.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use log::{debug, info, warn};

use crate::cli::because;
use crate::file_name::printable;

const PREFIX: &str = ".threadline-";
const SUFFIX: &str = ".part";

/// A file that is being received. Dropped before [`Part::keep`], it leaves nothing behind.
///
/// Its temporary name is `.threadline-PID-N.part`. It stays locked while this process has it open,
/// which is how [`remove_stale`] tells it from one whose server has died.
#[derive(Debug)]
pub struct Part {
    file: File,
    temporary: PathBuf,
    wanted: PathBuf,
}

impl Part {
    /// Starts a file that is to be called `name` in the folder `dir`.
    ///
    /// # Errors
    /// There is something of that name already, or nothing can be written into `dir`.
    pub fn create(dir: &Path, name: &OsStr) -> io::Result<Part> {
        let wanted = dir.join(name);
        // Early, before the sender sends it all for nothing; `keep` is what makes sure.
        if fs::symlink_metadata(&wanted).is_ok() {
            return Err(exists(name));
        }
        let cannot = || because(format!("cannot create {}", printable(name.as_bytes())));
        loop {
            static N: AtomicU64 = AtomicU64::new(0);
            let n = N.fetch_add(1, Ordering::Relaxed);
            let temporary = dir.join(format!("{PREFIX}{}-{n}{SUFFIX}", process::id()));
            let file = match OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&temporary)
            {
                Err(err) if err.kind() == ErrorKind::AlreadyExists => continue,
                file => file.map_err(cannot())?,
            };
            if let Err(err) = file.lock() {
                // Nobody can lock here, so nobody takes this file for a stale one either.
                debug!("cannot lock {}: {err}", temporary.display());
            }
            // A server that started just between the two lines above has taken it for a stale one.
            if file.metadata().map_err(cannot())?.nlink() > 0 {
                return Ok(Part {
                    file,
                    temporary,
                    wanted,
                });
            }
        }
    }

    /// Gives the file, now complete, its own name. What has that name already is never replaced.
    ///
    /// # Errors
    /// There is something of that name by now, or the folder cannot be written. The file is gone then.
    pub fn keep(self) -> io::Result<()> {
        match fs::hard_link(&self.temporary, &self.wanted) {
            Ok(()) => Ok(()),
            Err(err) if err.kind() == ErrorKind::AlreadyExists => Err(self.exists()),
            Err(err) => {
                debug!("no hard link to {}: {err}", self.temporary.display());
                self.rename_over_reservation()
            }
        }
    }

    /// For file systems without hard links. A rename replaces what is there, so the name is first
    /// taken with an empty file that can only be ours.
    fn rename_over_reservation(&self) -> io::Result<()> {
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.wanted)
        {
            Err(err) if err.kind() == ErrorKind::AlreadyExists => return Err(self.exists()),
            reserved => reserved.map_err(because(format!("cannot create {}", self.name())))?,
        };
        fs::rename(&self.temporary, &self.wanted).map_err(|err| {
            let _ = fs::remove_file(&self.wanted);
            because(format!("cannot create {}", self.name()))(err)
        })
    }

    /// Where the file lies once it is kept.
    pub fn path(&self) -> &Path {
        &self.wanted
    }

    fn name(&self) -> String {
        printable(self.wanted.file_name().unwrap_or_default().as_bytes())
    }

    fn exists(&self) -> io::Error {
        exists(self.wanted.file_name().unwrap_or_default())
    }
}

impl Write for Part {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.file
            .write(buf)
            .map_err(|err| because(format!("cannot write {}", self.name()))(err))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        match fs::remove_file(&self.temporary) {
            Err(err) if err.kind() != ErrorKind::NotFound => {
                warn!("cannot remove {}: {err}", self.temporary.display());
            }
            _ => {}
        }
    }
}

/// Whether files of this name are ours to remove, so that nobody may send one.
pub fn is_reserved(name: &[u8]) -> bool {
    name.get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX.as_bytes()))
}

/// Removes the temporary files of transfers in `dir` whose server has died; those of a living
/// server are locked, and stay.
///
/// # Errors
/// The folder cannot be read.
pub fn remove_stale(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let ours = is_reserved(name.as_bytes()) && name.as_bytes().ends_with(SUFFIX.as_bytes());
        // Opening something else, such as a pipe, could wait for ever.
        if !ours || !entry.file_type()?.is_file() {
            continue;
        }
        let path = entry.path();
        let removed = OpenOptions::new().write(true).open(&path).and_then(|file| {
            file.try_lock()?;
            fs::remove_file(&path)
        });
        match removed {
            Ok(()) => info!("removed {}, left by a transfer that died", path.display()),
            Err(err) if err.kind() == ErrorKind::WouldBlock => {
                debug!("{} is in use", path.display())
            }
            Err(err) if err.kind() == ErrorKind::NotFound => {}
            Err(err) => warn!(
                "cannot remove {}, left by a transfer that died: {err}",
                path.display()
            ),
        }
    }
    Ok(())
}

fn exists(name: &OsStr) -> io::Error {
    // Go: os.Create empties a file that is there already.
    let name = printable(name.as_bytes());
    io::Error::new(
        ErrorKind::AlreadyExists,
        format!("{name} exists already and is not replaced"),
    )
}
