//! The text of the course, or any other Markdown with the same programs.

use std::path::Path;
use std::{fs, io};

use crate::error::context;
use crate::sidebyside::read::listings::{Listing, listings};
use crate::sidebyside::read::programs::{Program, identify};
use crate::text::printable;

/// What was found in a Markdown text.
pub struct Article {
    /// Its name, for headings.
    pub name: String,
    /// The listings that are originals of our programs, in the order of the text.
    pub originals: Vec<(Listing, &'static Program)>,
    /// The other listings.
    others: Vec<Listing>,
    /// What looks like a Go listing and is not marked as one.
    unmarked: Vec<Listing>,
}

impl Article {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, is not UTF-8, or has no Go listing.
    pub fn read(path: &Path) -> io::Result<Article> {
        let shown = printable(path.as_os_str().as_encoded_bytes());
        let bytes = fs::read(path).map_err(context(format!("cannot read {shown}")))?;
        let text = String::from_utf8(bytes).map_err(|err| {
            let at = err.utf8_error().valid_up_to();
            let line = 1 + err.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count();
            invalid(format!(
                "{shown} is not UTF-8 text, see line {line}; convert it first, for example with iconv -t UTF-8"
            ))
        })?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        let article = Article::parse(name, text.trim_start_matches('\u{feff}'));
        if article.originals.is_empty() && article.others.is_empty() {
            let unmarked = article.unmarked.iter();
            let lines = unmarked.map(|listing| listing.line.to_string());
            let lines: Vec<String> = lines.collect();
            let mut why =
                format!("{shown} has no Go listing, which is a code block that starts with ```go");
            if !lines.is_empty() {
                why += "; lines that look like Go and are in no such block: ";
            }
            return Err(invalid(why + &lines.join(", ")));
        }
        Ok(article)
    }

    /// Finds the listings of a text.
    pub fn parse(name: String, markdown: &str) -> Article {
        let (mut originals, mut others) = (Vec::new(), Vec::new());
        let (found, unmarked) = listings(markdown);
        for listing in found {
            match identify(&listing.code) {
                Some(program) => originals.push((listing, program)),
                None => others.push(listing),
            }
        }
        Article {
            name,
            originals,
            others,
            unmarked,
        }
    }

    /// The listings that are compared with nothing, by why.
    pub fn not_compared(&self) -> impl Iterator<Item = (&'static str, &[Listing])> {
        let groups = [
            ("none of ours", &self.others[..]),
            (
                "looks like Go, but is not in a block that starts with ```go",
                &self.unmarked,
            ),
        ];
        groups
            .into_iter()
            .filter(|(_, listings)| !listings.is_empty())
    }
}

pub fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
