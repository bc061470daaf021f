//! What a line does, and on what: sends on `message`, reads from `conn`, starts a thread.
//!
//! Lines that do different things are no pair, however alike their names are.

use std::collections::{BTreeMap, BTreeSet};

use crate::sidebyside::read::names::{act, common_name, snake_case};
use crate::sidebyside::read::source::{Kind, Line};
use crate::sidebyside::read::tokens::{Language, Token, has, starts};

/// The acts of a line by their Go names, each with the name of what it acts on, where that is known.
pub type Acts = BTreeMap<&'static str, Option<String>>;

/// What lines elsewhere in a source say about its names.
#[derive(Default)]
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
    pub fn new(lines: &[Line]) -> Names {
        let mut names = Names::default();
        let mut closures = BTreeSet::new();
        for line in lines {
            let all: Vec<&str> = line.names().collect();
            for token in line.tokens.iter().filter(|_| line.kind == Kind::Import) {
                if let Token::Text(path) = token {
                    let package = path.rsplit('/').next();
                    names.packages.extend(package.map(str::to_owned));
                }
            }
            if let ["var", name, ..] | [name, ..] = all[..]
                && line.has("chan")
            {
                names.channels.insert(snake_case(name));
            }
            if let ["let", sender, receiver, "bounded" | "unbounded", ..] = all[..] {
                names.ends.insert(snake_case(receiver), snake_case(sender));
            }
            closures.extend(closure(&line.tokens).map(snake_case));
            if line.has("go") || line.has("spawn") {
                names.threads.extend(all.into_iter().map(snake_case));
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
            let found = match language {
                Language::Go => self.go_act(tokens, at),
                Language::Rust => called(tokens, at)
                    .map(|name| (rust_act(name, &tokens[at..]), object(tokens, at))),
            };
            if let Some((act, object)) = found.and_then(|(name, on)| Some((act(&name)?, on))) {
                let known = acts.entry(act).or_insert(None);
                *known = known.take().or(object.map(|o| self.end(snake_case(o))));
            }
        }
        if has(tokens, "[ 0 ;") {
            acts.insert("make", None);
        }
        // A closure that becomes a thread further down stands where Go's `go func()` does.
        let is_thread = |name: &str| self.threads.contains(&snake_case(name));
        if closure(tokens).is_some_and(is_thread) {
            acts.insert("go", None);
        } else if tokens.iter().filter_map(Token::name).any(is_thread) {
            acts.remove("go");
        }
        acts
    }

    fn go_act<'a>(&self, tokens: &'a [Token], at: usize) -> Option<(String, Option<&'a str>)> {
        let before = at.checked_sub(1).and_then(|before| tokens[before].name());
        let after = &tokens[at + 1..];
        let act = |name: &str, object| Some((name.to_owned(), object));
        if tokens[at].is("<-") {
            return match before.filter(|name| !matches!(*name, "case" | "return")) {
                Some(channel) => act("send", Some(channel)),
                None => act("recv", last_of_path(after)),
            };
        }
        let name = tokens[at].name()?;
        let assigned = after.iter().position(|token| token.is("]"));
        let assigned = assigned.map_or(&after[..0], |end| &after[end + 1..]);
        match name {
            "range" => {
                let channel = last_of_path(after).map(snake_case);
                let channel = channel.is_some_and(|channel| self.channels.contains(&channel));
                act(if channel { "recv" } else { "" }, last_of_path(after))
            }
            "go" | "select" => act(name, None),
            "make" if starts(after, "( chan") => act("make chan", None),
            _ if starts(after, "[") && starts(assigned, "=") && !starts(assigned, "= =") => {
                act("insert", Some(name))
            }
            _ => {
                let name = common_name(Language::Go, called(tokens, at)?);
                act(&name, object(tokens, at))
            }
        }
    }
}

fn rust_act(name: &str, call: &[Token]) -> String {
    // Sockets, too, send and receive: bytes, which are borrowed.
    let argument = call.get(2);
    let borrowed = argument.is_some_and(|a| a.is("&") || a.is("*") || matches!(a, Token::Text(_)));
    match name {
        "send" if borrowed => "write".to_owned(),
        "recv" if borrowed => "read".to_owned(),
        _ => common_name(Language::Rust, name),
    }
}

/// The name at a place, if it is called there, as a function or as a macro.
pub fn called(tokens: &[Token], at: usize) -> Option<&str> {
    let defined = at > 0 && (tokens[at - 1].is("fn") || tokens[at - 1].is("func"));
    let after = &tokens[at + 1..];
    let opens = after.get(1).is_some_and(|token| token.is_any("( [ {"));
    let call = starts(after, "(") || starts(after, "!") && opens;
    tokens[at].name().filter(|_| call && !defined)
}

/// What a call at a place acts on: the name before its full stop, or else its first argument.
fn object(tokens: &[Token], at: usize) -> Option<&str> {
    let before = at.checked_sub(1)?;
    if !tokens[before].is(".") {
        let mut arguments = tokens[at + 1..].iter();
        return arguments.find(|token| !token.is_any("( & * mut"))?.name();
    }
    tokens[before.checked_sub(1)?].name()
}

/// The last name of a path at the start of tokens: `C` of `clnt.C`. None if that is called.
fn last_of_path(tokens: &[Token]) -> Option<&str> {
    let name = tokens.first()?.name()?;
    match tokens.get(1) {
        Some(token) if token.is(".") => last_of_path(&tokens[2..]),
        Some(token) if token.is("(") => None,
        _ => Some(name),
    }
}

/// The name of a closure that a statement makes: `let f = move || {`.
pub fn closure(tokens: &[Token]) -> Option<&str> {
    let bars = tokens.iter().take(5).any(|token| token.is("|"));
    let made = bars && starts(tokens, "let") && tokens[2].is("=");
    tokens.get(1)?.name().filter(|_| made)
}
