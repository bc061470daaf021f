//! How alike a Go line and a Rust line are.
//!
//! Each line is turned into a set of [`Key`]s: its names, in one case and by what both languages call
//! the same ([`names`](crate::sidebyside::read::names)), its literals, and the words of its strings. What both lines
//! have is *shared*.
//!
//! - **Two lines can be a pair only if they do the same.** What a line does is its [acts](crate::sidebyside::pair::acts):
//!   a send is no partner of a receive, nor a write of a shutdown. Where a listing does the same on two
//!   things, as with two channels, a line that does it on one is no partner of a line that does it on
//!   the other. If only one of two lines does anything, they must introduce the same variable or share
//!   a whole string.
//! - **And only if they share a name, a literal or a call.** Keywords and names of packages are not
//!   enough. If the Go line calls something that is no act, a single variable is not enough either: it takes a call,
//!   a literal, a variable that both introduce, or a second name. That both print something is not
//!   enough either: it takes a name, a word or `err`, which otherwise says nothing, because it is everywhere.
//! - The one exception is a line that has nothing but keywords (`for {`, `return`, `} else {`): it can be
//!   the partner of a line with the same keyword or its equivalent
//!   ([`KEYWORDS`](crate::sidebyside::read::names::KEYWORDS)), in the same function.
//! - A line in a function is no partner of one in ours unless that has the same name, or is called by the
//!   one with the same name.
//! - Lines that both have string literals are no pair if those are not alike, but for one letter or for
//!   more at one end. Lines that print may word it differently.
//! - Each key weighs the more, the fewer lines have it; a string literal that is shared whole, and an
//!   act on the same thing, weigh three times as much. Of the weight of all keys of two lines,
//!   what they share must be at least [`FLOOR`] percent, counted on both sides.
//! - How alike two lines are, for choosing among possible pairs, is the weight of what they share times
//!   that part. Lines in the same function are twice as alike, and a line of ours that does nothing is a
//!   quarter as alike to one that does something.
//!
//! Of ours, a statement that goes on over several lines counts as its first line.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::zip;

use crate::sidebyside::pair::acts::{Acts, Names, called};
use crate::sidebyside::pair::keys::{Key, Keys, Role, keys, keyword};
use crate::sidebyside::pair::statement::statements;
use crate::sidebyside::read::names::{is_act, snake_case};
use crate::sidebyside::read::source::Line;
use crate::sidebyside::read::tokens::{Language, Token};

/// The least part, in percent, that the shared keys must have in all keys of two lines.
const FLOOR: u32 = 20;

/// The keys of all lines of two sources, weighed.
pub struct Score {
    go: Vec<Side>,
    rust: Vec<Side>,
    functions: Vec<Vec<Functions>>,
    /// What each act of the listing is done on.
    objects: BTreeSet<(&'static str, String)>,
}

/// A line of either side.
struct Side {
    keys: Vec<Weighed>,
    acts: Acts,
    /// Its first word, if that is a keyword.
    starts: Option<&'static str>,
    /// Whether it is an arm of a match with a block.
    arm: bool,
}

struct Weighed {
    key: Key,
    role: Role,
    /// What it weighs where both lines have it, and where one has it alone.
    shared: u32,
    alone: u32,
}

impl Score {
    /// Weighs the keys of two sources.
    pub fn new(go: &[Line], rust: &[Line]) -> Score {
        let go_code: Vec<Vec<Token>> = go.iter().map(|line| line.code().to_vec()).collect();
        let rust_code = statements(rust);
        let (go_acts, go_keys) = acts_and_keys(Language::Go, go, &go_code);
        let (rust_acts, rust_keys) = acts_and_keys(Language::Rust, rust, &rust_code);
        let mut lines_with: BTreeMap<&Key, usize> = BTreeMap::new();
        for key in go_keys.iter().chain(&rust_keys).flat_map(BTreeMap::keys) {
            *lines_with.entry(key).or_default() += 1;
        }
        let total = go_keys.len() + rust_keys.len();
        let side = |(tokens, (keys, acts)): (&Vec<Token>, (&Keys, Acts))| Side {
            starts: keyword(tokens),
            arm: tokens.ends_with(&[Token::Mark("="), Token::Mark(">"), Token::Mark("{")]),
            keys: keys
                .iter()
                .map(|(key, role)| weigh(key, *role, total / lines_with[key]))
                .collect(),
            acts,
        };
        let listed: BTreeSet<&str> = go.iter().filter_map(|l| l.function.as_deref()).collect();
        let callers = callers(rust);
        let functions = |go| {
            let rust = rust.iter();
            rust.map(|rust| functions(go, rust, &listed, &callers))
                .collect()
        };
        let objects = go_acts.iter().flatten();
        let objects = objects.filter_map(|(act, object)| Some((*act, object.clone()?)));
        Score {
            objects: objects.collect(),
            functions: go.iter().map(functions).collect(),
            go: zip(&go_code, zip(&go_keys, go_acts)).map(side).collect(),
            rust: zip(&rust_code, zip(&rust_keys, rust_acts))
                .map(side)
                .collect(),
        }
    }

