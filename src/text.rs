//! Text for a terminal or a page: made harmless, measured, set in columns.

#[cfg(feature = "lab")]
use unicode_width::UnicodeWidthStr;

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

/// Text for use in XML and HTML, between tags and in quoted attributes.
pub fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no way to write most control characters.
            c if c.is_control() && c != '\n' => out.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
        out
    })
}

/// The columns that a text takes on a terminal; East Asian wide characters take two.
#[cfg(feature = "lab")]
pub fn width(text: &str) -> usize {
    text.width()
}

/// Sets each column to one width, those in `left` to the left and the others to the right.
#[cfg(feature = "lab")]
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    #[cfg(feature = "lab")]
    fn columns_line_up_whatever_the_width_of_a_character() {
        let rows = [["a", "µs", "n"], ["聊天", "c", "100"]].map(|row| row.map(str::to_owned));
        assert_eq!(columns(&rows, &[1]), "   a  µs    n\n聊天  c   100\n");
    }

    proptest! {
        #[test]
        fn printable_text_is_one_line_without_control_characters(text in any::<Vec<u8>>()) {
            prop_assert!(!printable(text).chars().any(char::is_control));
        }

        #[test]
        fn printable_text_stays_as_it_is(text in "\\PC*") {
            prop_assert_eq!(printable(&text), text);
        }
    }
}
