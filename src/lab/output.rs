//! The files that a run writes.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::charts;
use super::html;
use super::options::Options;
use super::record::Record;
use crate::cli::because;

/// The files that the command line asks for, open.
#[derive(Debug)]
pub struct Outputs {
    json: Option<File>,
    html: Option<File>,
    svg: Option<PathBuf>,
}

impl Outputs {
    /// Opens them, and makes the directory of `--svg`.
    ///
    /// # Errors
    /// One cannot be written.
    pub fn open(options: &Options) -> io::Result<Outputs> {
        if let Some(directory) = &options.svg {
            let what = format!("cannot make the directory --svg {}", directory.display());
            fs::create_dir_all(directory).map_err(because(what))?;
        }
        Ok(Outputs {
            json: open("--json", options.json.as_deref())?,
            html: open("--html", options.html.as_deref())?,
            svg: options.svg.clone(),
        })
    }

    /// Writes them. Without a single point they stay empty.
    ///
    /// # Errors
    /// Writing fails, for example because the disk is full.
    pub fn write(self, record: &Record) -> io::Result<()> {
        if record.points.is_empty() {
            return Ok(());
        }
        if let Some(file) = self.json {
            let mut file = BufWriter::new(file);
            serde_json::to_writer(&mut file, record)
                .map_err(io::Error::from)
                .and_then(|()| file.write_all(b"\n"))
                .and_then(|()| file.flush())
                .map_err(because("cannot write the file of --json"))?;
        }
        if let Some(mut file) = self.html {
            file.write_all(html::page(record).as_bytes())
                .map_err(because("cannot write the file of --html"))?;
        }
        if let Some(directory) = self.svg {
            for chart in charts::all(record) {
                let Some(svg) = chart.file() else { continue };
                let path = directory.join(format!("{}-{}.svg", record.scenario, chart.name));
                let what = format!("cannot write --svg {}", path.display());
                fs::write(path, svg).map_err(because(what))?;
            }
        }
        Ok(())
    }
}

fn open(option: &str, path: Option<&Path>) -> io::Result<Option<File>> {
    path.map(|path| {
        File::create(path).map_err(because(format!("cannot write {option} {}", path.display())))
    })
    .transpose()
}
