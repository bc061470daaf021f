//! A file while it is being received: under a temporary name, locked, and removed unless it is kept.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;

use log::{debug, info, warn};
use tempfile::NamedTempFile;

use crate::error::context;
use crate::system::new_file_permissions;
use crate::text::printable;

const PREFIX: &str = ".threadline-";
const SUFFIX: &str = ".part";

/// Random characters in a temporary name.
const RANDOM: usize = 6;

/// A file that is being received. Dropped before [`PartialFile::keep`], it leaves nothing behind.
///
/// Its temporary name is `.threadline-PID-RANDOM.part`. It stays locked while this process has it open,
/// which is how [`prepare`] tells it from one whose server has died.
#[derive(Debug)]
pub struct PartialFile {
    file: NamedTempFile,
    wanted: PathBuf,
}

impl PartialFile {
    /// Starts a file that is to be called `name` in the folder `dir`.
    ///
    /// # Errors
    /// There is something of that name already, or nothing can be written into `dir`.
    pub fn create(dir: &Path, name: &OsStr) -> io::Result<PartialFile> {
        let wanted = dir.join(name);
        // Checked early, before the sender sends it all for nothing; only `keep` can be sure.
        if fs::symlink_metadata(&wanted).is_ok() {
            return Err(exists(name));
        }
        let file = create_temporary(dir).map_err(context(format!(
            "cannot create {}",
            printable(name.as_encoded_bytes())
        )))?;
        Ok(PartialFile { file, wanted })
    }

    /// Gives the file, now complete, its own name. A file that has the name already is never overwritten.
    ///
    /// # Errors
    /// There is something of that name by now, or the folder cannot be written. The file is gone then.
    pub fn keep(self) -> io::Result<()> {
        let PartialFile { file, wanted } = self;
        match file.persist_noclobber(&wanted) {
            Ok(_) => Ok(()),
            Err(err) if err.error.kind() == ErrorKind::AlreadyExists => Err(exists(name(&wanted))),
            Err(err) => {
                debug!("cannot link {}: {}", wanted.display(), err.error);
                rename_over_reservation(err.file, &wanted)
            }
        }
    }

    /// Where the file is once it is kept.
    pub fn path(&self) -> &Path {
        &self.wanted
    }
}

impl Write for PartialFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let what = || {
            format!(
                "cannot write {}",
                printable(name(&self.wanted).as_encoded_bytes())
            )
        };
        self.file.write(buf).map_err(|err| context(what())(err))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// For file systems with neither hard links nor a rename that fails if the new name is taken. A rename
/// overwrites, so the name is first reserved by an empty file that only we can have created.
fn rename_over_reservation(file: NamedTempFile, wanted: &Path) -> io::Result<()> {
    let cannot = || {
        context(format!(
            "cannot create {}",
            printable(name(wanted).as_encoded_bytes())
        ))
    };
    match File::create_new(wanted) {
        Err(err) if err.kind() == ErrorKind::AlreadyExists => return Err(exists(name(wanted))),
        reserved => reserved.map_err(cannot())?,
    };
    file.persist(wanted).map(drop).map_err(|err| {
        let _ = fs::remove_file(wanted);
        cannot()(err.error)
    })
}

fn name(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}

/// Whether files of this name are ours to remove, so that nobody may send one.
pub fn is_reserved(name: &[u8]) -> bool {
    name.get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX.as_bytes()))
}

