//! What of a line can be found again in a line of the other language.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::sidebyside::pair::acts::{Acts, Names, called};
use crate::sidebyside::pair::idioms::{is_end_of_file, is_error, is_error_check};
use crate::sidebyside::read::names::{self, common_name};
use crate::sidebyside::read::tokens::{Language, Token, starts};

/// What a line can share with another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// An identifier, by its Go name in one case, or an act.
    Name(String),
    /// An act and what it acts on.
    Act(&'static str, String),
    /// A variable that holds an error: `err`, `err1`. A line that checks for an error counts as calling it.
    Error,
    /// The end of what there is to read.
    End,
    Number(String),
    /// A string literal, or a piece of one between two placeholders.
    Text(String),
    /// A word of a string literal.
    Word(String),
    /// A keyword or a built-in type, by its Go name.
    Keyword(&'static str),
}

/// What a line does with a key.
#[derive(Clone, Copy, Default)]
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
    let introduced = introduced(tokens);
    for (i, token) in tokens.iter().enumerate() {
        match token {
            Token::Name(name) if is_package(language, name, &tokens[i + 1..], names) => {}
            Token::Name(name) => {
                let role = Role {
                    called: called(tokens, i).is_some(),
                    introduced: introduced.contains(&i),
                };
                name_keys(language, name, role, names, &mut keys);
                // What a variant is called says what a text says elsewhere.
                let variant =
                    i > 0 && tokens[i - 1].is(":") && name.starts_with(char::is_uppercase);
                if variant && language == Language::Rust {
                    add(&mut keys, Key::Word(name.to_lowercase()), Role::default());
                }
            }
            Token::Number(number) => add(&mut keys, Key::Number(number.clone()), Role::default()),
            Token::Text(text) => text_keys(text, &mut keys),
            Token::Mark(_) | Token::Comment(_) => {}
        }
    }
    let called = Role {
        called: true,
        ..Role::default()
    };
    for (act, object) in acts {
        add(&mut keys, Key::Name((*act).to_owned()), called);
        if let Some(object) = object {
            add(&mut keys, Key::Act(act, object.clone()), called);
        }
    }
    if is_error_check(language, tokens) {
        add(&mut keys, Key::Error, called);
    }
    if is_end_of_file(tokens) && language == Language::Rust || starts(tokens, "if err = = io . EOF")
    {
        add(&mut keys, Key::End, called);
    }
    keys
}

fn add(keys: &mut Keys, key: Key, role: Role) {
    let known = keys.entry(key).or_default();
    known.called |= role.called;
    known.introduced |= role.introduced;
}

/// The first word of a statement, by its common name, if it is a keyword.
pub fn keyword(language: Language, tokens: &[Token]) -> Option<&'static str> {
    names::keyword(&common_name(language, tokens.iter().find_map(Token::name)?))
}

/// The places of the names that a line introduces.
fn introduced(tokens: &[Token]) -> Range<usize> {
    const WORDS: &str = "let var const type static struct enum for";
    // A field of a value: `name: x,`.
    let is = |at: usize, mark: &str| tokens.get(at).is_some_and(|token| token.is(mark));
    if is(1, ":") && !is(2, ":") && !is(2, "=") {
        return 0..1;
    }
    if let Some(end) = (0..tokens.len()).find(|at| starts(&tokens[*at..], ": =")) {
        return 0..end;
    }
    // The word may come after another one: `pub struct`, `if let`.
    match tokens.iter().take(2).position(|token| token.is_any(WORDS)) {
        Some(word) if is(word, "let") => {
            let end = tokens.iter().position(|token| token.is_any("= : ;"));
            word + 1..end.unwrap_or(tokens.len()).max(word + 1)
        }
        Some(word) => word + 1..word + 2,
        None => 0..0,
    }
}

/// Whether a name only says where the next one comes from.
fn is_package(language: Language, name: &str, after: &[Token], names: &Names) -> bool {
    match language {
        Language::Go => names.packages.contains(name) && starts(after, "."),
        Language::Rust => name.starts_with(char::is_lowercase) && starts(after, ": :"),
    }
}

/// Words that say nothing of what a line does, or that an act stands for.
const SILENT: &str = "_ nil type case defer range make go send recv pub mut self move impl in as Ok Err \
    Some None";

