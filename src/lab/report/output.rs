//! The files that a run writes, each by itself: one that fails takes no other with it.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{OFlags, Stat, fcntl_setfl, fstat, stat};
use rustix::io::Errno;

use crate::error::{context, ignore_broken_pipe};
use crate::go::os;
use crate::lab::report::{charts, export, html};
use crate::lab::results::record::Record;
use crate::server::shutdown::{Done, closes_within};

/// Where results go besides the tables. `-` is standard output; the tables go to standard error then.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct Outputs {
    /// Write all raw figures as JSON to this file, or - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write a self-contained HTML report to this file, or -
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write one row per round as CSV to this file, or -
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,

    /// Write the tables as Markdown to this file, or -
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// Write each chart of the report to a file of its own in this directory
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,
}

type Make = fn(&Record) -> String;

/// The files of a run, open: the option and the path, where it goes, and what makes its text.
type Files = Vec<(String, Target, Make)>;

impl Outputs {
    fn files(&self) -> impl Iterator<Item = (&'static str, &Path, Make)> {
        let json: Make = |record| serde_json::to_string(record).expect("a record is JSON") + "\n";
        let all = [
            ("--json", &self.json, json),
            ("--html", &self.html, html::page),
            ("--csv", &self.csv, export::csv),
            ("--markdown", &self.markdown, export::markdown),
        ];
        all.into_iter()
            .filter_map(|(option, path, make)| Some((option, path.as_deref()?, make)))
    }

    /// Whether one of them goes to standard output.
    ///
    /// # Errors
    /// More than one does, or what cannot.
    pub fn take_stdout(&self) -> Result<bool, &'static str> {
        let dashes = self.files().filter(|(_, path, _)| is_dash(path)).count();
        match (dashes, &self.svg) {
            (_, Some(path)) if is_dash(path) => Err("--svg takes a directory, not standard output"),
            (0 | 1, _) => Ok(dashes == 1),
            _ => Err("only one output can go to standard output (-)"),
        }
    }

    /// Opens them before anything is measured, so that a wrong path is known at once. What is in
    /// them stays until there is something to write.
    ///
    /// # Errors
    /// One cannot be written, two are one file, or Ctrl-C was pressed (`Interrupted`).
    pub fn open(&self, shutdown: &Done) -> io::Result<Files> {
        let mut files = Files::new();
        for (option, path, make) in self.files() {
            let name = format!("{option} {}", path.display());
            let cannot = format!("cannot write {name}");
            let target = Target::open(path, shutdown).map_err(context(&cannot))?;
            if let Some((other, ..)) = files.iter().find(|(_, other, _)| other.is_file_of(&target))
            {
                let what = format!("{cannot}: it is the file of {other}");
                return Err(io::Error::new(ErrorKind::InvalidInput, what));
            }
            files.push((name, target, make));
        }
        if let Some(path) = &self.svg {
            let what = format!("cannot create the directory --svg {}", path.display());
            fs::create_dir_all(path).map_err(context(what))?;
        }
        Ok(files)
    }

    /// Writes all of them and returns what went wrong, if anything.
    pub fn write(&self, files: Files, record: &Record) -> Vec<io::Error> {
        let mut errors = Vec::new();
        for (name, target, make) in files {
            errors.extend(target.write(&name, &make(record)).err());
        }
        if let Some(directory) = &self.svg {
            for chart in charts::all(record) {
                let Some(svg) = chart.file() else { continue };
                let path = directory.join(format!("{}-{}.svg", record.scenario, chart.name));
                let name = format!("--svg {}", path.display());
                errors.extend(Target::File(path).write(&name, &svg).err());
            }
        }
        errors
    }
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Where an output goes.
pub enum Target {
    /// A device or a pipe, written as it is. It is held open: a reader would take a second opening for
    /// another writer.
    Stream(Box<dyn Write>),
    /// A regular file, or none yet.
    File(PathBuf),
}

impl Target {
    fn open(path: &Path, shutdown: &Done) -> io::Result<Target> {
        if is_dash(path) || leads_to(path, io::stdout()) {
            return Ok(Target::Stream(Box::new(os::Stdout)));
        }
        if leads_to(path, io::stderr()) {
            return Ok(Target::Stream(Box::new(os::Stderr)));
        }
        let is_new = !path.exists();
        let mut options = File::options();
        options.write(true).create(is_new);
        options.custom_flags(OFlags::NONBLOCK.bits() as i32);
        let file = loop {
            match options.open(path) {
                // A named pipe cannot be opened until it has a reader, and there may never be one.
                Err(err) if Errno::from_io_error(&err) == Some(Errno::NXIO) => {}
                opened => break opened?,
            }
            if closes_within(shutdown, Duration::from_millis(10)) {
                return Err(ErrorKind::Interrupted.into());
            }
        };
        if !file.metadata()?.is_file() {
            fcntl_setfl(&file, OFlags::empty())?;
            return Ok(Target::Stream(Box::new(file)));
        }
        // The one path that it has. Behind a link it is known only once there is a file.
        let path = fs::canonicalize(path)?;
        if is_new {
            // It is there again only when there is something to write.
            fs::remove_file(&path)?;
        }
        Ok(Target::File(path))
    }

    fn is_file_of(&self, other: &Target) -> bool {
        matches!((self, other), (Target::File(one), Target::File(other)) if one == other)
    }

    fn write(self, name: &str, text: &str) -> io::Result<()> {
        let written = match self {
            Target::Stream(mut stream) => ignore_broken_pipe(stream.write_all(text.as_bytes())),
            Target::File(path) => replace(&path, text),
        };
        written.map_err(context(format!("cannot write {name}")))
    }
}

/// Whether a path leads to what is open there, as `/dev/stdout` does. Another opening of a file would
/// have a place of its own to write at, and both would overwrite each other.
fn leads_to(path: &Path, stream: impl AsFd) -> bool {
    let inode = |found: Stat| (found.st_dev, found.st_ino);
    let stream = fstat(stream).map(inode);
    stream.is_ok() && stream == stat(path).map(inode)
}

/// Puts a file with this text in the place of the one at the path, if any: whole or not at all.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let old = fs::metadata(path);
    // A folder that takes no new files, or a mount point, as in a container: the old file may be written.
    let overwrite = |err| match old {
        Ok(_) => fs::write(path, text),
        Err(_) => Err(err),
    };
    let new = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(path.parent().unwrap_or(path));
    let mut new = match new {
        Ok(new) => new,
        Err(err) => return overwrite(err),
    };
    new.write_all(text.as_bytes())?;
    if let Ok(old) = &old {
        new.as_file().set_permissions(old.permissions())?;
    }
    // A full disk or a quota may show only here.
    new.as_file().sync_all()?;
    let placed = new.persist(path).map(drop);
    placed.or_else(|err| overwrite(err.error))
}
