//! What of a line can be found again in a line of the other language.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::sidebyside::pair::idioms::{
    deferred_close, is_end_of_file, is_error, is_error_check, makes_array,
};
use crate::sidebyside::read::names::{KEYWORDS, common_names, snake_case};
use crate::sidebyside::read::source::{Kind, Line};
use crate::sidebyside::read::tokens::{Language, Token};

/// What a line can share with another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// An identifier or an operator, by its Go name in one case.
    Name(String),
    /// A variable that holds an error: `err`, `err1`.
    Error,
    /// A number.
    Number(String),
    /// A string literal, or a piece of one between two placeholders.
    Text(String),
    /// A name that says where another comes from: `fmt` in `fmt.Println`.
    Package(String),
    /// A word of a string literal.
    Word(String),
    /// A keyword or a built-in type, by its Go name.
    Keyword(&'static str),
}

/// What a line does with a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Role {
    /// It calls it.
    pub called: bool,
    /// It introduces it: a variable, a constant, a type, or a field of a value.
    pub introduced: bool,
    /// It is only another reading of a name that has more than one: `send` on a channel or a socket.
    pub other: bool,
}

impl Role {
    /// Whether two lines do the same with a name.
    pub fn matches(self, other: Role) -> bool {
        self.called && other.called || self.introduced && other.introduced
    }
}

/// The keys of a line, and what it does with each.
pub type Keys = BTreeMap<Key, Role>;

/// Takes the keys of a line; there are none in what is not code. `packages` are those that the Go
/// program imports.
pub fn keys(language: Language, line: &Line, packages: &[&str]) -> Keys {
    let mut keys = Keys::new();
    if line.kind != Kind::Code {
        return keys;
    }
    let tokens = &line.tokens;
    let introduced = introduced(language, tokens);
    for (i, token) in tokens.iter().enumerate() {
        match token {
            Token::Name(name) if is_package(language, &tokens[i..], packages) => {
                add(&mut keys, Key::Package(snake_case(name)), USED);
            }
            Token::Name(name) if is_error(name) => add(&mut keys, Key::Error, USED),
            Token::Name(name) => {
                let role = Role {
                    called: is_called(&tokens[i + 1..]),
                    introduced: introduced.contains(&i),
                    other: false,
                };
                match language {
                    Language::Go if makes_channel(&tokens[i..]) => {
                        go_name("make chan", role, &mut keys);
                    }
                    Language::Go => go_name(name, role, &mut keys),
                    Language::Rust => rust_name(name, role, &mut keys),
                }
            }
            Token::Mark("<-") => add(&mut keys, name("<-"), CALLED),
            Token::Number(number) => add(&mut keys, Key::Number(number.clone()), USED),
            Token::Text(text) => text_keys(language, text, &mut keys),
            Token::Mark(_) | Token::Comment(_) => {}
        }
    }
    if is_error_check(language, tokens) {
        add(&mut keys, name("err != nil"), CALLED);
    }
    if language == Language::Rust {
        if is_end_of_file(tokens) {
            add(&mut keys, name("eof"), CALLED);
        }
        if makes_array(tokens) {
            add(&mut keys, name("make"), CALLED);
        }
    } else if deferred_close(line).is_some() {
        // What is closed later is named here only to be found again.
        keys.retain(|key, _| *key == name("close"));
    }
    keys
}

fn name(name: &str) -> Key {
    Key::Name(name.to_owned())
}

const USED: Role = Role {
    called: false,
    introduced: false,
    other: false,
};
const CALLED: Role = Role {
    called: true,
    introduced: false,
    other: false,
};

fn add(keys: &mut Keys, key: Key, role: Role) {
    let known = keys.entry(key).or_insert(role);
    known.called |= role.called;
    known.introduced |= role.introduced;
    known.other &= role.other;
}

