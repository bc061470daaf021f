//! What a line does, and on what: sends on `message`, reads from `conn`, starts a thread.
//!
//! Lines that do different things are no pair, however alike their names are.

use std::collections::{BTreeMap, BTreeSet};

use crate::sidebyside::pair::idioms::{is_error_check, makes_array};
use crate::sidebyside::read::names::{ACTS, common_name, snake_case};
use crate::sidebyside::read::source::Line;
use crate::sidebyside::read::tokens::{Language, Token};

/// The acts of a line by their Go names, each with the name of what it acts on, where that is known.
pub type Acts = BTreeMap<&'static str, Option<String>>;

/// What lines elsewhere in a source say about its names.
#[derive(Debug, Default)]
pub struct Names {
    /// The packages that a Go program imports, by the names that it calls them.
    pub packages: BTreeSet<String>,
    /// Go's channels, to tell a range over one from other loops.
    channels: BTreeSet<String>,
    /// Of the two names that Rust has for a channel, the second with the first.
    ends: BTreeMap<String, String>,
    /// Closures of ours that are made in one line and become a thread in another.
    threads: BTreeSet<String>,
}

impl Names {
    pub fn new(language: Language, lines: &[Line]) -> Names {
        let mut names = Names::default();
        let mut closures = BTreeSet::new();
        for line in lines {
            let all: Vec<&str> = line.names().collect();
            match language {
                Language::Go => {
                    if all.contains(&"chan") {
                        let name = all.iter().find(|name| **name != "var");
                        names.channels.extend(name.map(|name| snake_case(name)));
                    }
                    names.packages.extend(line.imported().map(str::to_owned));
                }
                Language::Rust => {
                    if let ["let", sender, receiver, "bounded" | "unbounded", ..] = all[..] {
                        let (sender, receiver) = (snake_case(sender), snake_case(receiver));
                        names.ends.insert(receiver, sender);
                    }
                    if let Some(name) = closure(&line.tokens) {
                        closures.insert(snake_case(name));
                    }
                    if all.iter().any(|name| matches!(*name, "go" | "spawn")) {
                        names.threads.extend(all.into_iter().map(snake_case));
                    }
                }
            }
        }
        names.threads.retain(|name| closures.contains(name));
        names
    }

    /// A name of ours as the listing may have it: a channel has one name there.
    pub fn end(&self, name: String) -> String {
        self.ends.get(&name).cloned().unwrap_or(name)
    }

    /// The acts of a statement.
    pub fn acts(&self, language: Language, tokens: &[Token]) -> Acts {
        let mut acts = Acts::new();
        for at in 0..tokens.len() {
            let act = match language {
                Language::Go => self.go_act(tokens, at),
                Language::Rust => called(tokens, at).map(|name| rust_act(name, tokens, at)),
            };
            if let Some((act, object)) = act
                && let Some((act, on)) = ACTS.iter().find(|(known, _)| *known == act)
            {
                let object = object.filter(|_| *on);
                let object = object.map(|object| self.end(snake_case(object)));
                let known = acts.entry(act).or_insert(None);
                *known = known.take().or(object);
            }
        }
        if is_error_check(language, tokens) {
            acts.insert("err", None);
        }
        if language == Language::Rust {
            if makes_array(tokens) {
                acts.insert("make", None);
            }
            // A closure that becomes a thread further down stands where Go's `go func()` does.
            let is_thread = |name: &str| self.threads.contains(&snake_case(name));
            let mut names = tokens.iter().filter_map(name);
            if closure(tokens).is_some_and(is_thread) {
                acts.insert("go", None);
            } else if names.any(is_thread) {
                acts.remove("go");
            }
        }
        acts
    }

