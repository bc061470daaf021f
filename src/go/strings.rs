//! Upper-casing as in Go's `strings.ToUpper`.

/// Returns the bytes that `strings.ToUpper` returns for the same input. Each character is mapped by its *simple*
/// case mapping (one to one), and each byte that is not UTF-8 becomes U+FFFD.
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

/// Unicode's simple upper-case mapping. std has the full mapping, which can return several characters: `ß` becomes
/// `SS`.
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
}