/// The places of the names that a line introduces.
fn introduced(language: Language, tokens: &[Token]) -> Range<usize> {
    let is = |at: usize, names: &[&str]| match tokens.get(at) {
        Some(Token::Name(name)) => names.contains(&name.as_str()),
        _ => false,
    };
    let mark = |at: usize, mark| tokens.get(at) == Some(&Token::Mark(mark));
    let until = |marks: &[&str]| {
        let end = |t: &Token| matches!(t, Token::Mark(m) if marks.contains(m));
        tokens.iter().position(end).unwrap_or(tokens.len())
    };
    // A field of a value: `name: x,` or `name,`.
    if mark(1, ":") && !mark(2, ":") && !mark(2, "=") || mark(1, ",") && tokens.len() == 2 {
        return 0..1;
    }
    match language {
        Language::Go if is(0, &["var", "const", "type"]) => 1..2,
        Language::Go => {
            let defines = |w: &[Token]| w == [Token::Mark(":"), Token::Mark("=")];
            0..tokens.windows(2).position(defines).unwrap_or(0)
        }
        Language::Rust => {
            let first = (0..tokens.len())
                .find(|&i| !is(i, &["pub", "if", "while"]))
                .unwrap_or(0);
            if is(first, &["let"]) {
                first + 1..until(&["=", ":", ";"]).max(first + 1)
            } else if is(first, &["static", "const", "struct", "enum", "type", "for"]) {
                first + 1..first + 2
            } else {
                0..0
            }
        }
    }
}

/// Whether the name with which the tokens begin only says where the next one comes from.
fn is_package(language: Language, tokens: &[Token], packages: &[&str]) -> bool {
    match (language, tokens) {
        (Language::Go, [Token::Name(name), Token::Mark("."), ..]) => {
            packages.contains(&name.as_str())
        }
        (Language::Rust, [Token::Name(name), Token::Mark(":"), Token::Mark(":"), ..]) => {
            name.starts_with(char::is_lowercase)
        }
        _ => false,
    }
}

/// `make(chan`: Go makes channels, maps and slices by one name.
fn makes_channel(tokens: &[Token]) -> bool {
    matches!(tokens, [Token::Name(make), Token::Mark("("), Token::Name(chan), ..]
        if make == "make" && chan == "chan")
}

/// Whether what follows a name calls it, as a function or as a macro.
fn is_called(after: &[Token]) -> bool {
    matches!(
        after,
        [Token::Mark("("), ..] | [Token::Mark("!"), Token::Mark("(" | "[" | "{"), ..]
    )
}

fn go_name(name: &str, mut role: Role, keys: &mut Keys) {
    if let Some((keyword, _)) = KEYWORDS.iter().find(|(go, _)| *go == name) {
        add(keys, Key::Keyword(keyword), USED);
    } else if !matches!(name, "_" | "nil" | "type" | "case" | "defer" | "range") {
        role.called |= name == "go";
        for name in common_names(Language::Go, name) {
            add(keys, Key::Name(name), role);
        }
    }
}

fn rust_name(name: &str, role: Role, keys: &mut Keys) {
    let mut keyword = false;
    for (go, _) in KEYWORDS.iter().filter(|(_, rust)| rust.contains(&name)) {
        add(keys, Key::Keyword(go), USED);
        keyword = true;
    }
    let says_nothing = [
        "_", "pub", "mut", "self", "move", "impl", "in", "as", "Ok", "Err", "Some", "None",
    ];
    if keyword || says_nothing.contains(&name) {
        return;
    }
    for (i, name) in common_names(Language::Rust, name).into_iter().enumerate() {
        add(
            keys,
            Key::Name(name),
            Role {
                other: i > 0,
                ..role
            },
        );
    }
}

fn text_keys(language: Language, text: &str, keys: &mut Keys) {
    let (pieces, names) = match language {
        Language::Go => (split_verbs(text), Vec::new()),
        Language::Rust => split_braces(text),
    };
    for name in names {
        match is_error(name) {
            true => add(keys, Key::Error, USED),
            false => rust_name(name, USED, keys),
        }
    }
    for piece in pieces {
        let whole = piece.trim();
        // Whether a line is ended in its literal or by a call is no difference.
        let unended = whole
            .strip_suffix("\\n")
            .filter(|rest| !matches!(*rest, "" | "\\r"));
        let text = unended.unwrap_or(whole).trim();
        if !text.is_empty() {
            add(keys, Key::Text(text.to_owned()), USED);
        }
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            if word.chars().count() > 1 {
                add(keys, Key::Word(word.to_lowercase()), USED);
            }
        }
    }
}

