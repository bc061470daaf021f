//! Upper-casing as Go's `strings.ToUpper` does it.

use std::str;

/// Returns the bytes that `strings.ToUpper` returns for the same input: each character by its
/// *simple* case mapping (one character for one), each byte that is not UTF-8 as U+FFFD.
pub fn to_upper(bytes: &[u8]) -> Vec<u8> {
    if bytes.is_ascii() {
        return bytes.to_ascii_uppercase();
    }
    let mut upper = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        upper.extend(chunk.valid().chars().map(simple_upper));
        upper.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    upper.into_bytes()
}

/// Splits `bytes` before a character that is cut off at their end, so that it can wait for its rest.
/// Nothing but the start of a valid character (at most three bytes) is ever held back.
pub fn split_cut_off(bytes: &[u8]) -> (&[u8], &[u8]) {
    for held in 1..=bytes.len().min(3) {
        let (whole, rest) = bytes.split_at(bytes.len() - held);
        match str::from_utf8(rest) {
            Err(err) if err.valid_up_to() == 0 && err.error_len().is_none() => {
                return (whole, rest);
            }
            _ => {}
        }
    }
    (bytes, b"")
}

/// The simple upper-case mapping of Unicode. std has the full one, which differs where it gives
/// several characters: `ß` becomes `SS`.
fn simple_upper(c: char) -> char {
    let mut full = c.to_uppercase();
    match (full.next(), full.next()) {
        (Some(upper), None) => upper,
        _ => match c {
            // Greek with iota subscript: the simple mapping is the form with iota adscript.
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
                char::from_u32(c as u32 + 8).unwrap_or(c)
            }
            '\u{1fb3}' => '\u{1fbc}',
            '\u{1fc3}' => '\u{1fcc}',
            '\u{1ff3}' => '\u{1ffc}',
            // The rest, `ß` among them, has no simple upper case.
            _ => c,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn upper(text: &str) -> String {
        String::from_utf8(to_upper(text.as_bytes())).unwrap()
    }

    #[test]
    fn characters_map_one_to_one() {
        assert_eq!(upper("hello, 世界"), "HELLO, 世界");
        assert_eq!(upper("straße ﬀ ŉ ı ſ ǆ"), "STRAßE ﬀ ŉ I S Ǆ");
        assert_eq!(upper("ᾳ ᾀ ᾗ ᾧ ῃ ῳ ᾈ"), "ᾼ ᾈ ᾟ ᾯ ῌ ῼ ᾈ");
    }

    #[test]
    fn each_byte_that_is_not_utf8_is_replaced() {
        assert_eq!(
            to_upper(b"a\xffb\xe4\xb8"),
            "A\u{fffd}B\u{fffd}\u{fffd}".as_bytes()
        );
    }

    #[test]
    fn a_cut_off_character_waits() {
        assert_eq!(
            split_cut_off("a世".as_bytes()),
            ("a世".as_bytes(), &b""[..])
        );
        assert_eq!(split_cut_off(b"a\xe4\xb8"), (&b"a"[..], &b"\xe4\xb8"[..]));
        assert_eq!(
            split_cut_off(b"\xf0\x9f\x98"),
            (&b""[..], &b"\xf0\x9f\x98"[..])
        );
        assert_eq!(split_cut_off(b"a\xff"), (&b"a\xff"[..], &b""[..]));
        assert_eq!(
            split_cut_off(b"\xb8\xb8\xb8"),
            (&b"\xb8\xb8\xb8"[..], &b""[..])
        );
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(bytes: Vec<u8>, cuts: Vec<proptest::sample::Index>) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let (mut held, mut got) = (Vec::new(), Vec::new());
            for pair in cuts.windows(2) {
                held.extend_from_slice(&bytes[pair[0]..pair[1]]);
                let (whole, rest) = split_cut_off(&held);
                prop_assert!(rest.len() <= 3);
                got.extend(to_upper(whole));
                held = rest.to_vec();
            }
            got.extend(to_upper(&held));
            prop_assert_eq!(got, to_upper(&bytes));
        }
    }
}
