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
        let (file, temporary) = create_temporary(dir).map_err(because(format!(
            "cannot create {}",
            printable(name.as_bytes())
        )))?;
        Ok(Part {
            file,
            temporary,
            wanted,
        })
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

/// Makes sure that files can be received into `dir`, and removes the temporary files of transfers
/// whose server has died. Those of a living server are locked, and stay.
///
/// # Errors
/// `dir` is no folder, or cannot be read or written.
pub fn prepare(dir: &Path) -> io::Result<()> {
    let cannot = || because(format!("cannot receive into the folder {}", dir.display()));
    for entry in fs::read_dir(dir).map_err(cannot())? {
        let entry = entry.map_err(cannot())?;
        let name = entry.file_name();
        let ours = is_reserved(name.as_bytes()) && name.as_bytes().ends_with(SUFFIX.as_bytes());
        // Opening something else, such as a named pipe, could wait for ever.
        if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            remove_if_stale(&entry.path());
        }
    }
    // Better known now than when somebody sends a file.
    let (_, temporary) = create_temporary(dir).map_err(cannot())?;
    fs::remove_file(temporary).map_err(cannot())
}

/// Creates a file of a name that no other has, and locks it.
fn create_temporary(dir: &Path) -> io::Result<(File, PathBuf)> {
    static N: AtomicU64 = AtomicU64::new(0);
    loop {
        let n = N.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!("{PREFIX}{}-{n}{SUFFIX}", process::id()));
        let file = match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(err) if err.kind() == ErrorKind::AlreadyExists => continue,
            file => file?,
        };
        if let Err(err) = file.lock() {
            // Nobody can lock here, so nobody takes this file for a stale one either.
            debug!("cannot lock {}: {err}", path.display());
        }
        // A server that started between the creating and the locking has taken it for a stale one.
        if file.metadata()?.nlink() > 0 {
            return Ok((file, path));
        }
    }
}

fn remove_if_stale(path: &Path) {
    let removed = OpenOptions::new().write(true).open(path).and_then(|file| {
        file.try_lock()?;
        fs::remove_file(path)
    });
    match removed {
        Ok(()) => info!("removed {}, left by a transfer that died", path.display()),
        Err(err) if err.kind() == ErrorKind::WouldBlock => debug!("{} is in use", path.display()),
        Err(err) if err.kind() == ErrorKind::NotFound => {}
        Err(err) => warn!(
            "cannot remove {}, left by a transfer that died: {err}",
            path.display()
        ),
    }
}

fn exists(name: &OsStr) -> io::Error {
    // Go: os.Create empties a file that is there already.
    let name = printable(name.as_bytes());
    io::Error::new(
        ErrorKind::AlreadyExists,
        format!("{name} exists already and is not replaced"),
    )
}
