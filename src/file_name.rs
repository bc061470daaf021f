//! Names of files: the last part of a path, and which names from the network are safe to use.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::part;

/// Longest name that is taken from the network, in bytes; common file systems have the same limit.
pub const LONGEST: usize = 255;

/// The last part of `path`, as Go's `FileInfo.Name` gives it after `os.Stat`: never empty, `.` for
/// an empty path, `/` for the root.
pub fn base(path: &Path) -> &OsStr {
    let bytes = path.as_os_str().as_bytes();
    let end = bytes
        .iter()
        .rposition(|&b| b != b'/')
        .map_or(0, |last| last + 1);
    let start = bytes[..end]
        .iter()
        .rposition(|&b| b == b'/')
        .map_or(0, |slash| slash + 1);
    match (bytes.is_empty(), end) {
        (true, _) => OsStr::new("."),
        (_, 0) => OsStr::new("/"),
        _ => OsStr::from_bytes(&bytes[start..end]),
    }
}

/// Takes a name from the network, if a file of this name can lie in the receiving folder and
/// nowhere else. It need not be UTF-8.
///
/// # Errors
/// Why the name is refused.
pub fn check(name: &[u8]) -> Result<&OsStr, &'static str> {
    // Go: whatever arrives goes into os.Create, so `../x` writes outside the folder.
    if name.is_empty() {
        return Err("a file name cannot be empty");
    }
    if name == b"." || name == b".." {
        return Err("`.` and `..` are folders, not file names");
    }
    if name.len() > LONGEST {
        return Err("a file name cannot be longer than 255 bytes");
    }
    if name.iter().any(|&b| b == b'/' || b == b'\\') {
        return Err("a file name cannot hold / or \\");
    }
    if name.iter().any(u8::is_ascii_control) {
        return Err("a file name cannot hold control characters");
    }
    if part::is_reserved(name) {
        return Err("names that start with .threadline- are kept for unfinished files");
    }
    Ok(OsStr::from_bytes(name))
}

/// Text from the network or the command line, made fit for one line on a terminal.
pub fn printable(text: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(text.as_ref())
        .chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_name_is_gos() {
        for (path, name) in [
            ("", "."),
            (".", "."),
            ("..", ".."),
            ("/", "/"),
            ("///", "/"),
            ("a", "a"),
            ("a/", "a"),
            ("a//b//", "b"),
            ("/a", "a"),
            ("./a b", "a b"),
            ("a/.", "."),
            ("文件/名字 一.txt", "名字 一.txt"),
        ] {
            assert_eq!(base(Path::new(path)), name, "base name of {path:?}");
        }
    }
}