fn name_keys(language: Language, name: &str, role: Role, names: &Names, keys: &mut Keys) {
    let common = common_name(language, name);
    if is_error(name) {
        add(keys, Key::Error, Role::default());
    } else if let Some(keyword) = names::keyword(&common) {
        add(keys, Key::Keyword(keyword), Role::default());
    } else if !SILENT.split_whitespace().any(|word| word == name) {
        add(keys, Key::Name(names.end(common)), role);
    }
}

fn text_keys(text: &str, keys: &mut Keys) {
    for piece in pieces(text) {
        // Whether a line is ended in its literal or by a call is no difference.
        let text = piece.trim().trim_end_matches("\\n").trim();
        if !text.is_empty() {
            add(keys, Key::Text(text.to_owned()), Role::default());
        }
        let words = text.split(|c: char| !c.is_alphanumeric());
        for word in words.filter(|word| word.chars().count() > 1) {
            add(keys, Key::Word(word.to_lowercase()), Role::default());
        }
    }
}

/// The pieces of a format string between its placeholders, `%03d` or `{name:?}`.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['%', '{']) {
        let (piece, placeholder) = rest.split_at(at);
        let length = match placeholder.strip_prefix('{') {
            Some(inner) => inner.find('}').map(|end| end + 2),
            None => {
                let verb = placeholder[1..].find(|c: char| !"0123456789+-# .".contains(c));
                verb.and_then(|verb| {
                    Some(1 + verb + placeholder[1 + verb..].chars().next()?.len_utf8())
                })
            }
        };
        pieces.push(piece);
        rest = &placeholder[length.unwrap_or(placeholder.len())..];
    }
    pieces.push(rest);
    pieces
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
        let names = Names::new(&lines);
        let tokens = &lines[2].tokens;
        let keys = keys(language, tokens, &names.acts(language, tokens), &names);
        let shown = keys.into_iter().map(|(key, role)| {
            let text = match key {
                Key::Name(name) => name.replace(' ', "_"),
                Key::Act(act, object) => format!("{act}:{object}"),
                Key::Error => "err".to_owned(),
                Key::End => "eof".to_owned(),
                Key::Number(number) => format!("#{number}"),
                Key::Text(text) => format!("\"{text}\""),
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
            ("net.Dial(a, 16)", "net::dial(a, 16)", "a dial() #16"),
            ("x <- true", "x.send(true)", "send() true x send:x()"),
            ("y := <-x", "let y = x.recv();", "recv() x y recv:x()"),
            (
                "c := make(chan int)",
                "let (c, d) = bounded(0);",
                "c make_chan()",
            ),
            (
                "buf := make([]byte, n)",
                "let buf = vec![0; n];",
                "buf make() n",
            ),
            ("if err != nil {", "Err(err) => {", "err()"),
            ("if err == io.EOF {", "Ok(0) => {", "eof"),
            ("if a == 0 {", "if a == 0 {", "a #0 [if]"),
            ("for range x {", "while x {", "x [for]"),
            ("m[k] = v", "room.m.insert(k, v);", "insert:m() k v"),
            ("conn.Write(b)", "conn.write_all(&b)", "write:con() b"),
            ("conn.Write(b)", "conn.send(&b)", "write:con() b"),
            ("f(\"login!\")", "F::Login(x)", "'login"),
            (
                "fmt.Printf(\"%s gone\\n\", a)",
                "f!(\"{a} gone\")",
                "\"gone\" 'gone",
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
    fn calls_are_distinguished_from_names() {
        assert_eq!(shown(Language::Go, "go f(x) // g()"), "f() go() x");
        assert_eq!(shown(Language::Rust, "a!(b) != c()"), "a() b c()");
        assert_eq!(shown(Language::Rust, "thread::spawn(d)"), "d go() go:d()");
    }

    #[test]
    fn format_strings_are_split_at_placeholders() {
        assert_eq!(pieces("a%sb%03d%%c%"), ["a", "b", "", "c", ""]);
        assert_eq!(pieces("100%的"), ["100", ""]);
        assert_eq!(pieces("a{}b{c:>3}{"), ["a", "b", "", ""]);
    }
}
