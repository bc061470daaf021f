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

use crate::error::context;
use crate::text::printable;

const PREFIX: &str = ".threadline-";
const SUFFIX: &str = ".part";

/// A file that is being received. Dropped before [`Part::keep`], it leaves nothing behind.
///
/// Its temporary name is `.threadline-PID-N.part`. It stays locked while this process has it open,
/// which is how [`prepare`] tells it from one whose server has died.
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
        let (file, temporary) = create_temporary(dir).map_err(context(format!(
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
            reserved => reserved.map_err(context(format!("cannot create {}", self.name())))?,
        };
        fs::rename(&self.temporary, &self.wanted).map_err(|err| {
            let _ = fs::remove_file(&self.wanted);
            context(format!("cannot create {}", self.name()))(err)
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
            .map_err(|err| context(format!("cannot write {}", self.name()))(err))
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

/// Whether a server of ours gave this name, and nobody else: it is `.threadline-PID-N.part`.
fn is_temporary(name: &OsStr) -> bool {
    let numbers = name.to_str().and_then(|name| {
        let numbers = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        numbers.split_once('-')
    });
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(pid, n)| number(pid) && number(n))
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
    // Go: `os.Create` empties a file that is there already. Ours never replaces one.
    let name = printable(name.as_bytes());
    io::Error::new(
        ErrorKind::AlreadyExists,
        format!("{name} exists already and is not replaced"),
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::Barrier;
    use std::thread;

    use tempfile::{TempDir, tempdir};

    use super::*;

    fn part(dir: &TempDir, content: &[u8]) -> Part {
        let mut part = Part::create(dir.path(), OsStr::new("name")).unwrap();
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
    fn a_file_has_its_name_only_when_it_is_kept() {
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
    fn a_file_that_is_not_kept_leaves_nothing() {
        let dir = tempdir().unwrap();
        drop(part(&dir, b"content"));
        assert!(names(&dir).is_empty(), "{:?}", names(&dir));
    }

    /// With and without hard links.
    const WAYS: [fn(Part) -> io::Result<()>; 2] =
        [Part::keep, |part| part.rename_over_reservation()];

    #[test]
    fn what_has_the_name_already_is_never_replaced() {
        for keep in WAYS {
            let dir = tempdir().unwrap();
            let late = part(&dir, b"late");
            fs::write(dir.path().join("name"), "first").unwrap();
            assert_eq!(keep(late).unwrap_err().kind(), ErrorKind::AlreadyExists);
            assert_eq!(
                (names(&dir), content(&dir)),
                (vec!["name".to_owned()], b"first".to_vec())
            );

            let early = Part::create(dir.path(), OsStr::new("name")).unwrap_err();
            assert_eq!(early.kind(), ErrorKind::AlreadyExists);
        }
    }

    #[test]
    fn a_symbolic_link_of_the_name_is_not_followed() {
        for keep in WAYS {
            let (dir, outside) = (tempdir().unwrap(), tempdir().unwrap());
            let target = outside.path().join("target");
            let late = part(&dir, b"late");
            symlink(&target, dir.path().join("name")).unwrap();
            assert_eq!(keep(late).unwrap_err().kind(), ErrorKind::AlreadyExists);
            assert!(!target.exists(), "the link was followed");

            let early = Part::create(dir.path(), OsStr::new("name")).unwrap_err();
            assert_eq!(early.kind(), ErrorKind::AlreadyExists);
        }
    }

    #[test]
    fn of_many_with_one_name_exactly_one_wins() {
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
    fn without_hard_links_the_file_is_renamed() {
        let dir = tempdir().unwrap();
        let part = part(&dir, b"content");
        part.rename_over_reservation().unwrap();
        drop(part);
        assert_eq!(
            (names(&dir), content(&dir)),
            (vec!["name".to_owned()], b"content".to_vec())
        );
    }

    #[test]
    fn only_what_the_dead_have_left_is_removed() {
        let dir = tempdir().unwrap();
        let living = part(&dir, b"living");
        let others = [
            ".threadline-1-0.txt",
            "threadline-1-0.part",
            ".threadline-notes.part",
            ".Threadline-2024-plan.part",
            ".threadline-1-.part",
            "other",
        ];
        for name in others.iter().chain(&[".threadline-1-0.part"]) {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let outside = dir.path().join("other");
        symlink(&outside, dir.path().join(".threadline-2-0.part")).unwrap();

        prepare(dir.path()).unwrap();
        let temporary = living.temporary.file_name().unwrap().to_str().unwrap();
        let mut left = others.to_vec();
        left.extend([".threadline-2-0.part", temporary]);
        left.sort_unstable();
        assert_eq!(names(&dir), left);
        living.keep().unwrap();
    }

    #[test]
    fn a_temporary_name_that_is_taken_is_passed_over() {
        let dir = tempdir().unwrap();
        let first = part(&dir, b"");
        let name = first.temporary.file_name().unwrap().to_str().unwrap();
        let n: u64 = name.rsplit(['-', '.']).nth(1).unwrap().parse().unwrap();
        // Other tests use up numbers meanwhile.
        for n in n + 1..n + 1000 {
            let _ = File::create_new(
                dir.path()
                    .join(format!("{PREFIX}{}-{n}{SUFFIX}", process::id())),
            );
        }
        part(&dir, b"content").keep().unwrap();
        assert_eq!(content(&dir), b"content");
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_known_at_the_start() {
        let dir = tempdir().unwrap();
        let missing = dir.path().join("missing");
        let err = prepare(&missing).unwrap_err().to_string();
        assert!(err.contains("missing"), "{err}");
        fs::write(&missing, "").unwrap();
        assert!(prepare(&missing).is_err(), "a file was taken for a folder");
    }
}
