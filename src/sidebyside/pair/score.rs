//! How alike a Go line and a Rust line are.
//!
//! Each line is turned into a set of [`Key`]s: its names, by what both languages call the same, its
//! literals, and the words of its strings. What both lines have is *shared*.
//!
//! - **Two lines can be a pair only if they do the same.** What a line does is its
//!   [acts](crate::sidebyside::pair::acts): a send is no partner of a receive, nor a write of a shutdown.
//!   Where a listing does the same on two things, such as two channels, the two lines must do it on the
//!   same one. If only one of two lines does anything, they must introduce the same variable or share a
//!   whole string.
//! - **And only if they share a name, a literal or a call.** Keywords are not enough. If the Go line calls
//!   something that is no act, one variable is not enough either: it takes a call, a literal, a variable
//!   that both introduce, or a second name. Nor is it enough that both print: it takes a name, a word or
//!   `err`, which is evidence of nothing else.
//! - What defines a function is a partner only of what defines one.
//! - A line of nothing but keywords (`for {`, `return`, `} else {`) can be the partner of a line with the
//!   same keyword or its equivalent, in the same function.
//! - A line in a function is a partner only of a line in a function of ours that has the same name, or that
//!   is called by the one with the same name. Go's `main` may be our `run`.
//! - Lines that both have string literals are no pair if those are not alike, but for one letter or for
//!   more at one end. Lines that print may word it differently.
//! - A key weighs more, the fewer lines have it. A string literal that is shared whole, and an act on the
//!   same thing, weigh three times as much. What two lines share must be at least [`FLOOR`] percent of the
//!   weight of all their keys.
//! - How alike two lines are, for choosing among possible pairs, is the weight of what they share times
//!   that part. Lines in the same function are twice as alike. If only one of two lines does anything,
//!   they are a quarter as alike.
//!
//! A statement of ours that goes on over several lines counts as its first line.

use std::collections::{BTreeMap, BTreeSet};

use crate::sidebyside::pair::acts::{Acts, Names, called};
use crate::sidebyside::pair::keys::{Key, Keys, Role, keys, keyword};
use crate::sidebyside::pair::statement::statements;
use crate::sidebyside::read::names::{act, snake_case};
use crate::sidebyside::read::source::Line;
use crate::sidebyside::read::tokens::{Language, Token, has, starts};

/// The least part, in percent, that the shared keys must have in all keys of two lines.
const FLOOR: u32 = 20;

/// The keys of all lines of two sources, weighed.
pub struct Score<'a> {
    go: Vec<Side<'a>>,
    rust: Vec<Side<'a>>,
    /// How many halvings of all lines it takes to come to those that have a key.
    rarity: BTreeMap<Key, u32>,
    /// What each act of the listing is done on.
    objects: BTreeSet<(&'static str, String)>,
    /// The functions of the listing, and for each of ours those that call it.
    listed: BTreeSet<&'a str>,
    callers: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

/// A line of either side.
struct Side<'a> {
    keys: Keys,
    acts: Acts,
    function: Option<&'a str>,
    /// Its first word, if that is a keyword.
    starts: Option<&'static str>,
    /// Whether it is an arm of a match with a block.
    arm: bool,
    /// Whether it defines a function that has a name.
    defines: bool,
}

