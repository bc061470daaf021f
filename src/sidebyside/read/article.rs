//! The text of the course, or any other Markdown with the same programs.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::context;

use crate::sidebyside::pair::compare::Comparison;
use crate::sidebyside::read::listings::{Listing, listings};
use crate::sidebyside::read::programs::{Program, identify};

/// What was found in a Markdown text.
#[derive(Debug)]
pub struct Article {
    /// Its name, for headings.
    pub name: String,
    /// The listings that are originals of our programs, in the order of the text.
    pub originals: Vec<(Listing, &'static Program)>,
    /// The other listings.
    pub others: Vec<Listing>,
}

impl Article {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, is not UTF-8, or has no Go listing.
    pub fn read(path: &Path) -> io::Result<Article> {
        let shown = path.display();
        let bytes = fs::read(path).map_err(context(format!("cannot read {shown}")))?;
        let text = String::from_utf8(bytes).map_err(|err| {
            let at = err.utf8_error().valid_up_to();
            let line = 1 + err.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count();
            invalid(format!(
                "{shown} is not UTF-8 text, see line {line}; convert it first, for example with iconv -t UTF-8"
            ))
        })?;
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        let article = Article::parse(name, text.trim_start_matches('\u{feff}'));
        if article.originals.is_empty() && article.others.is_empty() {
            return Err(invalid(format!(
                "{shown} has no Go listing: no code block that starts with ```go"
            )));
        }
        Ok(article)
    }

    /// Finds the listings of a text.
    pub fn parse(name: String, markdown: &str) -> Article {
        let (mut originals, mut others) = (Vec::new(), Vec::new());
        for listing in listings(markdown) {
            match identify(&listing.code) {
                Some(program) => originals.push((listing, program)),
                None => others.push(listing),
            }
        }
        Article {
            name,
            originals,
            others,
        }
    }

    /// Compares the originals of the programs that `wanted` is true for.
    ///
    /// # Errors
    /// There are none; `what` says what was wanted.
    pub fn compare(
        &self,
        what: &str,
        wanted: impl Fn(&Program) -> bool,
    ) -> io::Result<Vec<Comparison>> {
        let originals = self.originals.iter().filter(|(_, program)| wanted(program));
        let comparisons: Vec<Comparison> = originals
            .map(|(listing, program)| Comparison::new(listing.clone(), program))
            .collect();
        if comparisons.is_empty() {
            let name = &self.name;
            return Err(invalid(format!(
                "{name} has no listing of {what}; without a program's name, all that it has is listed"
            )));
        }
        Ok(comparisons)
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