/// The pieces of a Go format string between its verbs (`%s`, `%03d`).
fn split_verbs(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while let Some(found) = text[start..].find('%') {
        pieces.push(&text[start..start + found]);
        let flags = &text[start + found + 1..];
        let verb = flags.trim_start_matches(|c: char| c.is_ascii_digit() || "+-# .".contains(c));
        start = text.len() - verb.len() + verb.chars().next().map_or(0, char::len_utf8);
    }
    pieces.push(&text[start..]);
    pieces
}

/// The pieces of a Rust format string between its braces, and the names within those.
fn split_braces(text: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut pieces, mut names) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some((piece, after)) = rest.split_once('{') {
        let Some((argument, after)) = after.split_once('}') else {
            break;
        };
        pieces.push(piece);
        let name = argument.split(':').next().unwrap_or_default();
        if name.starts_with(|c: char| c == '_' || c.is_alphabetic()) {
            names.push(name);
        }
        rest = after;
    }
    pieces.push(rest);
    (pieces, names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::read::source::read;

    fn called(language: Language, source: &str) -> String {
        let packages = ["net", "fmt"];
        let keys = keys(language, &read(language, source, 1)[0], &packages);
        let shown = keys.into_iter().map(|(key, called)| {
            let text = match key {
                Key::Name(name) => name,
                Key::Error => "err".to_owned(),
                Key::Number(number) => format!("#{number}"),
                Key::Text(text) => format!("\"{text}\""),
                Key::Package(name) => format!("{name}."),
                Key::Word(word) => format!("'{word}"),
                Key::Keyword(word) => format!("[{word}]"),
            };
            match (called.called, called.introduced) {
                (true, _) => text + "()",
                (_, true) => text + "=",
                _ => text,
            }
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn both_languages_come_to_the_same_keys() {
        for (go, rust, shared) in [
            ("net.Dial(a, 16)", "net::dial(a, 16)", "a dial() #16 net."),
            ("x <- true", "x.send(true)", "<-() true x"),
            (
                "c := make(chan int)",
                "let (c, d) = bounded(0);",
                "c make chan()",
            ),
            (
                "buf := make([]byte, 19)",
                "let mut buf = [0; n];",
                "buf make()",
            ),
            ("if err == io.EOF {", "Ok(0) => {", "eof"),
            ("if a == 0 {", "if a == 0 {", "a #0 [if]"),
            ("for range x {", "while x {", "x [for]"),
            (
                "fmt.Printf(\"%s gone\\n\", a)",
                "f!(\"{a} gone\")",
                "a \"gone\" 'gone",
            ),
        ] {
            let (go, rust) = (called(Language::Go, go), called(Language::Rust, rust));
            let (go, rust) = (format!(" {go} "), format!(" {rust} "));
            for key in shared.split(' ') {
                let bare = format!(" {}", key.trim_end_matches("()"));
                assert!(
                    go.contains(&bare) && rust.contains(&bare),
                    "{key}: {go}/{rust}"
                );
            }
        }
    }

    #[test]
    fn calls_are_told_from_names() {
        assert_eq!(called(Language::Go, "go f(x) // g()"), "f() go() x");
        assert_eq!(called(Language::Rust, "a!(b) != c()"), "a() b c()");
        assert_eq!(
            called(Language::Rust, "thread::spawn(Ok(d))"),
            "d go() thread."
        );
    }

    #[test]
    fn a_deferred_close_names_only_the_closing() {
        assert_eq!(called(Language::Go, "defer conn.Close()"), "close()");
    }

    #[test]
    fn format_strings_come_apart_at_their_placeholders() {
        assert_eq!(split_verbs("a%sb%03d%%c%"), ["a", "b", "", "c", ""]);
        assert_eq!(split_verbs("100%的"), ["100", ""]);
        assert_eq!(
            split_braces("a{}b{c:>3}{"),
            (vec!["a", "b", "{"], vec!["c"])
        );
    }
}
