//! Names of files: the last part of a path, and which names from the network are safe to use.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::file::partial;

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
    // Go: whatever arrives goes into `os.Create`, so that `../x` is written outside the folder. Ours
    // takes plain names only.
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
    if partial::is_reserved(name) {
        return Err("names that start with .threadline- are kept for unfinished files");
    }
    Ok(OsStr::from_bytes(name))
}

#[cfg(test)]
mod tests {
    use std::path::Component;

    use proptest::prelude::*;

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

    #[test]
    fn names_of_files_are_taken() {
        let longest = [b'x'; LONGEST];
        for name in [
            &b"a"[..],
            b"a b.txt",
            b" ",
            b"...",
            b"..a",
            b".profile",
            b"-rf",
            b"a:b",
            b"*",
            "名字 一.txt".as_bytes(),
            b"\xFF\xFE\x80",
            b".threadline",
            &longest,
        ] {
            assert_eq!(check(name).map(OsStr::as_bytes), Ok(name));
        }
    }

    #[test]
    fn hostile_names_are_refused() {
        for name in HOSTILE {
            assert!(
                check(name).is_err(),
                "{:?} was taken",
                name.escape_ascii().to_string()
            );
        }
        assert!(check(&[b'x'; LONGEST + 1]).is_err());
    }

    const HOSTILE: &[&[u8]] = &[
        b"",
        b".",
        b"..",
        b"/",
        b"../x",
        b"..\\x",
        b"/etc/passwd",
        b"a/b",
        b"a/",
        b"./a",
        b"C:\\x",
        b"a\0",
        b"\0",
        b"a\n",
        b"\r",
        b"\t",
        b"\x1b[2J",
        b"a\x7f",
        b".threadline-1-0.part",
        b".threadline-",
        b".THREADLINE-1-0.PART",
    ];

    proptest! {
        #[test]
        fn a_name_that_is_taken_is_one_plain_part_of_a_path(name in any::<Vec<u8>>()) {
            prop_assume!(!name.is_empty());
            if let Ok(name) = check(&name) {
                let dir = Path::new("/dir");
                let path = dir.join(name);
                prop_assert_eq!(path.parent(), Some(dir));
                let parts: Vec<_> = Path::new(name).components().collect();
                prop_assert_eq!(parts, [Component::Normal(name)]);
                prop_assert_eq!(base(&path), name);
                prop_assert!(name.len() <= LONGEST && !name.as_bytes().iter().any(u8::is_ascii_control));
            }
        }

        #[test]
        fn one_hostile_byte_anywhere_is_enough(
            mut name in prop::collection::vec(b'a'..=b'z', 1..LONGEST),
            hostile in prop::sample::select(&b"/\\\0\n\r\x1b\x7f"[..]),
            at in any::<prop::sample::Index>(),
        ) {
            prop_assert!(check(&name).is_ok());
            let at = at.index(name.len());
            name[at] = hostile;
            prop_assert!(check(&name).is_err());
        }
    }
}