impl<'a> Score<'a> {
    pub fn new(go: &'a [Line], rust: &'a [Line]) -> Score<'a> {
        let code = |line: &Line| match line.is_code() {
            true => line.tokens.clone(),
            false => Vec::new(),
        };
        let go_sides = sides(Language::Go, go, go.iter().map(code).collect());
        let rust_sides = sides(Language::Rust, rust, statements(rust));
        let both = || go_sides.iter().chain(&rust_sides);
        let mut lines_with: BTreeMap<Key, usize> = BTreeMap::new();
        for key in both().flat_map(|side| side.keys.keys()) {
            *lines_with.entry(key.clone()).or_default() += 1;
        }
        let total = both().count();
        let rarity = |(key, lines): (Key, usize)| (key, 1 + (total / lines).ilog2());
        let objects = go_sides.iter().flat_map(|side| &side.acts);
        let objects = objects.filter_map(|(act, object)| Some((*act, object.clone()?)));
        Score {
            rarity: lines_with.into_iter().map(rarity).collect(),
            objects: objects.collect(),
            listed: go
                .iter()
                .filter_map(|line| line.function.as_deref())
                .collect(),
            callers: callers(rust),
            go: go_sides,
            rust: rust_sides,
        }
    }

    /// How alike a Go line and a Rust line are; 0 where they cannot be a pair.
    pub fn similarity(&self, go: usize, rust: usize) -> u32 {
        let (go, rust) = (&self.go[go], &self.rust[rust]);
        let Some(same) = self.functions(go.function, rust.function) else {
            return 0;
        };
        let (mut shared, mut alone) = (0, 0);
        let mut evidence = Evidence::default();
        for (key, role) in &go.keys {
            let (together, apart) = self.weight(key);
            match rust.keys.get(key) {
                Some(other) => {
                    shared += together;
                    evidence.add(key, *role, *other);
                }
                None => alone += apart,
            }
        }
        let missing = rust.keys.keys().filter(|key| !go.keys.contains_key(key));
        alone += missing.map(|key| self.weight(key).1).sum::<u32>();
        let all = 2 * shared + alone;

        let bare = go.keys.keys().all(|key| matches!(key, Key::Keyword(_)));
        let leaves = bare && go.leaves() && go.starts == rust.starts && rust.acts.is_empty();
        let acted = self.acted(&go.acts, &rust.acts);
        let enough = match acted {
            Acted::Opposed => false,
            Acted::Differently => evidence.same_thing,
            Acted::Alike => same || evidence.strong || evidence.weak > 1,
            Acted::Printed => evidence.strong || evidence.weak > 1 || evidence.error,
            Acted::Not if bare => same && (evidence.keyword || leaves),
            Acted::Not => {
                let calls = go.keys.values().any(|role| role.called);
                // An arm of a match does nothing but name what it has found.
                let names = if rust.arm {
                    usize::MAX
                } else {
                    1 + usize::from(calls)
                };
                evidence.strong || evidence.weak >= names
            }
        };
        let prints = go.acts.contains_key("print") && rust.acts.contains_key("print");
        let enough = enough && go.defines == rust.defines;
        let floor = leaves || 200 * shared >= FLOOR * all;
        if !enough || !floor || !prints && clash(&go.keys, &rust.keys) {
            return 0;
        }
        let acted = if acted == Acted::Differently { 5 } else { 20 };
        let same = if same { 2 } else { 1 };
        (same * (acted * shared * shared / all)).max(1)
    }

    /// What a key weighs where both lines have it, and where one has it alone.
    fn weight(&self, key: &Key) -> (u32, u32) {
        let weight = self.rarity[key];
        match key {
            Key::Name(_) | Key::Error | Key::End | Key::Number(_) => (weight, weight),
            Key::Act(..) => (3 * weight, 0),
            Key::Text(_) => (3 * weight, weight),
            Key::Word(_) => (weight.div_ceil(2), weight.div_ceil(2)),
            Key::Keyword(_) => (1, 1),
        }
    }

    /// Whether lines in two functions can be a pair, and whether they are in the same function.
    fn functions(&self, go: Option<&str>, rust: Option<&str>) -> Option<bool> {
        // Go's `main` may be `run` here, where a program's `main` does no more than read its options.
        let same = |go: &str, rust: &str| go == rust || (go, rust) == ("main", "run");
        match (go, rust) {
            (Some(go), Some(rust)) if same(go, rust) => Some(true),
            (None, None) => Some(true),
            (Some(_), Some(rust)) if self.listed.contains(rust) => None,
            (Some(go), Some(rust)) => {
                let mut callers = self.callers.get(rust).into_iter().flatten();
                callers.any(|caller| same(go, caller)).then_some(false)
            }
            _ => Some(false),
        }
    }

    /// How what two lines do goes together.
    fn acted(&self, go: &Acts, rust: &Acts) -> Acted {
        // Whether there is an error is asked of something that is done.
        let does = |acts: &Acts| acts.keys().any(|act| *act != "err");
        let both = go
            .iter()
            .filter_map(|(act, object)| Some((*act, object, rust.get(act)?)));
        // Whether ours does it on something on which the listing does it elsewhere.
        let elsewhere = |act, object: &Option<String>, other: &Option<String>| {
            let other = other
                .clone()
                .filter(|other| object.as_ref().is_some_and(|o| o != other));
            other.is_some_and(|other| self.objects.contains(&(act, other)))
        };
        let both: Vec<_> = both.filter(|(act, ..)| *act != "err").collect();
        let mut alike = both
            .iter()
            .filter(|(act, object, other)| !elsewhere(act, object, other));
        match (does(go), does(rust)) {
            (false, false) => Acted::Not,
            _ if alike.clone().any(|(act, ..)| *act != "print") => Acted::Alike,
            _ if alike.next().is_some() => Acted::Printed,
            (true, true) => Acted::Opposed,
            _ => Acted::Differently,
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

fn sides<'a>(language: Language, lines: &'a [Line], code: Vec<Vec<Token>>) -> Vec<Side<'a>> {
    let names = Names::new(lines);
    let side = |(line, tokens): (&'a Line, &Vec<Token>)| {
        let acts = names.acts(language, tokens);
        Side {
            keys: keys(language, tokens, &acts, &names),
            acts,
            function: line.function.as_deref(),
            starts: keyword(tokens),
            arm: has(tokens, "= > {"),
            defines: starts(tokens, "func") || starts(tokens, "impl") || has(tokens, "fn"),
        }
    };
    lines.iter().zip(&code).map(side).collect()
}

