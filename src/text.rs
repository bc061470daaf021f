//! Text for a terminal or a page: sanitizing, display width, columns, wrapping.

mod clean;

use unicode_width::UnicodeWidthStr;

pub use crate::text::clean::{clean, clean_in_place, is_unsafe};

/// Makes text from the network, a file or the command line safe to show as one line on a terminal or a page.
///
/// Characters that reorder or hide text are shown as their code, such as `‹U+202E›`: with them, text can look
/// different from what it is.
pub fn printable(text: impl AsRef<[u8]>) -> String {
    let mut shown = String::new();
    for c in String::from_utf8_lossy(text.as_ref()).chars() {
        match c {
            c if c.is_control() => shown.push(char::REPLACEMENT_CHARACTER),
            c if reorders_or_hides(c) => shown.push_str(&format!("‹U+{:04X}›", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// Whether a character is a bidirectional control, a line separator, or invisible.
fn reorders_or_hides(c: char) -> bool {
    is_unsafe(c) || is_ignorable(c) || matches!(c, '\u{fff9}'..='\u{fffb}')
}

/// Unicode's property Default_Ignorable_Code_Point: characters that are invisible if the font does not support
/// them. From DerivedCoreProperties.txt of Unicode 17.0.
pub fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Escapes text for XML and HTML, between tags and in quoted attributes.
pub fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML cannot represent most control characters.
            c if c.is_control() && c != '\n' => out.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
        out
    })
}

/// The number of terminal columns that a text takes; East Asian wide characters take two.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Aligns rows in columns, those with an index in `left` (from 0) to the left and the others to the right.
pub fn columns<Row: AsRef<[String]>>(rows: &[Row], left: &[usize]) -> String {
    let mut widths = Vec::new();
    for row in rows {
        let row = row.as_ref();
        widths.resize(widths.len().max(row.len()), 0);
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = width(cell).max(*widest);
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, widest)) in row.as_ref().iter().zip(&widths).enumerate() {
            let space = " ".repeat(widest - width(cell));
            let gap = if column == 0 { "" } else { "  " };
            let (before, after) = match left.contains(&column) {
                true => ("", space.as_str()),
                false => (space.as_str(), ""),
            };
            line.extend([gap, before, cell, after]);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Wraps a text between words at `limit` terminal columns. The first line starts with `first`, the others with
/// `others`.
pub fn wrap(text: &str, limit: usize, first: &str, others: &str) -> String {
    let mut lines = first.to_owned();
    let mut taken = width(first);
    let mut is_start = true;
    for word in text.split_whitespace() {
        if !is_start && taken + 1 + width(word) > limit {
            lines.extend(["\n", others]);
            taken = width(others);
        } else if !is_start {
            lines.push(' ');
            taken += 1;
        }
        lines.push_str(word);
        taken += width(word);
        is_start = false;
    }
    lines + "\n"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn columns_line_up_whatever_the_width_of_a_character() {
        let rows = [["a", "µs", "n"], ["聊天", "c", "100"]].map(|row| row.map(str::to_owned));
        assert_eq!(columns(&rows, &[1]), "   a  µs    n\n聊天  c   100\n");
    }

    #[test]
    fn characters_that_reorder_or_hide_are_shown_as_their_codes() {
        assert_eq!(printable("a\u{202e}b\u{200b}"), "a‹U+202E›b‹U+200B›");
        assert_eq!(
            printable("\u{e0041}\u{feff}消息 שלום"),
            "‹U+E0041›‹U+FEFF›消息 שלום"
        );
        assert_eq!(
            printable("a\tb\x1b[2J\u{9b}c"),
            "a\u{fffd}b\u{fffd}[2J\u{fffd}c"
        );
    }

    #[test]
    fn text_breaks_between_words() {
        let text = "a word 聊天 and another";
        assert_eq!(
            wrap(text, 11, "- ", "  "),
            "- a word\n  聊天 and\n  another\n"
        );
        assert_eq!(wrap("", 11, "", ""), "\n");
    }

    proptest! {
        #[test]
        fn printable_text_is_one_line_without_control_characters(text in any::<Vec<u8>>()) {
            let shown = printable(text);
            prop_assert!(!shown.chars().any(|c| c.is_control() || reorders_or_hides(c)));
        }

        #[test]
        fn printable_text_stays_as_it_is(text in "\\PC*") {
            prop_assume!(!text.contains(reorders_or_hides));
            prop_assert_eq!(printable(&text), text);
        }
    }
}