    fn go_act<'a>(&self, tokens: &'a [Token], at: usize) -> Option<(String, Option<&'a str>)> {
        let path = |at: usize| last_of_path(tokens, at);
        match &tokens[at] {
            Token::Mark("<-") => match at.checked_sub(1).map(|before| &tokens[before]) {
                Some(Token::Name(name)) if !matches!(&name[..], "case" | "return") => {
                    Some(("send".to_owned(), Some(name)))
                }
                _ => Some(("recv".to_owned(), path(at + 1))),
            },
            Token::Name(name) if name == "range" => {
                let over = path(at + 1)?;
                let channel = self.channels.contains(&snake_case(over));
                channel.then(|| ("recv".to_owned(), Some(over)))
            }
            Token::Name(name) if name == "go" || name == "select" => Some((name.clone(), None)),
            Token::Name(name) if name == "make" && is_name(tokens.get(at + 2), "chan") => {
                Some(("make chan".to_owned(), None))
            }
            Token::Name(name) if tokens.get(at + 1) == Some(&Token::Mark("[")) => {
                let end = tokens.iter().position(|t| *t == Token::Mark("]"))?;
                let assigned = tokens.get(end + 1) == Some(&Token::Mark("="));
                let assigned = assigned && tokens.get(end + 2) != Some(&Token::Mark("="));
                assigned.then(|| ("insert".to_owned(), Some(&name[..])))
            }
            _ => {
                let name = called(tokens, at)?;
                let object = object(tokens, at).filter(|o| !self.packages.contains(*o));
                Some((common_name(Language::Go, name), object))
            }
        }
    }
}

fn rust_act<'a>(name: &str, tokens: &'a [Token], at: usize) -> (String, Option<&'a str>) {
    // Sockets, too, send and receive: bytes, which are borrowed.
    let bytes = matches!(
        tokens.get(at + 2),
        Some(Token::Mark("&" | "*") | Token::Text(_))
    );
    let act = match name {
        "send" if bytes => "write".to_owned(),
        "recv" if bytes => "read".to_owned(),
        _ => common_name(Language::Rust, name),
    };
    (act, object(tokens, at))
}

/// The name at a place, if it is called there, as a function or as a macro.
pub fn called(tokens: &[Token], at: usize) -> Option<&str> {
    let Token::Name(name) = &tokens[at] else {
        return None;
    };
    let defined = at > 0
        && ["fn", "func"]
            .iter()
            .any(|word| is_name(tokens.get(at - 1), word));
    let call = matches!(
        tokens[at + 1..],
        [Token::Mark("("), ..] | [Token::Mark("!"), Token::Mark("(" | "[" | "{"), ..]
    );
    (call && !defined).then_some(name)
}

/// What a call at a place acts on: the name before its full stop, or else its first argument.
fn object(tokens: &[Token], at: usize) -> Option<&str> {
    let mut before = at.checked_sub(1)?;
    if tokens[before] != Token::Mark(".") {
        let argument = tokens[at + 1..].iter().find_map(|token| match token {
            Token::Name(name) if name != "mut" => Some(Some(&name[..])),
            Token::Mark("(" | "&" | "*") | Token::Name(_) => None,
            _ => Some(None),
        });
        return argument.flatten();
    }
    // Back over calls: `online_map.lock().insert(..)` acts on `online_map`.
    let mut depth = 0;
    loop {
        before = before.checked_sub(1)?;
        match &tokens[before] {
            Token::Mark(")") => depth += 1,
            Token::Mark("(") if depth > 0 => depth -= 1,
            Token::Mark("(") => return None,
            Token::Name(name) if depth == 0 && called(tokens, before).is_none() => {
                return Some(name);
            }
            _ => {}
        }
    }
}

/// The last name of a path that starts at a place: `C` of `clnt.C`.
fn last_of_path(tokens: &[Token], at: usize) -> Option<&str> {
    let Some(Token::Name(name)) = tokens.get(at) else {
        return None;
    };
    match tokens.get(at + 1) {
        Some(Token::Mark(".")) => last_of_path(tokens, at + 2),
        Some(Token::Mark("(")) => None,
        _ => Some(name),
    }
}

/// The name of a closure that a statement makes: `let f = move || {`.
pub fn closure(tokens: &[Token]) -> Option<&str> {
    let bars = tokens.iter().take(5).any(|t| *t == Token::Mark("|"));
    match tokens {
        [Token::Name(word), Token::Name(name), Token::Mark("="), ..] if bars && word == "let" => {
            Some(name)
        }
        _ => None,
    }
}

fn name(token: &Token) -> Option<&str> {
    match token {
        Token::Name(name) => Some(name),
        _ => None,
    }
}

fn is_name(token: Option<&Token>, name: &str) -> bool {
    token.and_then(self::name) == Some(name)
}
