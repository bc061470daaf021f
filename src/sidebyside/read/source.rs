//! A source as the comparison sees it: lines with what they are, and where they stand.

use crate::sidebyside::read::names::snake_case;
use crate::sidebyside::read::tokens::{Language, Piece, Token, has, pieces, starts};

/// One line of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file that it is in, in the repository; empty for a listing.
    pub path: &'static str,
    /// Its number in its file, counted from 1; for a listing, in the text that the listing is in.
    pub number: usize,
    /// What is written there, without the line end.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// Its pieces, and those of them that are tokens.
    pub pieces: Vec<Piece>,
    pub tokens: Vec<Token>,
    /// The function that it stands in, in snake case; a function within a function or a closure
    /// does not count as one.
    pub function: Option<String>,
}

/// What a line is. Only lines of code can be paired, and only they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Code.
    Code,
    /// Nothing but brackets and what separates them: `})`.
    Brace,
    /// `package` and `import`, `use` and `mod`: names of packages, which are bound to differ.
    Import,
    /// Nothing but an attribute: `#[derive(Debug)]`, which Go has no like of.
    Attribute,
    /// Nothing but a comment.
    Comment,
    /// Nothing.
    Blank,
}

impl Line {
    /// Its identifiers and keywords.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter_map(Token::name)
    }

    /// Whether a phrase is in it, see [`has`].
    pub fn has(&self, phrase: &str) -> bool {
        has(&self.tokens, phrase)
    }

    pub fn is_code(&self) -> bool {
        self.kind == Kind::Code
    }
}

/// Reads a source whose first line has the number `first`.
///
/// Of a Rust source, the unit tests at its end are left out: no listing has any.
pub fn read(language: Language, path: &'static str, source: &str, first: usize) -> Vec<Line> {
    let mut depth = 0_usize;
    let mut function: Option<(String, usize)> = None;
    // An import or an attribute that goes on, and how deep it stands.
    let mut open: Option<(Kind, usize)> = None;
    let mut lines = Vec::new();
    for (i, (text, pieces)) in source.lines().zip(pieces(language, source)).enumerate() {
        let tokens = pieces.iter().filter_map(|(_, token)| token.clone());
        let tokens: Vec<Token> = tokens.collect();
        // A Go method stands at the top level, a Rust method in an impl block.
        let methods = if language == Language::Go { 0 } else { 1 };
        if function.is_none() && depth <= methods {
            function = function_name(language, &tokens).map(|name| (name, depth));
        }
        open = open.or_else(|| {
            let import = starts_import(language, &tokens).then_some(Kind::Import);
            let attribute = starts(&tokens, "#").then_some(Kind::Attribute);
            Some((import.or(attribute)?, depth))
        });
        let count = |marks: &str| tokens.iter().filter(|token| token.is_any(marks)).count();
        depth = (depth + count("{ ( [")).saturating_sub(count("} ) ]"));
        let ends = count("} ;") > 0;
        let is_bracket = |token| is_comment(token) || token.is_any("{ } ( ) [ ] , ;");
        let kind = match open {
            _ if tokens.is_empty() => Kind::Blank,
            _ if tokens.iter().all(is_comment) => Kind::Comment,
            Some((open, _)) => open,
            None if tokens.iter().all(is_bracket) => Kind::Brace,
            None => Kind::Code,
        };
        open = open.filter(|(kind, outside)| {
            let semicolon = language == Language::Rust && *kind == Kind::Import;
            depth > *outside || semicolon && !has(&tokens, ";")
        });
        lines.push(Line {
            path,
            number: first + i,
            text: text.to_owned(),
            kind,
            function: function.as_ref().map(|(name, _)| name.clone()),
            pieces,
            tokens,
        });
        function = function.filter(|(_, outside)| !ends || depth > *outside);
    }
    if language == Language::Rust {
        lines.truncate(without_unit_tests(&lines));
    }
    lines
}

fn is_comment(token: &Token) -> bool {
    matches!(token, Token::Comment(_))
}

