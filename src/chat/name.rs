//! Which names users may have, and which names look the same.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::go::net;
use crate::text::is_ignorable;

/// Maximum length of a name in bytes.
const LONGEST: usize = 32;

/// Trims and checks the name that a user asked for. The error is a line for the user.
// Go: accepts any name: empty, with the newline that was typed, or another user's. Ours rejects such names.
pub fn check(asked: &[u8]) -> Result<&[u8], &'static str> {
    let name = trim(asked);
    if name.is_empty() {
        Err(match str::from_utf8(asked).unwrap_or_default().trim() {
            "" => "rename failed: the name is empty\r\n",
            _ => "rename failed: the name has no visible character\r\n",
        })
    } else if name.len() > LONGEST {
        Err("rename failed: the name is longer than 32 bytes\r\n")
    } else if is_address(name) {
        Err("rename failed: an address is not a name\r\n")
    } else if visible(name).any(|c| c == u32::from('|')) {
        Err("rename failed: a name cannot contain |\r\n")
    } else {
        Ok(name)
    }
}

/// A name as the engine compares names: those that look alike have the same key.
#[cfg(feature = "engine")]
pub fn key(name: &[u8]) -> Vec<u8> {
    let mut key = Vec::new();
    for c in visible(name) {
        match char::from_u32(c) {
            Some(c) => key.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            // A byte that is not UTF-8, marked by 0xFF, which no UTF-8 text contains.
            None => key.extend_from_slice(&[0xff, (c - u32::from(char::MAX)) as u8]),
        }
    }
    key
}

/// Whether two names differ only in invisible characters, in upper and lower case, and in how their letters are
/// encoded.
pub fn look_alike(one: &[u8], other: &[u8]) -> bool {
    visible(one).eq(visible(other))
}

/// The visible characters of a name, in one case, with every kind of space as U+0020. Letters are decomposed, so
/// that `é` is the same as one or two characters, and full-width letters become ASCII letters (NFKD). A byte that is
/// not UTF-8 becomes a number above all characters.
fn visible(name: &[u8]) -> impl Iterator<Item = u32> {
    name.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().nfkd().filter(|c| !is_ignorable(*c));
        // Only upper case unites `σ` with `ς`, `s` with `ſ` and `ß` with `ss`, and only lower case `ß` with `ẞ`.
        let valid = valid.flat_map(char::to_lowercase);
        let valid = valid.flat_map(char::to_uppercase);
        // Again, because a letter may become a composed one, and marks that a dropped character has separated may
        // be in another order.
        let valid = valid.nfkd();
        let valid = valid.map(|c| if is_space(c) { ' ' } else { c }.into());
        let invalid = chunk.invalid().iter();
        valid.chain(invalid.map(|byte| u32::from(char::MAX) + u32::from(*byte)))
    })
}

/// Removes invisible characters before a name, with accents that have no letter, and spaces with everything invisible
/// that follows at its end. Invisible characters that belong to the last character stay, such as U+FE0F, which makes
/// it an emoji.
pub fn trim(name: &[u8]) -> &[u8] {
    let Ok(name) = str::from_utf8(name) else {
        return name.trim_ascii();
    };
    let is_unseen = |c| is_space(c) || is_ignorable(c);
    let name = name.trim_start_matches(|c| is_unseen(c) || is_combining_mark(c));
    let seen = name.trim_end_matches(is_unseen).len();
    let more = name[seen..].find(|c: char| !is_ignorable(c));
    &name.as_bytes()[..more.map_or(name.len(), |more| seen + more)]
}

fn is_address(name: &[u8]) -> bool {
    let name: Option<String> = visible(name).map(char::from_u32).collect();
    name.is_some_and(|name| net::is_literal(&name))
}

