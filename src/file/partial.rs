//! A partial file: it has a temporary name, is locked, and is removed unless the transfer succeeds.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use log::debug;
use tempfile::NamedTempFile;

use crate::error::context;
use crate::file::temporary;
use crate::system::{sync_file, sync_folder};
use crate::text::printable;

/// A file that is being received. If it is dropped before [`PartialFile::keep`], nothing is left on disk.
///
/// Its temporary name is `.threadline-PID-RANDOM.part`. It is locked while this process has it open, so
/// [`temporary::prepare`] can tell it from the file of a server that has crashed.
#[derive(Debug)]
pub struct PartialFile {
    file: NamedTempFile,
    wanted: PathBuf,
}

impl PartialFile {
    /// Creates a partial file that [`PartialFile::keep`] will rename to `name` in the folder `dir`.
    ///
    /// # Errors
    /// The name exists already, or `dir` cannot be written.
    pub fn create(dir: &Path, name: &OsStr) -> io::Result<PartialFile> {
        let wanted = dir.join(name);
        // An early check, before the sender sends the whole file in vain. Only the check in `keep` is free of races.
        if fs::symlink_metadata(&wanted).is_ok() {
            return Err(exists(&wanted));
        }
        let cannot = || context(format!("cannot create {}", shown(&wanted)));
        temporary::try_name(dir, name).map_err(cannot())?;
        let file = temporary::create(dir).map_err(cannot())?;
        Ok(PartialFile { file, wanted })
    }

    /// Renames the complete file to its final name. An existing file is never overwritten. With `sync`, both
    /// the file and its name have been written to disk when this returns.
    ///
    /// # Errors
    /// The name exists by now, or the disk failed. The partial file is then removed.
    pub fn keep(self, sync: bool) -> io::Result<()> {
        let PartialFile { file, wanted } = self;
        let to_disk = || context(format!("cannot write {} to disk", shown(&wanted)));
        if sync {
            sync_file(file.as_file()).map_err(to_disk())?;
        }
        match file.persist_noclobber(&wanted) {
            Ok(_) => {}
            Err(err) if err.error.kind() == ErrorKind::AlreadyExists => {
                return Err(exists(&wanted));
            }
            Err(err) => {
                debug!("cannot rename to {}: {}", wanted.display(), err.error);
                rename_over_reservation(err.file, &wanted)?;
            }
        }
        if sync {
            sync_folder(wanted.parent().unwrap_or(Path::new("."))).map_err(|err| {
                let _ = fs::remove_file(&wanted);
                to_disk()(err)
            })?;
        }
        Ok(())
    }

    /// The final path of the file.
    pub fn path(&self) -> &Path {
        &self.wanted
    }
}

impl Write for PartialFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.file.as_file_mut().write(buf);
        written.map_err(|err| context(format!("cannot write {}", shown(&self.wanted)))(err))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

/// For file systems that have neither hard links nor a rename that fails if the target exists. A rename
/// overwrites, so the name is first reserved with an empty file that only this call can have created.
fn rename_over_reservation(file: NamedTempFile, wanted: &Path) -> io::Result<()> {
    let cannot = || context(format!("cannot create {}", shown(wanted)));
    match File::create_new(wanted) {
        Err(err) if err.kind() == ErrorKind::AlreadyExists => return Err(exists(wanted)),
        reserved => reserved.map_err(cannot())?,
    };
    file.persist(wanted).map(drop).map_err(|err| {
        let _ = fs::remove_file(wanted);
        cannot()(err.error)
    })
}

/// The name of a file, made safe for a message.
fn shown(path: &Path) -> String {
    printable(path.file_name().unwrap_or_default().as_encoded_bytes())
}

fn exists(wanted: &Path) -> io::Error {
    // Go: `os.Create` truncates an existing file. Ours never overwrites one.
    io::Error::new(
        ErrorKind::AlreadyExists,
        format!("{} already exists and was not overwritten", shown(wanted)),
    )
}

#[cfg(test)]
mod tests {
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
            temporary::is_reserved(name.as_bytes()) && name.ends_with(".part"),
            "{name}"
        );
        part.keep(true).unwrap();
        assert_eq!(
            (names(&dir), content(&dir)),
            (vec!["name".to_owned()], b"content".to_vec())
        );
    }

    #[test]
    fn dropped_file_is_removed() {
        let dir = tempdir().unwrap();
        drop(part(&dir, b"content"));
        assert!(names(&dir).is_empty(), "{:?}", names(&dir));
    }

    /// With and without hard links.
    const WAYS: [fn(PartialFile) -> io::Result<()>; 2] = [
        |part| part.keep(true),
        |part| rename_over_reservation(part.file, &part.wanted),
    ];

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
    #[cfg(unix)]
    fn existing_symbolic_link_is_not_followed() {
        for keep in WAYS {
            let (dir, outside) = (tempdir().unwrap(), tempdir().unwrap());
            let target = outside.path().join("target");
            let late = part(&dir, b"late");
            std::os::unix::fs::symlink(&target, dir.path().join("name")).unwrap();
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
    #[cfg(unix)]
    fn name_that_the_file_system_refuses_is_refused_at_the_start() {
        let dir = tempdir().unwrap();
        // Longer than common file systems allow.
        let name = "x".repeat(300);
        let err = PartialFile::create(dir.path(), OsStr::new(&name)).unwrap_err();
        assert!(err.to_string().contains("cannot create xxx"), "{err}");
        assert!(names(&dir).is_empty(), "{:?}", names(&dir));
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
}
