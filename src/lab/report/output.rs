//! The files that a run writes, each by itself: one that fails takes no other with it.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_setfl};
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
    pub fn open(&self, shutdown: &Done) -> io::Result<Open> {
        let mut files: Vec<(String, Target, Make)> = Vec::new();
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
        let svg = self.svg.clone();
        Ok(Open { files, svg })
    }
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The outputs of a run, open.
pub struct Open {
    files: Vec<(String, Target, Make)>,
    svg: Option<PathBuf>,
}

impl Open {
    /// Writes all of them and returns what went wrong, if anything.
    pub fn write(self, record: &Record) -> Vec<io::Error> {
        let mut errors = Vec::new();
        let mut write = |name: String, target: Target, text: &str| {
            let written = target
                .write(text)
                .map_err(context(format!("cannot write {name}")));
            errors.extend(written.err());
        };
        for (name, target, make) in self.files {
            write(name, target, &make(record));
        }
        if let Some(directory) = self.svg {
            for chart in charts::all(record) {
                let Some(svg) = chart.file() else { continue };
                let path = directory.join(format!("{}-{}.svg", record.scenario, chart.name));
                let name = format!("--svg {}", path.display());
                write(name, Target::File(path), &svg);
            }
        }
        errors
    }
}

enum Target {
    /// A device or a pipe, written as it is. It is held open: a reader would take a second opening for
    /// another writer.
    Stream(Box<dyn Write>),
    /// A regular file, or none yet.
    File(PathBuf),
}

impl Target {
    fn open(path: &Path, shutdown: &Done) -> io::Result<Target> {
        if is_dash(path) || is_same(path, io::stdout())? {
            return Ok(Target::Stream(Box::new(os::Stdout)));
        }
        if is_same(path, io::stderr())? {
            return Ok(Target::Stream(Box::new(os::Stderr)));
        }
        let path = followed(path)?;
        match fs::metadata(&path) {
            // It is there again only when there is something to write.
            Err(_) => drop(File::create_new(&path).map(|_| fs::remove_file(&path))?),
            Ok(found) if found.is_file() => drop(File::options().write(true).open(&path)?),
            Ok(_) => return Ok(Target::Stream(Box::new(open_stream(&path, shutdown)?))),
        }
        Ok(Target::File(path))
    }

    fn is_file_of(&self, other: &Target) -> bool {
        matches!((self, other), (Target::File(one), Target::File(other)) if one == other)
    }

    fn write(self, text: &str) -> io::Result<()> {
        match self {
            Target::Stream(mut stream) => ignore_broken_pipe(stream.write_all(text.as_bytes())),
            Target::File(path) => replace(&path, text),
        }
    }
}

/// Whether a path leads to what is open there, as `/dev/stdout` does. Another opening of a file would
/// have a place of its own to write at, and both would overwrite each other.
fn is_same(path: &Path, stream: impl AsFd) -> io::Result<bool> {
    let stream = File::from(stream.as_fd().try_clone_to_owned()?).metadata()?;
    let is_it = |found: Metadata| (found.dev(), found.ino()) == (stream.dev(), stream.ino());
    Ok(fs::metadata(path).is_ok_and(is_it))
}

/// Opens a device or a pipe. A named pipe cannot be opened until it has a reader, and there may never be one.
fn open_stream(path: &Path, shutdown: &Done) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits() as i32;
    loop {
        match File::options().write(true).custom_flags(flags).open(path) {
            Err(err) if err.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {
                if closes_within(shutdown, Duration::from_millis(10)) {
                    return Err(ErrorKind::Interrupted.into());
                }
            }
            opened => {
                let file = opened?;
                fcntl_setfl(&file, OFlags::empty())?;
                return Ok(file);
            }
        }
    }
}

/// The path that a symbolic link leads to, even if nothing is there yet, in the one form that it has.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    // As many as Linux follows.
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(target) => path = path.with_file_name("").join(target),
            Err(_) => break,
        }
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(path);
    };
    // A file with a / at its end is none.
    let is_folder = path.as_os_str().as_bytes().ends_with(b"/");
    let path = fs::canonicalize(Path::new(".").join(folder))?.join(name);
    Ok(if is_folder { path.join("") } else { path })
}

/// A new file in the folder of another, to take its place.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().unwrap_or(path);
    tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

/// Puts a file with this text in the place of the one at the path, if any: whole or not at all.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let old = fs::metadata(path);
    let mut new = match (beside(path), &old) {
        (Ok(new), _) => new,
        // A folder that takes no new files, but the old one may be written.
        (Err(_), Ok(_)) => return fs::write(path, text),
        (Err(err), Err(_)) => return Err(err),
    };
    new.write_all(text.as_bytes())?;
    if let Ok(old) = &old {
        new.as_file().set_permissions(old.permissions())?;
    }
    // A full disk or a quota may show only here.
    new.as_file().sync_all()?;
    match new.persist(path) {
        Ok(_) => Ok(()),
        // A mount point, as in a container.
        Err(_) if old.is_ok() => fs::write(path, text),
        Err(err) => Err(err.error),
    }
}
