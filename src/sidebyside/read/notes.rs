//! The `// Go:` comments of our sources: where ours differs from the original, and why.

use crate::sidebyside::read::source::{Kind, Line};
use crate::sidebyside::read::tokens::Token;

const MARK: &str = "// Go:";

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
    let mut notes: Vec<Note> = Vec::new();
    let mut open = false;
    for (i, line) in lines.iter().enumerate() {
        let Some(Token::Comment(comment)) = line.tokens.last() else {
            open = false;
            continue;
        };
        let own_line = line.kind == Kind::Comment;
        if let Some(text) = comment.strip_prefix(MARK) {
            let below = |l: &Line| !matches!(l.kind, Kind::Comment | Kind::Blank);
            let explains = if own_line {
                i + lines[i..].iter().position(below).unwrap_or(0)
            } else {
                i
            };
            notes.push(Note {
                text: text.trim().to_owned(),
                first: i,
                last: i,
                explains,
            });
            open = own_line;
        } else if let (true, true, Some(note)) = (open, own_line, notes.last_mut()) {
            let text = comment
                .strip_prefix("//")
                .filter(|t| !t.starts_with(['/', '!']));
            if let Some(text) = text {
                note.text.push(' ');
                note.text.push_str(text.trim());
                note.last = i;
            } else {
                open = false;
            }
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::read::source::read;
    use crate::sidebyside::read::tokens::Language;

    #[test]
    fn notes_run_over_lines_and_explain_what_follows() {
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
    fn a_note_at_the_end_explains_itself() {
        assert_eq!(
            notes(&read(Language::Rust, "", "f();\n// Go: x\n", 1))[0].explains,
            1
        );
    }
}
