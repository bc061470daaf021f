//! Makes lines from the network safe for the terminals that show them.

use std::borrow::Cow;

/// Whether a character has an effect on a terminal: control characters repaint it, line and paragraph separators
/// end lines, and bidirectional controls reorder text.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// Removes characters that are unsafe (see [`is_unsafe`]) from a line, except tabs, and the byte 0xFF, which
/// starts a telnet command. All other bytes pass unchanged, UTF-8 or not.
///
/// Bytes from 0x80 to 0x9F outside of UTF-8 characters pass on purpose: text in GBK contains them, and a UTF-8
/// terminal does not treat them as control characters.
pub fn clean(line: &[u8]) -> Cow<'_, [u8]> {
    let mut cleaned = Cow::Borrowed(line);
    if may_be_unsafe(line) {
        let line = cleaned.to_mut();
        let length = clean_in_place(line);
        line.truncate(length);
    }
    cleaned
}

/// Like [`clean`], but in place: moves the bytes that pass to the front, and returns how many they are.
pub fn clean_in_place(line: &mut [u8]) -> usize {
    if !may_be_unsafe(line) {
        return line.len();
    }
    let mut kept = 0;
    for i in 0..line.len() {
        let byte = line[i];
        if !is_dropped(byte) {
            line[kept] = byte;
            kept += 1;
            // Checked again after each byte: dropping bytes can join two parts of an unsafe character.
            kept -= unsafe_at_end(&line[..kept]);
        }
    }
    kept
}

/// Whether [`clean`] needs its slow pass. False for nearly all text, after one fast pass.
fn may_be_unsafe(line: &[u8]) -> bool {
    let starts_unsafe = |byte: u8| matches!(byte, 0xc2 | 0xd8 | 0xe2);
    // A fold, unlike `any`, is vectorized.
    line.iter().fold(false, |found, &byte| {
        found | is_dropped(byte) | starts_unsafe(byte)
    })
}

fn is_dropped(byte: u8) -> bool {
    byte < b' ' && byte != b'\t' || byte == 0x7f || byte == 0xff
}

/// The length of the unsafe multi-byte character at the end of the text, or 0.
fn unsafe_at_end(text: &[u8]) -> usize {
    match text {
        // U+0080 to U+009F, the control characters beyond ASCII.
        [.., 0xc2, 0x80..=0x9f] => 2,
        // U+061C.
        [.., 0xd8, 0x9c] => 2,
        // U+200E, U+200F, U+2028 to U+202E.
        [.., 0xe2, 0x80, 0x8e | 0x8f | 0xa8..=0xae] => 3,
        // U+2066 to U+2069.
        [.., 0xe2, 0x81, 0xa6..=0xa9] => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn clean_drops_exactly_the_unsafe_characters() {
        for c in '\0'..=char::MAX {
            let text = format!("a{c}b");
            let cleaned = clean(text.as_bytes());
            let want = if is_unsafe(c) && c != '\t' {
                "ab"
            } else {
                &text
            };
            assert_eq!(cleaned, want.as_bytes(), "{c:?}");
        }
    }

    #[test]
    fn clean_leaves_other_encodings_alone() {
        // "The GBK character set" in GBK, "café" in Latin-1.
        for text in [
            &b"GBK \xd7\xd6\xb7\xfb\xbc\xaf \x81\x80 \x95\x9f"[..],
            b"caf\xe9",
            b"\x85\x9b",
        ] {
            assert!(
                matches!(clean(text), Cow::Borrowed(same) if same == text),
                "{text:?}"
            );
        }
    }

    #[test]
    fn dropping_bytes_does_not_create_an_unsafe_character() {
        for text in [
            &b"\xc2\x01\x85"[..],
            b"\xc2\xc2\x85\x85",
            b"\xe2\x80\xc2\x85\xae",
            b"\xe2\xff\x80\x7f\xa8",
        ] {
            assert_eq!(clean(text), &b""[..], "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(
            text in proptest::collection::vec(prop_oneof![
                any::<u8>(), Just(0xc2), Just(0xe2), 0x80..=0x85u8, 0xa6..=0xaeu8,
            ], 0..100),
        ) {
            let once = clean(&text).into_owned();
            prop_assert!(!String::from_utf8_lossy(&once).chars().any(|c| c != '\t' && is_unsafe(c)));
            prop_assert_eq!(&clean(&once)[..], &once[..]);
        }
    }
}
