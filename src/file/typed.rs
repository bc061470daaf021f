//! The path that is typed, pasted or dragged into the terminal.

use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::PathBuf;

use crate::error::context;
use crate::go::os;
use crate::system::path_from_bytes;

/// Reads a path from standard input.
///
/// # Errors
/// Standard input cannot be read, or ends before a path was typed.
pub fn scan() -> io::Result<PathBuf> {
    let mut stdin = BufReader::new(os::Stdin);
    loop {
        let mut line = Vec::new();
        let read = stdin.read_until(b'\n', &mut line);
        if read.map_err(context("cannot read standard input"))? == 0 {
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "standard input ended before a path was entered",
            ));
        }
        // Go: `fmt.Scan` stops at the first space, so `my file` becomes `my`. Ours reads the whole line.
        let path = line.strip_suffix(b"\n").unwrap_or(&line);
        let path = path.strip_suffix(b"\r").unwrap_or(path);
        // Some editors and shells write a byte-order mark before a text.
        let path = path.strip_prefix("\u{feff}".as_bytes()).unwrap_or(path);
        if !path.trim_ascii().is_empty() {
            return choose(path);
        }
    }
}

/// The path that was meant: the line itself if such a file exists. Otherwise the quotes, backslashes and spaces
/// are removed that a terminal adds for the shell when a file is dragged into it.
fn choose(line: &[u8]) -> io::Result<PathBuf> {
    let path = |bytes: &[u8]| path_from_bytes(bytes.to_vec()).map(PathBuf::from);
    let words = str::from_utf8(line).map(shell_words::split);
    let unquoted = match &words {
        Ok(Ok(words)) if words.len() == 1 => path(words[0].as_bytes()),
        _ => None,
    };
    let typed = path(line);
    let candidates = [typed.clone(), path(line.trim_ascii_end()), unquoted];
    let found = candidates.into_iter().flatten().find(|path| path.exists());
    found
        .or(typed)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "not a valid path: it is not UTF-8"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn dragged_path_loses_what_the_terminal_has_added() {
        let dir = tempdir().unwrap();
        let folder = dir.path().to_str().unwrap();
        for name in [
            "plain",
            "two words",
            "it's",
            "end ",
            "'quoted'",
            "back\\slash",
            "世界",
        ] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        for (line, name) in [
            ("DIR/plain", "plain"),
            ("DIR/plain ", "plain"),
            ("'DIR/plain' ", "plain"),
            ("\"DIR/two words\"", "two words"),
            ("DIR/two\\ words ", "two words"),
            ("DIR/two words ", "two words"),
            ("'DIR/it'\\''s' ", "it's"),
            ("DIR/it\\'s", "it's"),
            ("DIR/it's", "it's"),
            ("'DIR/世界' ", "世界"),
            // A file with exactly this name is preferred.
            ("DIR/end ", "end "),
            ("DIR/'quoted'", "'quoted'"),
            ("DIR/back\\slash", "back\\slash"),
        ] {
            let typed = line.replace("DIR", folder);
            assert_eq!(
                choose(typed.as_bytes()).unwrap(),
                dir.path().join(name),
                "{line}"
            );
        }
        // The error contains what was typed.
        for line in ["'no such file' ", "no such file ", "'half a quote"] {
            assert_eq!(choose(line.as_bytes()).unwrap(), PathBuf::from(line));
        }
    }
}
