//! Colouring sources, for the terminal and for the pages alike.

use crate::sidebyside::read::source::Line;
use crate::sidebyside::read::tokens::{Language, Token};
use crate::text::printable;

/// What a piece of a line is, as far as colours go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
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
pub type Span = (TokenKind, String);

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
        let kind = match token {
            Some(Token::Comment(_)) => TokenKind::Comment,
            Some(Token::Text(_)) => TokenKind::Text,
            Some(Token::Number(_)) => TokenKind::Number,
            Some(Token::Name(name)) => name_kind(language, name, next(1), next(2)),
            _ => TokenKind::Plain,
        };
        push(&mut spans, kind, piece);
    }
    spans
}

fn name_kind(language: Language, name: &str, next: &str, after: &str) -> TokenKind {
    let rust = language == Language::Rust;
    let keywords = if rust { RUST } else { GO };
    let capital = name.starts_with(char::is_uppercase);
    if keywords.split_whitespace().any(|word| word == name) {
        TokenKind::Keyword
    } else if matches!(name, "true" | "false" | "nil" | "iota") {
        TokenKind::Number
    } else if next == "(" && !(rust && capital)
        || rust && next == "!" && matches!(after, "(" | "[" | "{")
    {
        TokenKind::Function
    } else if rust && capital && name.contains(char::is_lowercase) {
        TokenKind::Type
    } else {
        TokenKind::Plain
    }
}

/// Code, made fit to be shown.
pub fn shown(code: &str) -> String {
    printable(code.replace('\t', "    "))
}

fn push(spans: &mut Vec<Span>, kind: TokenKind, text: &str) {
    match spans.last_mut() {
        _ if text.is_empty() => {}
        Some((last, before)) if *last == kind => before.push_str(&shown(text)),
        _ => spans.push((kind, shown(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::read::source::read;

    fn of_kind(language: Language, source: &str, kind: TokenKind) -> Vec<String> {
        let lines = read(language, "", source, 1);
        let spans = lines.iter().flat_map(|line| highlight(language, line));
        spans
            .filter(|(k, _)| *k == kind)
            .map(|(_, text)| text.trim().to_owned())
            .collect()
    }

    #[test]
    fn both_languages_are_coloured() {
        let go = "func f(s string) { // c\n\tfor { g(\"a\", 12) }\n}\n";
        assert_eq!(of_kind(Language::Go, go, TokenKind::Comment), ["// c"]);
        assert_eq!(of_kind(Language::Go, go, TokenKind::Text), ["\"a\""]);
        assert_eq!(of_kind(Language::Go, go, TokenKind::Number), ["12"]);
        assert!(
            of_kind(Language::Go, go, TokenKind::Keyword)
                .iter()
                .any(|k| k == "for")
        );
        let rust = "fn f() {\n    loop { g(b\"a\", 12); } // c\n}\n";
        assert_eq!(of_kind(Language::Rust, rust, TokenKind::Comment), ["// c"]);
        assert!(
            of_kind(Language::Rust, rust, TokenKind::Text)
                .iter()
                .any(|t| t.contains("\"a\""))
        );
        assert_eq!(of_kind(Language::Rust, rust, TokenKind::Number), ["12"]);
        assert!(
            of_kind(Language::Rust, rust, TokenKind::Keyword)
                .iter()
                .any(|k| k == "loop")
        );
    }

    #[test]
    fn spans_concatenate_to_the_lines() {
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