fn starts_import(language: Language, tokens: &[Token]) -> bool {
    if language == Language::Go {
        return starts(tokens, "package") || starts(tokens, "import");
    }
    let mut names = tokens.iter().filter_map(Token::name);
    let word = names.find(|name| !matches!(*name, "pub" | "crate" | "super"));
    let named = tokens.first().is_some_and(|first| first.name().is_some());
    let ends = tokens.last().is_some_and(|last| last.is(";"));
    named && (word == Some("use") || word == Some("mod") && ends)
}

fn function_name(language: Language, tokens: &[Token]) -> Option<String> {
    let rust = language == Language::Rust;
    let keyword = if rust { "fn" } else { "func" };
    let at = 1 + tokens.iter().position(|token| token.is(keyword))?;
    // In Go it stands before the first bracket that follows a name: not a method's receiver.
    let before_bracket = |w: &[Token]| w[0].name().is_some() && w[1].is("(");
    let place = match rust {
        true => 0,
        false => tokens[at..].windows(2).position(before_bracket)?,
    };
    tokens.get(at + place)?.name().map(snake_case)
}

fn without_unit_tests(lines: &[Line]) -> usize {
    let tests = lines.windows(2).position(|pair| {
        pair[0].text == "#[cfg(test)]" && pair[1].text.trim_start().starts_with("mod ")
    });
    let code = &lines[..tests.unwrap_or(lines.len())];
    code.iter()
        .rposition(|line| line.kind != Kind::Blank)
        .map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(language: Language, source: &str) -> String {
        read(language, "", source, 1)
            .iter()
            .map(|line| match line.kind {
                Kind::Code => 'c',
                Kind::Brace => 'b',
                Kind::Import => 'i',
                Kind::Attribute => '#',
                Kind::Comment => '/',
                Kind::Blank => '.',
            })
            .collect()
    }

    #[test]
    fn lines_are_classified() {
        let go = "package p\n\nimport (\n\t\"a\"\n)\nimport \"b\"\n// c\nfunc f() {\n\tx() /* d */\n})\n";
        assert_eq!(kinds(Language::Go, go), "i.iiii/ccb");
        let rust = "//! d\nuse a::{\n    b,\n};\npub(crate) mod m;\n#[a(\n  b\n)]\nfn f() {\n    g(); // h\n}, // i\n";
        assert_eq!(kinds(Language::Rust, rust), "/iiii###ccb");
        assert_eq!(kinds(Language::Rust, "mod m {\n    use a;\n}\n"), "cib");
    }

    #[test]
    fn functions_are_known() {
        let rust = "use a;\n\n/// d\nimpl A {\n    fn bC(&self)\n    where\n    {\n        fn d() {}\n    }\n\n    const E: i32 = 1;\n}\n\nfn f() {}\nstruct G;\n";
        let lines = read(Language::Rust, "", rust, 10);
        assert_eq!(lines[0].number, 10);
        let function = |i: usize| lines[i].function.as_deref();
        assert_eq!(function(3), None);
        assert!((4..=8).all(|i| function(i) == Some("b_c")), "{lines:#?}");
        assert!((9..=12).all(|i| function(i).is_none()), "{lines:#?}");
        assert_eq!(function(13), Some("f"));
        assert_eq!(function(14), None);
    }

    #[test]
    fn a_go_method_has_its_own_name_not_its_receivers() {
        let lines = read(
            Language::Go,
            "",
            "func (c *Client) SendAll(m string) {\n}\nvar x = 1\n",
            1,
        );
        let functions: Vec<_> = lines.iter().map(|line| line.function.as_deref()).collect();
        assert_eq!(functions, [Some("send_al"), Some("send_al"), None]);
    }

    #[test]
    fn unit_tests_are_left_out() {
        let rust = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n";
        assert_eq!(read(Language::Rust, "", rust, 1).len(), 1);
        assert_eq!(
            read(Language::Rust, "", "#[cfg(test)]\nuse a;\n", 1).len(),
            2
        );
    }
}
