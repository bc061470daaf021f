//! Colouring sources, for the terminal and for the pages alike.

use crate::sidebyside::read::source::Line;
use crate::sidebyside::read::tokens::{Language, Token};
use crate::text::printable;

/// What a piece of a line is, as far as colours go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Plain,
    Keyword,
    Type,
    /// Functions and macros, where they are defined or called.
    Function,
    Text,
    /// Numbers and constants of the language.
    Number,
    Comment,
}

/// A piece of a line in one colour.
pub type Span = (Ink, String);

const GO: &str = "break case chan const continue default defer else fallthrough for func go goto if \
    import interface map package range return select struct switch type var bool byte error float32 \
    float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32 uint64 uintptr";

const RUST: &str = "as async await break const continue crate dyn else enum extern fn for if impl in let \
    loop match mod move mut pub ref return static struct super trait type unsafe use where while bool \
    char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize";

/// Colours a line by its tokens. What it says is made fit to be shown, tabs as four spaces.
pub fn highlight(language: Language, line: &Line) -> Vec<Span> {
    let mut spans = Vec::new();
    for (i, (piece, token)) in line.pieces.iter().enumerate() {
        let next = |n: usize| line.pieces.get(i + n).map_or("", |p| &p.0);
        let ink = match token {
            Some(Token::Comment(_)) => Ink::Comment,
            Some(Token::Text(_)) => Ink::Text,
            Some(Token::Number(_)) => Ink::Number,
            Some(Token::Name(name)) => name_ink(language, name, next(1), next(2)),
            _ => Ink::Plain,
        };
        push(&mut spans, ink, piece);
    }
    spans
}

fn name_ink(language: Language, name: &str, next: &str, after: &str) -> Ink {
    let rust = language == Language::Rust;
    let keywords = if rust { RUST } else { GO };
    let capital = name.starts_with(char::is_uppercase);
    if keywords.split_whitespace().any(|word| word == name) {
        Ink::Keyword
    } else if matches!(name, "true" | "false" | "nil" | "iota") {
        Ink::Number
    } else if next == "(" && !(rust && capital)
        || rust && next == "!" && matches!(after, "(" | "[" | "{")
    {
        Ink::Function
    } else if rust && capital && name.contains(char::is_lowercase) {
        Ink::Type
    } else {
        Ink::Plain
    }
}

/// Code, made fit to be shown.
pub fn shown(code: &str) -> String {
    printable(code.replace('\t', "    "))
}

fn push(spans: &mut Vec<Span>, ink: Ink, text: &str) {
    match spans.last_mut() {
        _ if text.is_empty() => {}
        Some((last, before)) if *last == ink => before.push_str(&shown(text)),
        _ => spans.push((ink, shown(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::read::source::read;

    fn inked(language: Language, source: &str, ink: Ink) -> Vec<String> {
        let lines = read(language, "", source, 1);
        let spans = lines.iter().flat_map(|line| highlight(language, line));
        spans
            .filter(|(i, _)| *i == ink)
            .map(|(_, text)| text.trim().to_owned())
            .collect()
    }

    #[test]
    fn both_languages_are_coloured() {
        let go = "func f(s string) { // c\n\tfor { g(\"a\", 12) }\n}\n";
        assert_eq!(inked(Language::Go, go, Ink::Comment), ["// c"]);
        assert_eq!(inked(Language::Go, go, Ink::Text), ["\"a\""]);
        assert_eq!(inked(Language::Go, go, Ink::Number), ["12"]);
        assert!(
            inked(Language::Go, go, Ink::Keyword)
                .iter()
                .any(|k| k == "for")
        );
        let rust = "fn f() {\n    loop { g(b\"a\", 12); } // c\n}\n";
        assert_eq!(inked(Language::Rust, rust, Ink::Comment), ["// c"]);
        assert!(
            inked(Language::Rust, rust, Ink::Text)
                .iter()
                .any(|t| t.contains("\"a\""))
        );
        assert_eq!(inked(Language::Rust, rust, Ink::Number), ["12"]);
        assert!(
            inked(Language::Rust, rust, Ink::Keyword)
                .iter()
                .any(|k| k == "loop")
        );
    }

    #[test]
    fn the_spans_make_up_the_lines() {
        let source = "fn f() -> \"消息\" {\n\n    /* open\n'x' \"\\";
        let text = |line: &Line| -> String {
            let spans = highlight(Language::Rust, line).into_iter();
            spans.map(|(_, text)| text).collect()
        };
        let lines = read(Language::Rust, "", source, 1);
        let lines: Vec<String> = lines.iter().map(text).collect();
        assert_eq!(lines, source.lines().collect::<Vec<_>>());
    }
}
