//! Colouring sources, for the terminal and for the pages alike.

use std::sync::LazyLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

use super::tokens::Language;

/// What a piece of a line is, as far as colours go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Everything else.
    Plain,
    /// Keywords.
    Keyword,
    /// Names of types.
    Type,
    /// Names of functions and macros, where they are defined or called.
    Function,
    /// Strings and characters.
    Text,
    /// Numbers and constants of the language.
    Number,
    /// Comments.
    Comment,
}

/// A piece of a line in one colour.
pub type Span = (Ink, String);

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);

/// Which scopes of a syntax get which colour; the first that fits the innermost scope counts.
const INKS: [(&str, Ink); 19] = [
    ("comment", Ink::Comment),
    ("string", Ink::Text),
    ("constant.character", Ink::Text),
    ("constant.other.placeholder", Ink::Text),
    ("constant", Ink::Number),
    ("keyword.operator", Ink::Plain),
    ("keyword", Ink::Keyword),
    ("storage.type.numeric", Ink::Number),
    ("storage.type.function", Ink::Keyword),
    ("storage.type", Ink::Keyword),
    ("storage.modifier", Ink::Keyword),
    ("entity.name.type", Ink::Type),
    ("entity.name.struct", Ink::Type),
    ("entity.name.enum", Ink::Type),
    ("support.type", Ink::Type),
    ("entity.name.function", Ink::Function),
    ("support.function", Ink::Function),
    ("support.macro", Ink::Function),
    ("variable.function", Ink::Function),
];

/// Colours a source, line by line. The spans of a line make up the line without its end.
pub fn highlight(language: Language, source: &str) -> Vec<Vec<Span>> {
    let name = match language {
        Language::Go => "Go",
        Language::Rust => "Rust",
    };
    let syntax = SYNTAXES
        .find_syntax_by_name(name)
        .expect("syntect knows both languages");
    let inks: Vec<(Scope, Ink)> = INKS
        .iter()
        .map(|(scope, ink)| {
            (
                Scope::new(scope).expect("a scope of letters and dots"),
                *ink,
            )
        })
        .collect();
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    source
        .lines()
        .map(|line| {
            let ended = format!("{line}\n");
            // A line that the syntax cannot cope with stays as it is: colours are no reason to fail.
            let changes = state.parse_line(&ended, &SYNTAXES).unwrap_or_default();
            let mut spans: Vec<Span> = Vec::new();
            let mut from = 0;
            for (at, change) in changes {
                let at = at.min(line.len());
                push(&mut spans, ink(&stack, &inks), &line[from..at]);
                from = at;
                let _ = stack.apply(&change);
            }
            push(&mut spans, ink(&stack, &inks), &line[from..]);
            spans
        })
        .collect()
}

fn ink(stack: &ScopeStack, inks: &[(Scope, Ink)]) -> Ink {
    let of = |scope: &Scope| inks.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope));
    stack
        .as_slice()
        .iter()
        .rev()
        .find_map(of)
        .map_or(Ink::Plain, |(_, ink)| *ink)
}

fn push(spans: &mut Vec<Span>, ink: Ink, text: &str) {
    match spans.last_mut() {
        _ if text.is_empty() => {}
        Some((last, before)) if *last == ink => before.push_str(text),
        _ => spans.push((ink, text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inked(language: Language, source: &str, ink: Ink) -> Vec<String> {
        let spans = highlight(language, source).into_iter().flatten();
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
        let source = "fn f() -> \"消息\" {\n\n\t/* open\n'x' \"\\";
        let lines: Vec<String> = highlight(Language::Rust, source)
            .into_iter()
            .map(|spans| spans.into_iter().map(|(_, text)| text).collect())
            .collect();
        assert_eq!(lines, source.lines().collect::<Vec<_>>());
    }
}
