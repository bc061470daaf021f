//! Cutting Go and Rust sources into tokens, line by line.
//!
//! No parser: names, literals, comments and punctuation are all that a comparison of lines needs,
//! and a listing that does not compile is cut like any other.

/// The language of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The originals'.
    Go,
    /// Ours.
    Rust,
}

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// An identifier or a keyword, as it is written.
    Name(String),
    /// What stands between the quotes of a string literal, with its escapes as they are written.
    Text(String),
    /// A number, without the underscores.
    Number(String),
    /// A comment, with its slashes.
    Comment(String),
    /// Punctuation: one character, or Go's arrow.
    Mark(&'static str),
}

impl Token {
    /// An identifier or a keyword.
    pub fn name(&self) -> Option<&str> {
        match self {
            Token::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it is this name, number or mark.
    pub fn is(&self, text: &str) -> bool {
        match self {
            Token::Name(own) | Token::Number(own) => own == text,
            Token::Mark(own) => *own == text,
            Token::Text(_) | Token::Comment(_) => false,
        }
    }

    /// Whether it is one of these names, numbers or marks, which have spaces between them.
    pub fn is_any(&self, texts: &str) -> bool {
        texts.split(' ').any(|text| self.is(text))
    }
}

/// Whether tokens start with those of a phrase, which has spaces between them: `let Err`.
pub fn starts(tokens: &[Token], phrase: &str) -> bool {
    let mut tokens = tokens.iter();
    phrase
        .split(' ')
        .all(|text| tokens.next().is_some_and(|token| token.is(text)))
}

/// Whether a phrase is anywhere among tokens.
pub fn has(tokens: &[Token], phrase: &str) -> bool {
    (0..tokens.len()).any(|at| starts(&tokens[at..], phrase))
}

const MARKS: &str = "{ } ( ) [ ] , ; : . ? ! = < > + - * / % & | # @ ^";

/// Cuts a source into the tokens of each of its lines.
pub fn tokens(language: Language, source: &str) -> Vec<Vec<Token>> {
    let lines = pieces(language, source).into_iter();
    let tokens = |line: Vec<Piece>| line.into_iter().filter_map(|(_, token)| token).collect();
    lines.map(tokens).collect()
}

/// A piece of a line with the token that it is, if any.
pub type Piece = (String, Option<Token>);

/// Cuts a source into the pieces of each of its lines.
///
/// A literal or a comment that goes on over a line end becomes one token on each of its lines.
pub fn pieces(language: Language, source: &str) -> Vec<Vec<Piece>> {
    let mut lexer = Lexer {
        language,
        rest: source,
    };
    let mut lines = vec![Vec::new()];
    while !lexer.rest.is_empty() {
        let before = lexer.rest;
        let token = lexer.token();
        let piece = &before[..before.len() - lexer.rest.len()];
        for (i, part) in piece.split('\n').enumerate() {
            lines.extend((i > 0).then(Vec::new));
            let of_line = |text: &str| {
                let line = text.split('\n').nth(i).unwrap_or_default();
                line.trim_end_matches('\r').to_owned()
            };
            let token = match &token {
                Some(Token::Text(text)) => Some(Token::Text(of_line(text))),
                Some(Token::Comment(text)) => Some(Token::Comment(of_line(text))),
                token => token.clone(),
            };
            let line = lines.last_mut().expect("there is always a line");
            line.push((part.to_owned(), token));
        }
    }
    // `lines()` does not count what follows the last line end; neither does this.
    lines.truncate(source.lines().count());
    lines
}

struct Lexer<'a> {
    language: Language,
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    /// Takes one piece, which is not always a token.
    fn token(&mut self) -> Option<Token> {
        let first = self.rest.chars().next()?;
        if first.is_whitespace() {
            self.take(first.len_utf8());
            None
        } else if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            Some(Token::Comment(self.take(end).trim_end().to_owned()))
        } else if self.rest.starts_with("/*") {
            let end = self.block_comment();
            Some(Token::Comment(self.take(end).to_owned()))
        } else if let Some((open, close, escapes)) = self.string_quotes() {
            self.take(open);
            let text = self.take(closing(self.rest, &close, escapes));
            self.take(close.len().min(self.rest.len()));
            Some(Token::Text(text.to_owned()))
        } else if first == '\'' {
            self.quote()
        } else if first.is_ascii_digit() {
            let number = self.take(number_length(self.rest));
            Some(Token::Number(number.replace('_', "")))
        } else if first == '_' || first.is_alphabetic() {
            Some(Token::Name(self.take(name_length(self.rest)).to_owned()))
        } else if self.language == Language::Go && self.rest.starts_with("<-") {
            self.take(2);
            Some(Token::Mark("<-"))
        } else {
            self.take(first.len_utf8());
            let mark = MARKS.split(' ').find(|mark| mark.starts_with(first))?;
            Some(Token::Mark(mark))
        }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Where a string literal starts here: the length of what opens it, what closes it, and
    /// whether a backslash escapes.
    fn string_quotes(&self) -> Option<(usize, String, bool)> {
        if self.language == Language::Go {
            return match self.rest.as_bytes()[0] {
                b'"' => Some((1, "\"".to_owned(), true)),
                b'`' => Some((1, "`".to_owned(), false)),
                _ => None,
            };
        }
        let unprefixed = self.rest.trim_start_matches(['b', 'c']);
        let raw = unprefixed.strip_prefix('r');
        let hashed = raw.unwrap_or(unprefixed);
        let quoted = hashed.trim_start_matches('#');
        let hashes = hashed.len() - quoted.len();
        let prefix = self.rest.len() - unprefixed.len();
        if prefix > 1 || !quoted.starts_with('"') || (raw.is_none() && hashes > 0) {
            return None;
        }
        let open = self.rest.len() - quoted.len() + 1;
        Some((open, format!("\"{}", "#".repeat(hashes)), raw.is_none()))
    }

    /// A character literal, or in Rust a lifetime, which says nothing and is dropped.
    fn quote(&mut self) -> Option<Token> {
        self.take(1);
        let mut chars = self.rest.chars();
        let (first, second) = (chars.next(), chars.next());
        if first == Some('\\') || second == Some('\'') {
            let text = self.take(closing(self.rest, "'", true));
            self.take(1.min(self.rest.len()));
            return Some(Token::Text(text.to_owned()));
        }
        self.take(name_length(self.rest));
        None
    }

    /// The length of the block comment here; Rust's may be nested.
    fn block_comment(&self) -> usize {
        let (mut at, mut depth) = (2, 1);
        while depth > 0 {
            let rest = &self.rest[at..];
            let Some(close) = rest.find("*/") else {
                return self.rest.len();
            };
            let opens = rest[..close].find("/*");
            let opens = opens.filter(|_| self.language == Language::Rust);
            depth += if opens.is_some() { 1 } else { -1 };
            at += opens.unwrap_or(close) + 2;
        }
        at
    }
}

fn name_length(text: &str) -> usize {
    let end = text.find(|c: char| c != '_' && !c.is_alphanumeric());
    end.unwrap_or(text.len())
}

/// The length of what stands before the closing quotes, or of all where they are missing.
fn closing(text: &str, close: &str, escapes: bool) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if escapes && c == '\\' {
            escaped = true;
        } else if text[at..].starts_with(close) {
            return at;
        }
    }
    text.len()
}

