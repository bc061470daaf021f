//! The file to send.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::error::context;
use crate::file::name;
use crate::go::net;

/// An open file. The read at its end fails if the file has become shorter since it was opened.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    file: File,
    size: Option<u64>,
    read: u64,
}

impl Source {
    /// Opens the file.
    ///
    /// # Errors
    /// It cannot be opened, or is a folder.
    pub fn open(path: PathBuf) -> io::Result<Source> {
        let cannot = || context(format!("cannot open {}", path.display()));
        // Asked by the path, because not every system opens a folder.
        if path.is_dir() {
            let why = format!(
                "cannot send {}, it is a folder; pack it first, with tar or zip",
                path.display()
            );
            return Err(io::Error::new(ErrorKind::IsADirectory, why));
        }
        let file = File::open(&path).map_err(cannot())?;
        let meta = file.metadata().map_err(cannot())?;
        Ok(Source {
            size: meta.is_file().then_some(meta.len()),
            path,
            file,
            read: 0,
        })
    }

    /// Its name, without folders.
    pub fn name(&self) -> &[u8] {
        name::base(&self.path)
    }

    /// Its path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length, if it is not a pipe or a device.
    pub fn size(&self) -> Option<u64> {
        self.size
    }
}

impl Read for Source {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let path = self.path.display();
        let n = net::read(&mut self.file, buf)
            .map_err(|err| context(format!("cannot read {path}"))(err))?;
        self.read += n as u64;
        if n == 0
            && let Some(size) = self.size.filter(|&size| self.read < size)
        {
            // Checked again, because virtual files, as under /sys, report a length that they do not have.
            let meta = self.file.metadata();
            let now = meta.map_err(|err| context(format!("cannot stat {path}"))(err))?;
            if now.len() < size {
                return Err(io::Error::other(format!(
                    "{path} became shorter while it was sent"
                )));
            }
        }
        Ok(n)
    }
}
