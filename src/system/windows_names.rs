//! File names on Windows. This file has no system calls, so it is tested on every system.

/// Device names. They are also devices with any extension.
const DEVICES: [&str; 7] = ["aux", "clock$", "con", "conin$", "conout$", "nul", "prn"];

/// Names that are devices if one digit follows.
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// Why a file name is invalid on Windows only.
pub fn refuse_name(name: &[u8]) -> Option<&'static str> {
    if name.ends_with(b".") || name.ends_with(b" ") {
        return Some("a file name on Windows cannot end with a dot or a space");
    }
    // A colon separates a drive, or a stream of a file, from the rest.
    if name.iter().any(|byte| b"<>:\"|?*".contains(byte)) {
        return Some("a file name on Windows cannot contain any of < > : \" | ? *");
    }
    if utf16_from_bytes(name).is_none() {
        return Some("a file name on Windows must be Unicode");
    }
    if is_device(name) {
        return Some("the name of a device on Windows is not a file name");
    }
    None
}

fn is_device(name: &[u8]) -> bool {
    let stem = name.split(|&byte| byte == b'.').next().unwrap_or_default();
    let stem = stem.trim_ascii_end().to_ascii_lowercase();
    let numbered = |device: &str| {
        let number = stem.strip_prefix(device.as_bytes());
        number.is_some_and(|number| {
            matches!(number, [b'0'..=b'9'])
                || ["¹", "²", "³"].iter().any(|n| n.as_bytes() == number)
        })
    };
    DEVICES.iter().any(|device| device.as_bytes() == stem)
        || NUMBERED_DEVICES.iter().any(|device| numbered(device))
}

/// Converts UTF-8 into UTF-16. Half a surrogate pair may be encoded like a character, as Go does for file names that
/// contain one. None for any other bytes, and for two halves that together are a character: only its proper encoding
/// has been checked for what a name cannot contain.
pub fn utf16_from_bytes(mut bytes: &[u8]) -> Option<Vec<u16>> {
    let mut utf16 = Vec::new();
    loop {
        let valid = match str::from_utf8(bytes) {
            Ok(text) => text,
            Err(err) => str::from_utf8(&bytes[..err.valid_up_to()]).ok()?,
        };
        utf16.extend(valid.encode_utf16());
        bytes = &bytes[valid.len()..];
        match *bytes {
            [] => return Some(utf16),
            [
                0xED,
                second @ 0xA0..=0xBF,
                third @ 0x80..=0xBF,
                ref rest @ ..,
            ] => {
                let half = 0xD000 | u16::from(second & 0x3F) << 6 | u16::from(third & 0x3F);
                let follows_first_half = matches!(utf16.last(), Some(0xD800..=0xDBFF));
                if follows_first_half && matches!(half, 0xDC00..=0xDFFF) {
                    return None;
                }
                utf16.push(half);
                bytes = rest;
            }
            _ => return None,
        }
    }
}

/// The length of the drive at the start of a path, in bytes.
pub fn drive_length(path: &[u8]) -> usize {
    match path {
        [letter, b':', ..] if letter.is_ascii_alphabetic() => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_windows_treats_specially_are_rejected() {
        for name in [
            "NUL",
            "nul",
            "con.txt",
            "Con .tar.gz",
            "COM1",
            "com9.log",
            "LPT0",
            "com²",
            "prn.",
            "aux",
            "CONIN$",
            "conOUT$ .x.y",
            "COM¹",
            "LPT9.tar.gz",
            "nul .txt",
            "aux:",
            "CLOCK$.a",
            "a:b",
            "C:name",
            "C:",
            "name.",
            "name ",
            "...",
            "what?",
            "a*",
            "a\"b",
            "a|b",
            "<a",
            "a>",
        ] {
            assert!(
                refuse_name(name.as_bytes()).is_some(),
                "{name:?} was accepted"
            );
        }
        for name in [
            "null",
            "console.txt",
            "com",
            "com10",
            "COMA",
            "lpt",
            "名字 一.txt",
            ".con",
            "a.nul",
            " a",
            "x.y z",
        ] {
            assert_eq!(refuse_name(name.as_bytes()), None, "{name:?}");
        }
        assert!(refuse_name(b"\xFF").is_some());
    }

    #[test]
    fn half_a_surrogate_pair_is_converted_in_place() {
        let utf16 = |bytes: &[u8]| utf16_from_bytes(bytes);
        assert_eq!(utf16(b"a\xED\xA0\xBDb"), Some(vec![0x61, 0xD83D, 0x62]));
        assert_eq!(utf16(b"\xED\xB8\x80"), Some(vec![0xDE00]));
        let reversed = b"\xED\xB8\x80\xED\xA0\xBD";
        assert_eq!(utf16(reversed), Some(vec![0xDE00, 0xD83D]));
        let both = "一😀".encode_utf16().collect();
        assert_eq!(utf16("一😀".as_bytes()), Some(both));
        for bytes in [
            &b"\xED"[..],
            b"\xED\xA0",
            b"\x80",
            b"a\xC0\x80",
            b"\xED\xA0a",
            // Both halves of one character.
            b"\xED\xA0\xBD\xED\xB8\x80",
        ] {
            assert_eq!(utf16(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn drive_is_one_letter_and_a_colon() {
        for (path, length) in [
            ("C:name", 2),
            ("c:\\a", 2),
            ("name", 0),
            ("1:a", 0),
            (":", 0),
        ] {
            assert_eq!(drive_length(path.as_bytes()), length, "{path}");
        }
    }
}
