//! File names: the last part of a path, and which names from the network are safe to use.

use std::ffi::OsString;
use std::path::{self, Path};
use std::str::Utf8Chunk;

use crate::file::temporary;
use crate::system::{path_from_bytes, refuse_name, without_drive};
use crate::text::{is_ignorable, is_unsafe};

/// Maximum length of a name from the network, in bytes. Common file systems have the same limit.
pub const LONGEST: usize = 255;

/// The last part of `path`, as Go's `FileInfo.Name` returns it after `os.Stat`: never empty, `.` for an empty
/// path, a separator for the root.
pub fn base(path: &Path) -> &[u8] {
    let is_separator = |&byte: &u8| path::is_separator(byte.into());
    let bytes = without_drive(path.as_os_str());
    let end = bytes.iter().rposition(|byte| !is_separator(byte));
    let Some(end) = end.map(|last| last + 1) else {
        return bytes.get(..1).unwrap_or(b".");
    };
    let start = bytes[..end].iter().rposition(is_separator);
    &bytes[start.map_or(0, |separator| separator + 1)..end]
}

/// Accepts a name from the network if a file with this name can only be inside the receiving folder. It need
/// not be UTF-8.
///
/// # Errors
/// Why the name is rejected.
pub fn check(name: &[u8]) -> Result<OsString, &'static str> {
    // Go: passes any name to `os.Create`, so `../x` is written outside the folder. Ours accepts only plain
    // file names.
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
        return Err("a file name cannot contain / or \\");
    }
    let is_unsafe = |chunk: Utf8Chunk<'_>| chunk.valid().contains(is_unsafe);
    if name.utf8_chunks().any(is_unsafe) {
        return Err("a file name cannot contain control characters");
    }
    if str::from_utf8(name).is_ok_and(|name| name.chars().all(is_ignorable)) {
        return Err("a file name must have a visible character");
    }
    if temporary::is_reserved(name) {
        return Err("names that start with .threadline- are reserved for partial files");
    }
    if let Some(why) = refuse_name(name) {
        return Err(why);
    }
    path_from_bytes(name.to_vec()).ok_or("not a valid file name on this system")
}

#[cfg(test)]
mod tests {
    use std::path::Component;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn base_name_is_the_one_that_go_returns() {
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
            assert_eq!(
                base(Path::new(path)),
                name.as_bytes(),
                "base name of {path:?}"
            );
        }
    }

    #[test]
    fn plain_file_names_are_accepted() {
        let longest = [b'x'; LONGEST];
        for name in [
            &b"a"[..],
            b"a b.txt",
            b"..a",
            b".profile",
            b"-rf",
            "名字 一.txt".as_bytes(),
            b".threadline",
            &longest,
        ] {
            assert_eq!(accepted(name), Ok(name.to_vec()));
        }
    }

    fn accepted(name: &[u8]) -> Result<Vec<u8>, &'static str> {
        check(name).map(OsString::into_encoded_bytes)
    }

    #[test]
    fn names_that_are_invalid_on_windows_are_accepted_elsewhere() {
        for name in [&b" "[..], b"...", b"a:b", b"*", b"nul", b"\xFF\xFE\x80"] {
            assert_eq!(accepted(name) == Ok(name.to_vec()), cfg!(unix), "{name:?}");
        }
    }

    #[test]
    #[cfg(windows)]
    fn names_with_half_a_surrogate_pair_are_accepted() {
        let name = b"a\xED\xA0\xBDb";
        assert_eq!(accepted(name), Ok(name.to_vec()));
    }

    #[test]
    #[cfg(windows)]
    fn drive_and_both_separators_are_not_part_of_a_name() {
        for (path, name) in [
            ("C:\\a\\b.txt", "b.txt"),
            ("C:b.txt", "b.txt"),
            ("C:", "."),
            ("C:\\", "\\"),
            ("a\\b/c\\", "c"),
        ] {
            assert_eq!(base(Path::new(path)), name.as_bytes(), "{path}");
        }
    }

    #[test]
    fn hostile_names_are_rejected() {
        for name in HOSTILE {
            assert!(
                check(name).is_err(),
                "{:?} was accepted",
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
        "\u{85}".as_bytes(),
        "a\u{9b}2J".as_bytes(),
        "a\u{2028}b".as_bytes(),
        "\u{200b}\u{feff}".as_bytes(),
        // Shown as "photo_exe.jpg".
        "photo_\u{202e}gpj.exe".as_bytes(),
        b"\xff\xe2\x80\xae",
        b".threadline-1-0.part",
        b".threadline-",
        b".THREADLINE-1-0.PART",
    ];

    proptest! {
        #[test]
        fn accepted_name_is_one_plain_part_of_a_path(name in any::<Vec<u8>>()) {
            prop_assume!(!name.is_empty());
            if let Ok(name) = check(&name) {
                let dir = Path::new("/dir");
                let path = dir.join(&name);
                prop_assert_eq!(path.parent(), Some(dir));
                let parts: Vec<_> = Path::new(&name).components().collect();
                prop_assert_eq!(parts, [Component::Normal(&name)]);
                let bytes = name.as_encoded_bytes();
                prop_assert_eq!(base(&path), bytes);
                prop_assert!(bytes.len() <= LONGEST && !bytes.iter().any(u8::is_ascii_control));
            }
        }

        #[test]
        fn name_with_one_hostile_byte_is_rejected(
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
