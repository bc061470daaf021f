//! The `// Go:` comments of our sources: where ours differs from the original, and why.

use crate::sidebyside::read::source::{Kind, Line};
use crate::sidebyside::read::tokens::Token;

const MARK: &str = " Go:";

/// One `// Go:` comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it says, in one line, without the mark.
    pub text: String,
    /// The first of its lines.
    pub first: usize,
    /// The last of its lines.
    pub last: usize,
    /// The line that it explains: the first below it that is no comment, or the line at whose end it
    /// stands.
    pub explains: usize,
}

/// Finds the notes among lines, in their order. All places are indices into `lines`.
pub fn notes(lines: &[Line]) -> Vec<Note> {
    let comment = |line: usize| match lines.get(line)?.tokens.last() {
        Some(Token::Comment(comment)) => comment.strip_prefix("//"),
        _ => None,
    };
    let own_line = |line: usize| lines[line].kind == Kind::Comment;
    let note = |first: usize| {
        let mut text = comment(first)?.strip_prefix(MARK)?.trim().to_owned();
        let (mut last, mut explains) = (first, first);
        if own_line(first) {
            let goes_on = |text: &&str| !text.starts_with(['/', '!']) && !text.starts_with(MARK);
            let more = |line: usize| comment(line).filter(|_| own_line(line)).filter(goes_on);
            while let Some(more) = more(last + 1) {
                text = text + " " + more.trim();
                last += 1;
            }
            let below = |line: &Line| !matches!(line.kind, Kind::Comment | Kind::Blank);
            explains += lines[first..].iter().position(below).unwrap_or(0);
        }
        Some(Note {
            text,
            first,
            last,
            explains,
        })
    };
    (0..lines.len()).filter_map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::read::source::read;
    use crate::sidebyside::read::tokens::Language;

    #[test]
    fn notes_span_lines_and_explain_the_next_code() {
        let source = "// a\n// Go: one\n// two.\n\nf();\ng(); // Go: three\n// four\n/// Go: no\n// Go: five\n// Go: six\n}\n";
        let found = notes(&read(Language::Rust, "", source, 1));
        let note = |text: &str, first, last, explains| Note {
            text: text.to_owned(),
            first,
            last,
            explains,
        };
        assert_eq!(
            found,
            [
                note("one two.", 1, 2, 4),
                note("three", 5, 5, 5),
                note("five", 8, 8, 10),
                note("six", 9, 9, 10),
            ]
        );
    }

    #[test]
    fn note_on_the_last_line_explains_itself() {
        assert_eq!(
            notes(&read(Language::Rust, "", "f();\n// Go: x\n", 1))[0].explains,
            1
        );
    }
}
