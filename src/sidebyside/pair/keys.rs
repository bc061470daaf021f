//! What of a line can be found again in a line of the other language.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::sidebyside::pair::acts::{Acts, Names, called};
use crate::sidebyside::pair::idioms::{deferred_close, is_end_of_file, is_error};
use crate::sidebyside::read::names::{KEYWORDS, common_name, snake_case};
use crate::sidebyside::read::tokens::{Language, Token};

/// What a line can share with another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// An identifier or an operator, by its Go name in one case.
    Name(String),
    /// An act and what it acts on.
    Act(&'static str, String),
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
}

/// The keys of a line, and what it does with each.
pub type Keys = BTreeMap<Key, Role>;

/// Takes the keys of a statement, which does `acts`.
pub fn keys(language: Language, tokens: &[Token], acts: &Acts, names: &Names) -> Keys {
    let mut keys = Keys::new();
    let introduced = introduced(language, tokens);
    for (i, token) in tokens.iter().enumerate() {
        match token {
            Token::Name(name) if is_package(language, &tokens[i..], names) => {
                add(&mut keys, Key::Package(snake_case(name)), Role::default());
            }
            Token::Name(name) if is_error(name) => add(&mut keys, Key::Error, Role::default()),
            Token::Name(name) => {
                let role = Role {
                    called: called(tokens, i).is_some(),
                    introduced: introduced.contains(&i),
                };
                name_keys(language, name, role, names, &mut keys);
                // What a variant is called says what a text says elsewhere.
                let variant = i > 0 && tokens[i - 1] == Token::Mark(":");
                if language == Language::Rust && variant && name.starts_with(char::is_uppercase) {
                    add(&mut keys, Key::Word(name.to_lowercase()), Role::default());
                }
            }
            Token::Number(number) => {
                add(&mut keys, Key::Number(number.clone()), Role::default());
            }
            Token::Text(text) => text_keys(language, text, names, &mut keys),
            Token::Mark(_) | Token::Comment(_) => {}
        }
    }
    for (act, object) in acts {
        add(&mut keys, Key::Name((*act).to_owned()), CALLED);
        if let Some(object) = object {
            add(&mut keys, Key::Act(act, object.clone()), CALLED);
        }
    }
    if language == Language::Rust {
        if is_end_of_file(tokens) {
            add(&mut keys, Key::Name("eof".to_owned()), CALLED);
        }
    } else if deferred_close(tokens).is_some() {
        // What is closed later is named here only to be found again.
        keys.retain(|key, _| *key == Key::Name("close".to_owned()));
    }
    keys
}

const CALLED: Role = Role {
    called: true,
    introduced: false,
};

fn add(keys: &mut Keys, key: Key, role: Role) {
    let known = keys.entry(key).or_insert(role);
    known.called |= role.called;
    known.introduced |= role.introduced;
}

/// The first word of a statement, by its Go name, if it is a keyword.
pub fn keyword(tokens: &[Token]) -> Option<&'static str> {
    let name = tokens.iter().find_map(|token| match token {
        Token::Name(name) => Some(&name[..]),
        _ => None,
    })?;
    let found = KEYWORDS.iter().find(|(go, _)| *go == name);
    found.map(|(go, _)| *go)
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
fn is_package(language: Language, tokens: &[Token], names: &Names) -> bool {
    match (language, tokens) {
        (Language::Go, [Token::Name(name), Token::Mark("."), ..]) => names.packages.contains(name),
        (Language::Rust, [Token::Name(name), Token::Mark(":"), Token::Mark(":"), ..]) => {
            name.starts_with(char::is_lowercase)
        }
        _ => false,
    }
}

/// Words that say nothing of what a line does, or that an act stands for.
const SILENT: &str = "_ nil type case defer range make go send recv \
    pub mut self move impl in as Ok Err Some None";

fn name_keys(language: Language, name: &str, role: Role, names: &Names, keys: &mut Keys) {
    let of_both = |(go, rust): &&(&str, &[&str])| match language {
        Language::Go => *go == name,
        Language::Rust => rust.contains(&name),
    };
    let mut keyword = false;
    for (go, _) in KEYWORDS.iter().filter(of_both) {
        add(keys, Key::Keyword(go), Role::default());
        keyword = true;
    }
    if !keyword && !SILENT.split_whitespace().any(|word| word == name) {
        let name = names.end(common_name(language, name));
        add(keys, Key::Name(name), role);
    }
}

fn text_keys(language: Language, text: &str, names: &Names, keys: &mut Keys) {
    let (pieces, inner) = match language {
        Language::Go => (split_verbs(text), Vec::new()),
        Language::Rust => split_braces(text),
    };
    for name in inner {
        match is_error(name) {
            true => add(keys, Key::Error, Role::default()),
            false => name_keys(language, name, Role::default(), names, keys),
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
            add(keys, Key::Text(text.to_owned()), Role::default());
        }
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            if word.chars().count() > 1 {
                add(keys, Key::Word(word.to_lowercase()), Role::default());
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

    fn shown(language: Language, source: &str) -> String {
        let lines = read(
            language,
            "",
            &format!("import \"net\"\nimport \"fmt\"\n{source}"),
            1,
        );
        let names = Names::new(language, &lines);
        let tokens = &lines[2].tokens;
        let keys = keys(language, tokens, &names.acts(language, tokens), &names);
        let shown = keys.into_iter().map(|(key, role)| {
            let text = match key {
                Key::Name(name) => name.replace(' ', "_"),
                Key::Act(act, object) => format!("{act}:{object}"),
                Key::Error => "err".to_owned(),
                Key::Number(number) => format!("#{number}"),
                Key::Text(text) => format!("\"{text}\""),
                Key::Package(name) => format!("{name}."),
                Key::Word(word) => format!("'{word}"),
                Key::Keyword(word) => format!("[{word}]"),
            };
            match (role.called, role.introduced) {
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
            ("x <- true", "x.send(true)", "send() true x send:x()"),
            ("y := <-x", "let y = x.recv();", "recv() x y recv:x()"),
            (
                "c := make(chan int)",
                "let (c, d) = bounded(0);",
                "c make_chan()",
            ),
            (
                "buf := make([]byte, 19)",
                "let mut buf = [0; n];",
                "buf make()",
            ),
            ("if err == io.EOF {", "Ok(0) => {", "eof"),
            ("if a == 0 {", "if a == 0 {", "a #0 [if]"),
            ("for range x {", "while x {", "x [for]"),
            ("m[k] = v", "room.m.lock().insert(k, v);", "insert:m() k v"),
            ("conn.Write(b)", "conn.write_all(&b)", "write:con() b"),
            ("conn.Write(b)", "conn.send(&b)", "write:con() b"),
            ("f(\"login!\")", "F::Login(x)", "'login"),
            (
                "fmt.Printf(\"%s gone\\n\", a)",
                "f!(\"{a} gone\")",
                "a \"gone\" 'gone",
            ),
        ] {
            let (go, rust) = (shown(Language::Go, go), shown(Language::Rust, rust));
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
        assert_eq!(shown(Language::Go, "go f(x) // g()"), "f() go() x");
        assert_eq!(shown(Language::Rust, "a!(b) != c()"), "a() b c()");
        assert_eq!(
            shown(Language::Rust, "thread::spawn(Ok(d))"),
            "d go() thread."
        );
    }

    #[test]
    fn a_deferred_close_names_only_the_closing() {
        assert_eq!(shown(Language::Go, "defer conn.Close()"), "close()");
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
