//! The files that a run writes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::context;
use crate::lab::options::Options;
use crate::lab::report::charts;
use crate::lab::report::html;
use crate::lab::results::record::Record;

/// The files that the command line asks for, open.
#[derive(Debug)]
pub struct Outputs {
    json: Option<File>,
    html: Option<File>,
    svg: Option<PathBuf>,
}

impl Outputs {
    /// Opens them, and makes the directory of `--svg`. What is in them stays until there is something
    /// to write.
    ///
    /// # Errors
    /// One cannot be written.
    pub fn open(options: &Options) -> io::Result<Outputs> {
        if let Some(directory) = &options.svg {
            let what = format!("cannot make the directory --svg {}", directory.display());
            fs::create_dir_all(directory).map_err(context(what))?;
        }
        Ok(Outputs {
            json: open("--json", options.json.as_deref())?,
            html: open("--html", options.html.as_deref())?,
            svg: options.svg.clone(),
        })
    }

    /// Writes them over what is there. Without a single point they stay as they are.
    ///
    /// # Errors
    /// Writing fails, for example because the disk is full.
    pub fn write(self, record: &Record) -> io::Result<()> {
        if record.points.is_empty() {
            return Ok(());
        }
        if let Some(file) = self.json {
            let mut json = serde_json::to_vec(record)?;
            json.push(b'\n');
            replace(file, &json).map_err(context("cannot write the file of --json"))?;
        }
        if let Some(file) = self.html {
            replace(file, html::page(record).as_bytes())
                .map_err(context("cannot write the file of --html"))?;
        }
        if let Some(directory) = self.svg {
            for chart in charts::all(record) {
                let Some(svg) = chart.file() else { continue };
                let path = directory.join(format!("{}-{}.svg", record.scenario, chart.name));
                let what = format!("cannot write --svg {}", path.display());
                fs::write(path, svg).map_err(context(what))?;
            }
        }
        Ok(())
    }
}

fn open(option: &str, path: Option<&Path>) -> io::Result<Option<File>> {
    path.map(|path| {
        let what = format!("cannot write {option} {}", path.display());
        let mut how = File::options();
        how.write(true).create(true).truncate(false);
        how.open(path).map_err(context(what))
    })
    .transpose()
}

fn replace(mut file: File, bytes: &[u8]) -> io::Result<()> {
    // A pipe has no length to set.
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    file.write_all(bytes)
}