/// Whether a character is a space, or has no ink: the Braille pattern without dots, annotation marks, blank
/// hieroglyphs, or the null notehead.
fn is_space(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{2800}' | '\u{fff9}'..='\u{fffb}' | '\u{13441}' | '\u{13442}' | '\u{1d159}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(name: &str) -> Result<&[u8], &str> {
        check(name.as_bytes()).map_err(|refusal| {
            let reason = refusal.strip_prefix("rename failed: ").unwrap();
            reason.strip_suffix("\r\n").unwrap()
        })
    }

    #[test]
    fn invisible_characters_around_a_name_are_trimmed() {
        for (asked, name) in [
            ("Bob", "Bob"),
            (" \t Bob \n", "Bob"),
            ("\u{3000}鲍 勃\u{a0}\u{2003}", "鲍 勃"),
            ("\u{200b} Bob \u{200b}", "Bob"),
            ("\u{3164}\u{2800}Bob\u{2800}\u{3164}", "Bob"),
            // An emoji keeps what makes it one, also after a space; Scotland keeps its tags.
            (" \u{263a}\u{fe0f} ", "\u{263a}\u{fe0f}"),
            ("Bob ❤\u{fe0f}", "Bob ❤\u{fe0f}"),
            (
                "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
                "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            ),
            ("👩\u{200d}🚀", "👩\u{200d}🚀"),
            ("\u{301} \u{200b}\u{20e3}Rene\u{301}", "Rene\u{301}"),
        ] {
            assert_eq!(ask(asked), Ok(name.as_bytes()), "{asked:?}");
        }
    }

    #[test]
    fn rejection_says_which_rule_was_broken() {
        for (asked, refusal) in [
            ("", "the name is empty"),
            (" \t", "the name is empty"),
            ("\u{3000}", "the name is empty"),
            ("\u{200b}", "the name has no visible character"),
            (
                "\u{3000}\u{200b}\u{3000}",
                "the name has no visible character",
            ),
            ("\u{3164}", "the name has no visible character"),
            (
                "\u{fe0f}\u{2060}\u{ad}",
                "the name has no visible character",
            ),
            ("\u{2800}\u{2800}", "the name has no visible character"),
            ("\u{301}\u{20e3} ", "the name has no visible character"),
            (
                "\u{fff9}\u{fffb}\u{13441}\u{13442}",
                "the name has no visible character",
            ),
            ("a|b", "a name cannot contain |"),
            // The full-width form, which a Chinese keyboard types.
            ("a｜b", "a name cannot contain |"),
            ("1.2.3.4:5", "an address is not a name"),
            ("1.2.3.4\u{200d}:5", "an address is not a name"),
            ("１.2.3.4：5", "an address is not a name"),
            ("[::1]:5", "an address is not a name"),
            (
                "0123456789abcdef0123456789abcdefg",
                "the name is longer than 32 bytes",
            ),
        ] {
            assert_eq!(ask(asked), Err(refusal), "{asked:?}");
        }
    }

    #[test]
    fn names_that_look_the_same_are_one_name() {
        for (one, other) in [
            ("Ann", "Ann\u{200b}"),
            ("Ann", "aNN"),
            ("Änne", "äNNE"),
            // Letters that have several lower-case forms, or an upper-case form of two letters.
            ("ΟΔΟΣ", "οδος"),
            ("οδοσ", "οδος"),
            ("Straße", "STRASSE"),
            ("STRA\u{1e9e}E", "strasse"),
            ("Sam", "\u{17f}am"),
            ("\u{212a}im", "Kim"),
            ("\u{b5}", "\u{3bc}"),
            ("Ann", "A\u{ad}nn"),
            ("Ann", "\u{2060}Ann"),
            ("Ann", "Ann\u{fe0f}"),
            ("Ann Lee", "Ann\u{a0}Lee"),
            ("Ann Lee", "Ann\u{2800}Lee"),
            ("Ann Lee", "Ann\u{200b} Lee"),
            // Composed, decomposed, marks in another order; compatible characters.
            ("Ren\u{e9}", "RENE\u{301}"),
            ("\u{1ed9}", "O\u{302}\u{323}"),
            ("a\u{301}\u{323}", "a\u{323}\u{200b}\u{301}"),
            ("\u{1f0}", "J\u{30c}"),
            ("\u{130}", "i\u{307}"),
            ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
            ("\u{212b}", "\u{e5}"),
            ("Ａｎｎ", "Ann"),
            ("ﬁn", "fin"),
            ("❤\u{fe0f}", "❤"),
            ("❤\u{fe0f}", "❤\u{fe0e}"),
        ] {
            let (one, other) = (ask(one).unwrap(), ask(other).unwrap());
            assert!(
                look_alike(one, other) && look_alike(other, one),
                "{other:?}"
            );
        }
        for other in ["Anne", "An", "Ann  Lee", "AnnLee"] {
            assert!(!look_alike(b"Ann", other.as_bytes()));
            assert!(!look_alike(b"Ann Lee", other.as_bytes()));
        }
    }

    #[test]
    fn name_need_not_be_utf8() {
        // "Bob" in Chinese, in GBK.
        let name = b" \xb1\xab\xb2\xaa ";
        assert_eq!(check(name), Ok(&name[1..5]));
        assert!(look_alike(&name[1..5], &name[1..5]));
        assert!(!look_alike(&name[1..5], &name[1..4]));
        assert!(!look_alike(b"\x80", b"\x81"));
        assert!(!look_alike(b"Ann\x80", b"Ann"));
    }

    #[cfg(feature = "engine")]
    mod key {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #[test]
            fn names_have_the_same_key_if_they_look_alike_and_only_then(
                one in "[aAäÄ\u{308}\u{200b}\u{a0} |]{0,4}",
                other in "[aAäÄ\u{308}\u{200b}\u{a0} |]{0,4}",
                bytes: Vec<u8>,
                others: Vec<u8>,
            ) {
                for (one, other) in [
                    (one.as_bytes(), other.as_bytes()),
                    (&bytes[..], &others[..]),
                    (&bytes[..], &bytes[..]),
                ] {
                    prop_assert_eq!(key(one) == key(other), look_alike(one, other));
                }
            }
        }
    }
}