    /// How alike a Go line and a Rust line are; 0 where they cannot be a pair.
    pub fn similarity(&self, go: usize, rust: usize) -> u32 {
        let functions = self.functions[go][rust];
        let (go, rust) = (&self.go[go], &self.rust[rust]);
        let find = |side: &Side, key: &Key| {
            let at = side.keys.binary_search_by(|w| w.key.cmp(key)).ok()?;
            Some(side.keys[at].role)
        };
        let (mut shared, mut alone) = (0, 0);
        let mut evidence = Evidence::default();
        for w in &go.keys {
            match find(rust, &w.key) {
                Some(role) => {
                    shared += w.shared;
                    evidence.add(&w.key, w.role, role);
                }
                None => alone += w.alone,
            }
        }
        alone += rust
            .keys
            .iter()
            .filter(|w| find(go, &w.key).is_none())
            .map(|w| w.alone)
            .sum::<u32>();
        let same = functions == Functions::Same;
        let acted = self.acted(&go.acts, &rust.acts);
        let enough = match acted {
            _ if functions == Functions::Apart => false,
            Acted::Differently => evidence.same_thing,
            Acted::Alike => same || evidence.names > 1 || evidence.strong || evidence.words > 0,
            Acted::Printed => {
                evidence.names > 1 || evidence.words > 0 || evidence.error || evidence.strong
            }
            Acted::Opposed => false,
            Acted::Not if is_bare(go) => same && (evidence.keyword || leaves(go, rust)),
            Acted::Not if go.keys.iter().any(|w| w.role.called) => {
                evidence.strong || evidence.names > 0 && evidence.names + evidence.words > 1
            }
            // An arm of a match does nothing but name what it has found.
            Acted::Not if rust.arm => evidence.strong || evidence.eof,
            Acted::Not => evidence.strong || evidence.eof || evidence.names > 0,
        };
        let prints = go.acts.contains_key("print") && rust.acts.contains_key("print");
        let all = 2 * shared + alone;
        let floor = leaves(go, rust) || 200 * shared >= FLOOR * all;
        if !enough || !floor || !prints && clash(go, rust) {
            return 0;
        }
        let alike = match acted {
            Acted::Differently => 5 * shared * shared / all,
            _ => 20 * shared * shared / all,
        };
        let alike = if same { 2 * alike } else { alike };
        alike.max(1)
    }

