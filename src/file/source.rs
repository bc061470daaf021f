//! The file that is to be sent.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::error::context;
use crate::file::name;
use crate::go::{net, os};
use crate::system::path_from_bytes;

/// Reads the path that is typed.
///
/// # Errors
/// Standard input cannot be read, or ends before a path was typed.
pub fn scan() -> io::Result<PathBuf> {
    let mut stdin = BufReader::new(os::Stdin);
    loop {
        let mut path = Vec::new();
        if stdin
            .read_until(b'\n', &mut path)
            .map_err(context("cannot read standard input"))?
            == 0
        {
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "no file was named before the end of standard input",
            ));
        }
        // Go: `fmt.Scan` ends at the first space, so that `my file` becomes `my`. Ours takes the line.
        let path = path.strip_suffix(b"\n").unwrap_or(&path);
        let path = path.strip_suffix(b"\r").unwrap_or(path);
        if !path.trim_ascii().is_empty() {
            return match path_from_bytes(path.to_vec()) {
                Some(path) => Ok(path.into()),
                None => Err(io::Error::new(
                    ErrorKind::InvalidInput,
                    "this is no path: it is not UTF-8",
                )),
            };
        }
    }
}

/// An open file, which fails to read if it ends before the length that it had when it was opened.
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
        let file = File::open(&path).map_err(cannot())?;
        let meta = file.metadata().map_err(cannot())?;
        if meta.is_dir() {
            let why = format!(
                "cannot send {}, it is a folder; pack it first, with tar or zip",
                path.display()
            );
            return Err(io::Error::new(ErrorKind::IsADirectory, why));
        }
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
        if n == 0 && self.size.is_some_and(|size| self.read < size) {
            return Err(io::Error::other(format!(
                "{path} became shorter while it was sent"
            )));
        }
        Ok(n)
    }
}