/// The length of a number: a full stop belongs to it only before another digit (`0..n` does not).
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    (1..bytes.len())
        .find(|&i| match bytes[i] {
            b'.' => !bytes.get(i + 1).is_some_and(u8::is_ascii_digit),
            b => b != b'_' && !b.is_ascii_alphanumeric(),
        })
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(language: Language, source: &str) -> Vec<String> {
        tokens(language, source)
            .into_iter()
            .map(|line| {
                let tokens = line.into_iter().map(|token| match token {
                    Token::Name(s) => s,
                    Token::Text(s) => format!("\"{s}\""),
                    Token::Number(s) => format!("#{s}"),
                    Token::Comment(s) => format!("<{s}>"),
                    Token::Mark(s) => s.to_owned(),
                });
                tokens.collect::<Vec<_>>().join(" ")
            })
            .collect()
    }

    #[test]
    fn go_is_cut_into_names_literals_and_marks() {
        assert_eq!(
            shown(
                Language::Go,
                "ch <- x[1:] // say \"hi\"\nf(`a\nb`, '\\'', \"q\\\"\")\n"
            ),
            [
                "ch <- x [ #1 : ] <// say \"hi\">",
                "f ( \"a\"",
                "\"b\" , \"\\'\" , \"q\\\"\" )"
            ]
        );
    }

    #[test]
    fn rust_literals_keep_to_their_quotes() {
        assert_eq!(
            shown(
                Language::Rust,
                "f(b\"x\", br#\"a\"b\"#, 'c', '\\n', r\"\\\");"
            ),
            ["f ( \"x\" , \"a\"b\" , \"c\" , \"\\n\" , \"\\\" ) ;"]
        );
        assert_eq!(
            shown(Language::Rust, "fn f<'a>(x: &'a str)"),
            ["fn f < > ( x : & str )"]
        );
        assert_eq!(
            shown(Language::Rust, "0..n 1.5 4_096 x<-1"),
            ["#0 . . n #1.5 #4096 x < - #1"]
        );
        assert_eq!(shown(Language::Rust, "bc r#fn b"), ["bc r # fn b"]);
    }

    #[test]
    fn rust_comments_nest_and_span_lines() {
        assert_eq!(
            shown(Language::Rust, "a /* b /* c */\n d */ e"),
            ["a </* b /* c */>", "< d */> e"]
        );
        assert_eq!(
            shown(Language::Go, "a /* b /* c */ e"),
            ["a </* b /* c */> e"]
        );
    }

    #[test]
    fn unterminated_literals_lose_no_line() {
        for source in [
            "",
            "\n",
            "a",
            "a\n",
            "\"open\nb\n\n",
            "/* open\n*",
            "'",
            "x '\n",
            "\"\\",
        ] {
            for language in [Language::Go, Language::Rust] {
                let lines = tokens(language, source).len();
                assert_eq!(lines, source.lines().count(), "{source:?}");
            }
        }
    }
}
