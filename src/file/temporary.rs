//! The temporary names of partial files: creating, recognising and removing them.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process;

use log::{debug, info, warn};
use tempfile::NamedTempFile;

use crate::error::context;

const PREFIX: &str = ".threadline-";
const SUFFIX: &str = ".part";
/// The suffix of a folder in which a name is tried.
const TRIAL: &str = ".trial";

/// Random characters in a temporary name.
const RANDOM: usize = 6;

/// Whether [`prepare`] may remove files with such a name. Senders may not use it.
pub fn is_reserved(name: &[u8]) -> bool {
    name.get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX.as_bytes()))
}

/// Whether a name is `.threadline-PID-RANDOM` and `suffix`. Only our server creates such names.
fn is_temporary(name: &OsStr, suffix: &str) -> bool {
    let parts = name.to_str().and_then(|name| {
        let parts = name.strip_prefix(PREFIX)?.strip_suffix(suffix)?;
        parts.split_once('-')
    });
    parts.is_some_and(|(pid, random)| {
        !pid.is_empty()
            && pid.bytes().all(|byte| byte.is_ascii_digit())
            && random.len() == RANDOM
            && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Checks that files can be received into `dir`, and removes the partial files of servers that have crashed.
/// Those of a running server are locked, and stay.
///
/// # Errors
/// `dir` is not a folder, or cannot be read or written.
pub fn prepare(dir: &Path) -> io::Result<()> {
    let cannot = || context(format!("cannot receive into the folder {}", dir.display()));
    for entry in fs::read_dir(dir).map_err(cannot())? {
        let entry = entry.map_err(cannot())?;
        let name = entry.file_name();
        match entry.file_type() {
            Ok(kind) if kind.is_file() && is_temporary(&name, SUFFIX) => {
                remove_if_stale(&entry.path())
            }
            Ok(kind) if kind.is_dir() && is_temporary(&name, TRIAL) => remove_trial(&entry.path()),
            // Opening anything but a regular file, such as a named pipe, could block for ever.
            _ => {}
        }
    }
    // Fail at the start, not at the first transfer.
    create(dir).and_then(NamedTempFile::close).map_err(cannot())
}

/// Creates a file with a unique name, and locks it.
///
/// # Errors
/// `dir` cannot be written.
pub fn create(dir: &Path) -> io::Result<NamedTempFile> {
    loop {
        let prefix = prefix();
        let mut new = tempfile::Builder::new();
        new.prefix(&prefix).suffix(SUFFIX).rand_bytes(RANDOM);
        // Not `tempfile_in`: its errors have the path, which no sender needs to know, and its files are private.
        let file = new.make_in(dir, |path| File::create_new(path))?;
        if let Err(err) = file.as_file().lock() {
            // This file system has no locks, so no server can lock this file and remove it as stale either.
            debug!("cannot lock {}: {err}", file.path().display());
        }
        // If a server started between the creation and the lock, it has removed the file as stale: try again.
        if file.path().exists() {
            return Ok(file);
        }
    }
}

fn prefix() -> String {
    format!("{PREFIX}{}-", process::id())
}

/// Tests whether the file system of `dir` accepts a file name, by creating such a file in a temporary folder,
/// where it cannot conflict with another file.
///
/// # Errors
/// The name is not accepted.
pub fn try_name(dir: &Path, name: &OsStr) -> io::Result<()> {
    let prefix = prefix();
    let mut new = tempfile::Builder::new();
    new.prefix(&prefix).suffix(TRIAL).rand_bytes(RANDOM);
    // If the folder cannot be created, an invalid name fails only when the file is renamed to it.
    let Ok(trial) = new.tempdir_in(dir) else {
        return Ok(());
    };
    match File::create_new(trial.path().join(name)) {
        // A server that was just started has removed the folder.
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(()),
        created => created.map(drop),
    }
}

/// Removes a folder that a crash during [`try_name`] has left. It is empty, or contains an empty file.
fn remove_trial(path: &Path) {
    for file in fs::read_dir(path).into_iter().flatten().flatten() {
        if file
            .metadata()
            .is_ok_and(|meta| meta.is_file() && meta.len() == 0)
        {
            let _ = fs::remove_file(file.path());
        }
    }
    match fs::remove_dir(path) {
        Ok(()) => info!("removed {}, left by a server that crashed", path.display()),
        Err(err) => debug!("{} is not ours: {err}", path.display()),
    }
}

fn remove_if_stale(path: &Path) {
    let removed = OpenOptions::new().write(true).open(path).and_then(|file| {
        file.try_lock()?;
        fs::remove_file(path)
    });
    match removed {
        Ok(()) => info!(
            "removed {}, left by an interrupted transfer",
            path.display()
        ),
        Err(err) if err.kind() == ErrorKind::WouldBlock => debug!("{} is in use", path.display()),
        Err(err) if err.kind() == ErrorKind::NotFound => {}
        Err(err) => warn!(
            "cannot remove {}, left by an interrupted transfer: {err}",
            path.display()
        ),
    }
}

#[cfg(test)]
mod tests {

    use tempfile::tempdir;

    use super::*;

    #[test]
    #[cfg(unix)]
    fn only_files_of_crashed_servers_are_removed() {
        let dir = tempdir().unwrap();
        let living = create(dir.path()).unwrap();
        let others = [
            ".threadline-1-0.txt",
            "threadline-1-0.part",
            ".threadline-notes.part",
            ".Threadline-2024-plan.part",
            ".threadline-1-.part",
            ".threadline-1-plan-b.part",
            ".threadline-x-abcdef.part",
            ".threadline-1-abcdefg.part",
            "other",
        ];
        for name in others.iter().chain(&[".threadline-1-aB3dE6.part"]) {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let outside = dir.path().join("other");
        std::os::unix::fs::symlink(&outside, dir.path().join(".threadline-2-000000.part")).unwrap();
        // A folder that a test of a name has left, and a folder that contains a file.
        for (folder, content) in [
            (".threadline-3-abcdef.trial", ""),
            (".threadline-4-abcdef.trial", "x"),
        ] {
            fs::create_dir(dir.path().join(folder)).unwrap();
            fs::write(dir.path().join(folder).join("name"), content).unwrap();
        }

        prepare(dir.path()).unwrap();
        let temporary = living.path().file_name().unwrap().to_str().unwrap();
        let mut left = others.to_vec();
        left.extend([
            ".threadline-2-000000.part",
            ".threadline-4-abcdef.trial",
            temporary,
        ]);
        left.sort_unstable();
        let mut names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, left);
    }

    #[test]
    fn unusable_folder_is_reported_at_the_start() {
        let dir = tempdir().unwrap();
        let missing = dir.path().join("missing");
        let err = prepare(&missing).unwrap_err().to_string();
        assert!(err.contains("missing"), "{err}");
        fs::write(&missing, "").unwrap();
        assert!(
            prepare(&missing).is_err(),
            "a file was accepted as a folder"
        );
    }
}