/// Whether only a server of ours can have given this name: it is `.threadline-PID-RANDOM.part`.
fn is_temporary(name: &OsStr) -> bool {
    let parts = name.to_str().and_then(|name| {
        let parts = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        parts.split_once('-')
    });
    parts.is_some_and(|(pid, random)| {
        !pid.is_empty()
            && pid.bytes().all(|byte| byte.is_ascii_digit())
            && random.len() == RANDOM
            && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Makes sure that files can be received into `dir`, and removes the temporary files of transfers
/// whose server has died. Those of a living server are locked, and stay.
///
/// # Errors
/// `dir` is no folder, or cannot be read or written.
pub fn prepare(dir: &Path) -> io::Result<()> {
    let cannot = || context(format!("cannot receive into the folder {}", dir.display()));
    for entry in fs::read_dir(dir).map_err(cannot())? {
        let entry = entry.map_err(cannot())?;
        // Opening something else, such as a named pipe, could wait for ever.
        if is_temporary(&entry.file_name()) && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            remove_if_stale(&entry.path());
        }
    }
    // Better known now than when somebody sends a file.
    create_temporary(dir)
        .and_then(NamedTempFile::close)
        .map_err(cannot())
}

/// Creates a file of a name that no other has, and locks it.
fn create_temporary(dir: &Path) -> io::Result<NamedTempFile> {
    loop {
        let prefix = format!("{PREFIX}{}-", process::id());
        let mut new = tempfile::Builder::new();
        new.prefix(&prefix).suffix(SUFFIX).rand_bytes(RANDOM);
        if let Some(permissions) = new_file_permissions() {
            new.permissions(permissions);
        }
        let file = new.tempfile_in(dir)?;
        if let Err(err) = file.as_file().lock() {
            // Files cannot be locked here, so no server takes this one for a stale one either.
            debug!("cannot lock {}: {err}", file.path().display());
        }
        // A server that started between the creation and the lock has removed it as a stale one.
        if file.path().exists() {
            return Ok(file);
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
    // Go: `os.Create` empties a file that is there already. Ours never overwrites one.
    let name = printable(name.as_encoded_bytes());
    io::Error::new(
        ErrorKind::AlreadyExists,
        format!("{name} already exists and was not overwritten"),
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::Barrier;
    use std::thread;

    use tempfile::{TempDir, tempdir};

    use super::*;

    fn part(dir: &TempDir, content: &[u8]) -> PartialFile {
        let mut part = PartialFile::create(dir.path(), OsStr::new("name")).unwrap();
        part.write_all(content).unwrap();
        part
    }

    fn names(dir: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(dir.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn content(dir: &TempDir) -> Vec<u8> {
        fs::read(dir.path().join("name")).unwrap()
    }

    #[test]
    fn file_gets_its_name_only_when_it_is_kept() {
        let dir = tempdir().unwrap();
        let part = part(&dir, b"content");
        let [name] = &names(&dir)[..] else {
            panic!("{:?}", names(&dir))
        };
        assert!(
            is_reserved(name.as_bytes()) && name.ends_with(".part"),
            "{name}"
        );
        part.keep().unwrap();
        assert_eq!(
            (names(&dir), content(&dir)),
            (vec!["name".to_owned()], b"content".to_vec())
        );
    }

    #[test]
    fn dropped_file_leaves_nothing() {
        let dir = tempdir().unwrap();
        drop(part(&dir, b"content"));
        assert!(names(&dir).is_empty(), "{:?}", names(&dir));
    }

    /// With and without hard links.
    const WAYS: [fn(PartialFile) -> io::Result<()>; 2] = [PartialFile::keep, |part| {
        rename_over_reservation(part.file, &part.wanted)
    }];

    #[test]
    fn existing_file_is_never_overwritten() {
        for keep in WAYS {
            let dir = tempdir().unwrap();
            let late = part(&dir, b"late");
            fs::write(dir.path().join("name"), "first").unwrap();
            assert_eq!(keep(late).unwrap_err().kind(), ErrorKind::AlreadyExists);
            assert_eq!(
                (names(&dir), content(&dir)),
                (vec!["name".to_owned()], b"first".to_vec())
            );

            let early = PartialFile::create(dir.path(), OsStr::new("name")).unwrap_err();
            assert_eq!(early.kind(), ErrorKind::AlreadyExists);
        }
    }

    #[test]
    fn existing_symbolic_link_is_not_followed() {
        for keep in WAYS {
            let (dir, outside) = (tempdir().unwrap(), tempdir().unwrap());
            let target = outside.path().join("target");
            let late = part(&dir, b"late");
            symlink(&target, dir.path().join("name")).unwrap();
            assert_eq!(keep(late).unwrap_err().kind(), ErrorKind::AlreadyExists);
            assert!(!target.exists(), "the link was followed");

            let early = PartialFile::create(dir.path(), OsStr::new("name")).unwrap_err();
            assert_eq!(early.kind(), ErrorKind::AlreadyExists);
        }
    }

    #[test]
    fn exactly_one_of_many_files_with_one_name_is_kept() {
        for keep in WAYS {
            let dir = tempdir().unwrap();
            let start = Barrier::new(16);
            let won: Vec<usize> = thread::scope(|s| {
                let (dir, start) = (&dir, &start);
                let racers: Vec<_> = (0..16)
                    .map(|i| {
                        s.spawn(move || {
                            let part = part(dir, i.to_string().as_bytes());
                            start.wait();
                            keep(part).is_ok().then_some(i)
                        })
                    })
                    .collect();
                racers
                    .into_iter()
                    .filter_map(|racer| racer.join().unwrap())
                    .collect()
            });
            assert_eq!(names(&dir), ["name"]);
            assert_eq!(won.len(), 1, "{won:?} won");
            assert_eq!(content(&dir), won[0].to_string().as_bytes());
        }
    }

    #[test]
    fn file_is_kept_where_there_are_no_hard_links() {
        let dir = tempdir().unwrap();
        let part = part(&dir, b"content");
        rename_over_reservation(part.file, &part.wanted).unwrap();
        assert_eq!(
            (names(&dir), content(&dir)),
            (vec!["name".to_owned()], b"content".to_vec())
        );
    }

    #[test]
    fn only_files_of_dead_servers_are_removed() {
        let dir = tempdir().unwrap();
        let living = part(&dir, b"living");
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
        symlink(&outside, dir.path().join(".threadline-2-0.part")).unwrap();

        prepare(dir.path()).unwrap();
        let temporary = living.file.path().file_name().unwrap().to_str().unwrap();
        let mut left = others.to_vec();
        left.extend([".threadline-2-0.part", temporary]);
        left.sort_unstable();
        assert_eq!(names(&dir), left);
        living.keep().unwrap();
    }

    #[test]
    fn unusable_folder_is_reported_at_the_start() {
        let dir = tempdir().unwrap();
        let missing = dir.path().join("missing");
        let err = prepare(&missing).unwrap_err().to_string();
        assert!(err.contains("missing"), "{err}");
        fs::write(&missing, "").unwrap();
        assert!(prepare(&missing).is_err(), "a file was taken for a folder");
    }
}