impl Side<'_> {
    fn leaves(&self) -> bool {
        matches!(self.starts, Some("return" | "break" | "else"))
    }
}

/// For each function of ours those that call it.
fn callers(rust: &[Line]) -> BTreeMap<&str, BTreeSet<&str>> {
    let functions = rust.iter().filter_map(|line| line.function.as_deref());
    let mut callers: BTreeMap<&str, BTreeSet<&str>> = functions
        .map(|function| (function, BTreeSet::new()))
        .collect();
    for line in rust {
        for called in (0..line.tokens.len()).filter_map(|at| called(&line.tokens, at)) {
            if let Some(callers) = callers.get_mut(&snake_case(called)[..]) {
                callers.extend(line.function.as_deref());
            }
        }
    }
    callers
}

/// Whether two lines both have string literals, and none of one is like one of the other.
fn clash(go: &Keys, rust: &Keys) -> bool {
    let texts = |keys: &Keys| -> Vec<String> {
        let text = |key: &Key| match key {
            Key::Text(text) => Some(text.clone()),
            _ => None,
        };
        keys.keys().filter_map(text).collect()
    };
    let (go, rust) = (texts(go), texts(rust));
    let any_like = go.iter().any(|go| rust.iter().any(|rust| like(go, rust)));
    !go.is_empty() && !rust.is_empty() && !any_like
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
    /// How many names and words.
    weak: usize,
    error: bool,
    keyword: bool,
}

impl Evidence {
    fn add(&mut self, key: &Key, go: Role, rust: Role) {
        let introduced = go.introduced && rust.introduced;
        match key {
            Key::Text(text) => self.same_thing |= text.chars().count() > 2,
            Key::Name(name) if act(name).is_some() => self.weak += 1,
            Key::Name(_) => self.same_thing |= introduced,
            _ => {}
        }
        match key {
            Key::Text(_) | Key::Act(..) | Key::End => self.strong = true,
            Key::Number(number) if number.len() > 1 => self.strong = true,
            Key::Name(name) if act(name).is_some() => {}
            Key::Name(_) if introduced || go.called && rust.called => self.strong = true,
            Key::Name(_) | Key::Number(_) | Key::Word(_) => self.weak += 1,
            Key::Error => self.error = true,
            Key::Keyword(_) => self.keyword = true,
        }
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
            let rust = read(Language::Rust, "", &rust, 1);
            let score = Score::new(&go, &rust);
            assert_eq!(score.similarity(5, 2) > 0, pair, "{go_line} / {rust_line}");
        }
    }

    #[test]
    fn a_closure_that_becomes_a_thread_is_paired_where_it_is_made() {
        let go = read(Language::Go, "", "func f() {\n\tgo func() {\n", 1);
        let rust = "fn f() {\n    let work = move || {\n        x();\n    };\n    spawn(work)?;\n";
        let rust = read(Language::Rust, "", rust, 1);
        let score = Score::new(&go, &rust);
        assert!(score.similarity(1, 1) > score.similarity(1, 4));
    }

    #[test]
    fn a_statement_counts_as_its_first_line() {
        let go = read(Language::Go, "", "conn.Write(buf)\n", 1);
        let rust = "conn\n    .write_all(\n        &buf,\n    )\n    .ok();\nbuf.x();\n";
        let rust = read(Language::Rust, "", rust, 1);
        let score = Score::new(&go, &rust);
        let found: Vec<_> = (0..6).map(|line| score.similarity(0, line) > 0).collect();
        assert_eq!(found, [true, false, false, false, false, false]);
    }
}