    /// How what two lines do goes together.
    fn acted(&self, go: &Acts, rust: &Acts) -> Acted {
        // Whether there is an error is asked of something that is done.
        let does = |acts: &Acts| acts.keys().any(|act| *act != "err");
        let mut opposed = false;
        let mut acted = Acted::Differently;
        for (act, object) in go.iter().filter(|(act, _)| **act != "err") {
            let Some(other) = rust.get(act) else {
                continue;
            };
            let of_another = |other: &String| {
                object.as_ref().is_some_and(|object| object != other)
                    && self.objects.contains(&(*act, other.clone()))
            };
            if other.as_ref().is_some_and(of_another) {
                opposed = true;
            } else if *act != "print" {
                acted = Acted::Alike;
            } else if acted == Acted::Differently {
                acted = Acted::Printed;
            }
        }
        match (does(go), does(rust)) {
            (false, false) => Acted::Not,
            (true, true) if acted == Acted::Differently => Acted::Opposed,
            _ if opposed && acted == Acted::Differently => Acted::Opposed,
            _ => acted,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Acted {
    /// Neither does anything.
    Not,
    /// One does something, and the other does nothing.
    Differently,
    /// Both print, and do nothing else in common.
    Printed,
    /// Both do the same.
    Alike,
    /// They do different things, or the same on different things.
    Opposed,
}

fn acts_and_keys(
    language: Language,
    lines: &[Line],
    statements: &[Vec<Token>],
) -> (Vec<Acts>, Vec<Keys>) {
    let names = Names::new(language, lines);
    let both = statements.iter().map(|tokens| {
        let acts = names.acts(language, tokens);
        let keys = keys(language, tokens, &acts, &names);
        (acts, keys)
    });
    both.unzip()
}

/// Whether a line has nothing but keywords.
fn is_bare(side: &Side) -> bool {
    side.keys.iter().all(|w| matches!(w.key, Key::Keyword(_)))
}

/// Whether two lines are a bare `return`, `break` or `else` and one of ours that starts with it, whatever
/// it returns or asks.
fn leaves(go: &Side, rust: &Side) -> bool {
    let starts = rust
        .starts
        .filter(|word| matches!(*word, "return" | "break" | "else"));
    is_bare(go) && starts.is_some() && go.starts == starts && rust.acts.is_empty()
}

/// Whether two lines both have string literals, and none of one is like one of the other.
fn clash(go: &Side, rust: &Side) -> bool {
    fn texts(side: &Side) -> impl Iterator<Item = &String> + Clone {
        side.keys.iter().filter_map(|w| match &w.key {
            Key::Text(text) => Some(text),
            _ => None,
        })
    }
    let any_like = texts(go).any(|go| texts(rust).any(|rust| like(go, rust)));
    texts(go).count() > 0 && texts(rust).count() > 0 && !any_like
}

/// Whether a text is within another, but for one letter in the middle.
fn like(a: &str, b: &str) -> bool {
    let same =
        |pairs: &mut dyn Iterator<Item = (char, char)>| pairs.take_while(|(a, b)| a == b).count();
    let start = same(&mut a.chars().zip(b.chars()));
    let end = same(&mut a.chars().rev().zip(b.chars().rev()));
    let shorter = a.chars().count().min(b.chars().count());
    a.contains(b) || b.contains(a) || start + end + 1 >= shorter && shorter > 2
}

/// What two lines share, by how much it says.
#[derive(Default)]
struct Evidence {
    /// A call, a literal, or a variable that both introduce.
    strong: bool,
    /// A variable that both introduce, or a string.
    same_thing: bool,
    names: usize,
    words: usize,
    error: bool,
    eof: bool,
    keyword: bool,
}

impl Evidence {
    fn add(&mut self, key: &Key, go: Role, rust: Role) {
        let introduced = go.introduced && rust.introduced;
        match key {
            Key::Text(text) => {
                self.strong = true;
                self.same_thing |= text.chars().count() > 2;
            }
            Key::Number(number) if number.len() > 1 => self.strong = true,
            Key::Name(name) if is_act(name) => self.names += 1,
            Key::Name(name) if name == "eof" => self.eof = true,
            Key::Name(_) if introduced => {
                self.strong = true;
                self.same_thing = true;
            }
            Key::Name(_) if go.called && rust.called => self.strong = true,
            Key::Act(..) => self.strong = true,
            Key::Name(_) | Key::Number(_) => self.names += 1,
            Key::Error => self.error = true,
            Key::Word(_) => self.words += 1,
            Key::Keyword(_) => self.keyword = true,
            Key::Package(_) => {}
        }
    }
}

/// How the functions that two lines stand in stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Functions {
    /// They have the same name, or both lines are in none.
    Same,
    /// Ours is called by the one that has the same name, or one of the lines is in none.
    Near,
    /// Ours has to do with another function of the listing, or with none.
    Apart,
}

/// For each function of ours those that call it, and those that call them.
fn callers(rust: &[Line]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut callers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for function in rust.iter().filter_map(|line| line.function.as_deref()) {
        callers.entry(function).or_default();
    }
    for line in rust {
        let Some(caller) = line.function.as_deref() else {
            continue;
        };
        for called in (0..line.tokens.len()).filter_map(|at| called(&line.tokens, at)) {
            if let Some(callers) = callers.get_mut(&snake_case(called)[..]) {
                callers.insert(caller);
            }
        }
    }
    loop {
        let of = |function| callers.get(function).into_iter().flatten().copied();
        let more: Vec<(&str, BTreeSet<&str>)> = callers
            .iter()
            .map(|(function, by)| {
                (
                    *function,
                    by.iter().flat_map(|caller| of(*caller)).collect(),
                )
            })
            .collect();
        let before: usize = callers.values().map(BTreeSet::len).sum();
        for (function, by) in more {
            callers.entry(function).or_default().extend(by);
        }
        if callers.values().map(BTreeSet::len).sum::<usize>() == before {
            return callers;
        }
    }
}

fn functions(
    go: &Line,
    rust: &Line,
    listed: &BTreeSet<&str>,
    callers: &BTreeMap<&str, BTreeSet<&str>>,
) -> Functions {
    // Go's `main` may be `run` here, where a program's `main` does no more than read its options.
    let same = |go: &str, rust: &str| go == rust || (go, rust) == ("main", "run");
    match (go.function.as_deref(), rust.function.as_deref()) {
        (Some(go), Some(rust)) if same(go, rust) => Functions::Same,
        (None, None) => Functions::Same,
        (Some(go), Some(rust)) if !listed.contains(rust) => {
            let mut by = callers.get(rust).into_iter().flatten();
            match by.any(|caller| same(go, caller)) {
                true => Functions::Near,
                false => Functions::Apart,
            }
        }
        (Some(_), Some(_)) => Functions::Apart,
        _ => Functions::Near,
    }
}

/// One more for each halving of the lines that have the key; `rarity` is all lines through those.
fn weigh(key: &Key, role: Role, rarity: usize) -> Weighed {
    let weight = 1 + rarity.max(1).ilog2();
    let (shared, alone) = match key {
        Key::Name(_) | Key::Error | Key::Number(_) => (weight, weight),
        Key::Act(..) => (3 * weight, 0),
        Key::Text(_) => (3 * weight, weight),
        Key::Word(_) | Key::Package(_) => (weight.div_ceil(2), weight.div_ceil(2)),
        Key::Keyword(_) => (1, 1),
    };
    Weighed {
        key: key.clone(),
        role,
        shared,
        alone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::read::source::read;

    fn similarity(go: &str, rust: &str) -> u32 {
        let (go, rust) = (
            read(Language::Go, "", go, 1),
            read(Language::Rust, "", rust, 1),
        );
        Score::new(&go, &rust).similarity(0, 0)
    }

    #[test]
    fn pairs_share_a_name_a_literal_or_a_call() {
        for (go, rust) in [
            (
                "onlineMap[netAddr] = clnt",
                "online_map.lock().insert(net_addr, clnt);",
            ),
            ("msg := <-message", "while let Ok(msg) = message.recv() {"),
            ("buf := make([]byte, 4096)", "let mut buf = [0; 4096];"),
            ("x(\"say %s twice\")", "y(\"say {a} twice\");"),
            ("go write(c)", "thread::spawn(move || write(c));"),
            (
                "fmt.Printf(\"%s gone\\n\", clnt.Name)",
                "log::info!(\"{} gone\", clnt.name);",
            ),
            ("x = addr", "g!(\"{addr}: no\")"),
            (
                "if _, err := c.Write(b); err != nil {",
                "if let Err(err) = c.write_all(b) {",
            ),
        ] {
            assert!(similarity(go, rust) > 0, "{go} / {rust}");
        }
    }

    #[test]
    fn keywords_brackets_comments_and_imports_make_no_pair() {
        for (go, rust) in [
            ("if a == b {", "if c == d {"),
            ("for {", "for x in y {"),
            ("}", "}"),
            ("// conn", "// conn"),
            ("import \"net\"", "use net;"),
            ("a(\"b\")", "c(\"d\");"),
            ("_ = x", "let _ = y;"),
        ] {
            let functions = [format!("func f() {{\n{go}"), format!("fn g() {{\n{rust}")];
            let (go, rust) = (
                read(Language::Go, "", &functions[0], 1),
                read(Language::Rust, "", &functions[1], 1),
            );
            assert_eq!(Score::new(&go, &rust).similarity(1, 1), 0, "{functions:?}");
        }
    }

    #[test]
    fn other_words_are_another_line() {
        assert_eq!(
            similarity("send(clnt, \"login\")", "send(clnt, b\"logout\")"),
            0
        );
        assert!(similarity("fmt.Println(\"no\", err)", "warn!(\"cannot: {err}\")") > 0);
        assert!(like("reame|", "rename|") && like("|", "rename|") && like("who", "who"));
        assert!(!like("login", "logout") && !like("a", "b") && !like("no", "on"));
    }

    #[test]
    fn a_bare_keyword_pairs_within_functions_of_one_name() {
        let go = read(
            Language::Go,
            "",
            "func recvFile() {\n\tfor {\n\t\treturn\n",
            1,
        );
        let rust = read(
            Language::Rust,
            "",
            "fn recv_file() {\n    loop {\n        break;\n",
            1,
        );
        let score = Score::new(&go, &rust);
        assert!(score.similarity(1, 1) > 0 && score.similarity(2, 2) > 0);
        assert_eq!((score.similarity(1, 2), score.similarity(2, 1)), (0, 0));
    }

    #[test]
    fn literals_and_acts_weigh_more_than_names_and_rare_names_more_than_common_ones() {
        let go = read(Language::Go, "", "conn.Write(\"okay\")\nf(c, d)\n", 1);
        let rust = read(
            Language::Rust,
            "",
            "say(\"okay\")\nconn.write(x)\nconn.a()\nf(c)\nf(d)\ng(d)\n",
            1,
        );
        let score = Score::new(&go, &rust);
        let found: Vec<_> = (0..3).map(|line| score.similarity(0, line)).collect();
        assert!(found[0] > 0 && found[1] > 0 && found[2] == 0, "{found:?}");
        let found: Vec<_> = (3..6).map(|line| score.similarity(1, line)).collect();
        assert!(found[0] > found[1] && found[1] > found[2], "{found:?}");
    }

    #[test]
    fn lines_that_do_different_things_are_no_pair() {
        let go = "type C struct {\n\tout chan int\n\tdone chan bool\n}\nfunc f() {\n";
        let rust = "fn f() {\n    let (out, outs) = bounded(0);\n    ";
        for (go_line, rust_line, pair) in [
            ("c.out <- msg", "c.out.send(msg);", true),
            ("c.out <- msg", "room.send(msg);", true),
            ("c.out <- msg", "let msg = outs.recv();", false),
            ("c.out <- msg", "done.send(msg);", false),
            ("msg := <-c.out", "let msg = outs.recv();", true),
            (
                "for msg := range c.out {",
                "recv(outs) -> msg => msg,",
                true,
            ),
            ("for msg := range c.out {", "outs.send(msg);", false),
            ("conn.Write(msg)", "conn.write_all(&msg);", true),
            ("conn.Write(msg)", "conn.shutdown(msg);", false),
            ("conn.Read(msg)", "conn.write_all(&msg);", false),
            ("m[c] = msg", "m.lock().insert(c, msg);", true),
            ("delete(m, c)", "m.lock().insert(c, msg);", false),
            ("go w(c)", "s.go(\"w\", || w(c));", true),
            ("go w(c)", "w(c);", false),
        ] {
            let (go, rust) = (format!("{go}{go_line}"), format!("{rust}{rust_line}"));
            let go = read(Language::Go, "", &format!("{go}\ndone <- x\n"), 1);
            let score = Score::new(&go, &read(Language::Rust, "", &rust, 1));
            assert_eq!(score.similarity(5, 2) > 0, pair, "{go_line} / {rust_line}");
        }
    }

    #[test]
    fn a_closure_that_becomes_a_thread_is_paired_where_it_is_made() {
        let go = read(Language::Go, "", "func f() {\n\tgo func() {\n", 1);
        let rust = "fn f() {\n    let work = move || {\n        x();\n    };\n    spawn(work)?;\n";
        let score = Score::new(&go, &read(Language::Rust, "", rust, 1));
        assert!(score.similarity(1, 1) > score.similarity(1, 4));
    }

    #[test]
    fn a_statement_counts_as_its_first_line() {
        let go = read(Language::Go, "", "conn.Write(buf)\n", 1);
        let rust = "conn\n    .write_all(\n        &buf,\n    )\n    .ok();\nbuf.x();\n";
        let score = Score::new(&go, &read(Language::Rust, "", rust, 1));
        let found: Vec<_> = (0..6).map(|line| score.similarity(0, line) > 0).collect();
        assert_eq!(found, [true, false, false, false, false, false]);
    }
}
