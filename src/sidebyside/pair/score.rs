//! How alike a Go line and a Rust line are.
//!
//! Each line is turned into a set of [`Key`]s: its names, by what both languages call the same, its
//! literals, and the words of its strings. What both lines have is *shared*.
//!
//! - **Two lines can be a pair only if they do the same.** What a line does is its
//!   [acts](crate::sidebyside::pair::acts): a send is no partner of a receive, nor a write of a shutdown.
//!   Where a listing does the same on two things, such as two channels, the two lines must do it on the
//!   same one.
//! - Two lines that print must share more than that: a name, a word or `err`.
//! - Lines of which only one does anything must share a string, or a variable that both introduce.
//! - Lines of which neither does anything must share at least a name, a number or a word.
//! - A line of nothing but keywords (`for {`, `return`, `} else {`) can be the partner of a line with the
//!   same keyword or its equivalent, in the same function.
//! - A line in a function is no partner of a line in another function of the listing. Go's `main` may be our
//!   `run`.
//! - A key weighs more, the fewer lines have it. A string literal, and an act on something, weigh three
//!   times as much.
//! - How alike two lines are, for choosing among possible pairs, is the weight of what they share times
//!   its part in the weight of all their keys. If only one of two lines does anything, they are a quarter
//!   as alike.
//!
//! A statement of ours that goes on over several lines counts as its first line.

use std::collections::{BTreeMap, BTreeSet};

use crate::sidebyside::pair::acts::{Acts, Names};
use crate::sidebyside::pair::keys::{Key, Keys, Role, keys, keyword};
use crate::sidebyside::pair::statement::statements;
use crate::sidebyside::read::source::Line;
use crate::sidebyside::read::tokens::{Language, Token};

/// The keys of all lines of two sources, weighed.
pub struct Score<'a> {
    go: Vec<Side<'a>>,
    rust: Vec<Side<'a>>,
    /// How many halvings of all lines it takes to come to those that have a key.
    rarity: BTreeMap<Key, u32>,
    /// What each act of the listing is done on.
    objects: BTreeSet<(&'static str, String)>,
    /// The functions of the listing.
    listed: BTreeSet<&'a str>,
}

/// A line of either side.
struct Side<'a> {
    keys: Keys,
    acts: Acts,
    function: Option<&'a str>,
    /// Its first word, if that is a keyword.
    starts: Option<&'static str>,
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
        let functions = go.iter().filter_map(|line| line.function.as_deref());
        Score {
            rarity: lines_with.into_iter().map(rarity).collect(),
            objects: objects.collect(),
            listed: functions.collect(),
            go: go_sides,
            rust: rust_sides,
        }
    }

    /// How alike a Go line and a Rust line are; 0 where they cannot be a pair.
    pub fn similarity(&self, go: usize, rust: usize) -> u32 {
        let (go, rust) = (&self.go[go], &self.rust[rust]);
        let same = match (go.function, rust.function) {
            (Some(go), Some(rust)) if is_same_function(go, rust) => true,
            (Some(_), Some(rust)) if self.listed.contains(rust) => return 0,
            (go, rust) => go == rust,
        };
        let evidence = evidence(go, rust);
        let bare = go.keys.keys().all(|key| matches!(key, Key::Keyword(_)));
        let leaves = bare && go.leaves() && go.starts == rust.starts && rust.acts.is_empty();
        let acted = self.acted(&go.acts, &rust.acts);
        let enough = match acted {
            Acted::Alike => !go.acts.contains_key("print") || evidence > Evidence::None,
            Acted::Opposed => false,
            Acted::Not if bare => same && (evidence == Evidence::Keyword || leaves),
            Acted::Not => evidence >= Evidence::Name,
            Acted::Differently => evidence == Evidence::Thing,
        };
        if !enough {
            return 0;
        }
        let weight = |keys: &Keys| keys.keys().map(|key| self.weight(key)).sum::<u32>();
        let shared = go.keys.keys().filter(|key| rust.keys.contains_key(key));
        let shared: u32 = shared.map(|key| self.weight(key)).sum();
        let all = weight(&go.keys) + weight(&rust.keys);
        let scale = if acted == Acted::Differently { 5 } else { 20 };
        (scale * shared * shared / all).max(1)
    }

    /// Whether two lines do the same with the same string or variable, wherever they stand.
    pub fn is_same(&self, go: usize, rust: usize) -> bool {
        let (go, rust) = (&self.go[go], &self.rust[rust]);
        self.acted(&go.acts, &rust.acts) == Acted::Alike && evidence(go, rust) == Evidence::Thing
    }

    fn weight(&self, key: &Key) -> u32 {
        match key {
            Key::Keyword(_) => 1,
            Key::Act(..) | Key::Text(_) => 3 * self.rarity[key],
            _ => self.rarity[key],
        }
    }

    /// How what two lines do goes together.
    fn acted(&self, go: &Acts, rust: &Acts) -> Acted {
        // Whether ours does it on something on which the listing does it elsewhere.
        let elsewhere = |act: &'static str, object: &Option<String>, other: &Option<String>| {
            let mut other = other.iter().filter(|_| object != other);
            other.any(|other| self.objects.contains(&(act, other.clone())))
        };
        let mut both = go
            .iter()
            .filter_map(|(act, object)| Some((act, object, rust.get(act)?)));
        match (go.is_empty(), rust.is_empty()) {
            (true, true) => Acted::Not,
            _ if both.any(|(act, object, other)| !elsewhere(act, object, other)) => Acted::Alike,
            (false, false) => Acted::Opposed,
            // A channel has its partner where ours makes it, not where it has its type.
            _ if go.contains_key("make chan") => Acted::Opposed,
            _ => Acted::Differently,
        }
    }
}

/// Whether two functions have the same name. Go's `main` may be `run` here, where a program's `main` does
/// no more than read its options.
pub fn is_same_function(go: &str, rust: &str) -> bool {
    go == rust || (go, rust) == ("main", "run")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Acted {
    /// Neither does anything.
    Not,
    /// Only one of them does.
    Differently,
    /// Both do the same.
    Alike,
    /// They do different things, or the same on different things.
    Opposed,
}

/// What the keys that two lines share say for the pair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    None,
    Keyword,
    Name,
    Call,
    /// A string, a variable that both introduce.
    Thing,
}

fn evidence(go: &Side, rust: &Side) -> Evidence {
    let of = |key: &Key, go: &Role, rust: &Role| match key {
        Key::Name(name) if name == "print" => Evidence::None,
        Key::Keyword(_) => Evidence::Keyword,
        Key::Text(_) => Evidence::Thing,
        _ if go.introduced && rust.introduced => Evidence::Thing,
        _ if go.called && rust.called => Evidence::Call,
        Key::Error => Evidence::Keyword,
        _ => Evidence::Name,
    };
    let keys = go.keys.iter();
    let found = keys.filter_map(|(key, role)| Some(of(key, role, rust.keys.get(key)?)));
    found.max().unwrap_or(Evidence::None)
}

fn sides<'a>(language: Language, lines: &'a [Line], code: Vec<Vec<Token>>) -> Vec<Side<'a>> {
    let names = Names::new(lines);
    let side = |(line, tokens): (&'a Line, &Vec<Token>)| {
        let acts = names.acts(language, tokens);
        Side {
            keys: keys(language, tokens, &acts, &names),
            acts,
            function: line.function.as_deref(),
            starts: keyword(language, tokens),
        }
    };
    lines.iter().zip(&code).map(side).collect()
}

impl Side<'_> {
    fn leaves(&self) -> bool {
        matches!(self.starts, Some("return" | "else"))
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
    fn keyword_only_lines_pair_in_functions_of_the_same_name() {
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
            "say(\"okay\");\nconn.write(x);\nconn.a();\nf(c);\nf(d);\ng(d);\n",
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
            ("fmt.Println(\"new\", c)", "info!(\"old {x}\");", false),
            ("fmt.Println(\"new\", err)", "warn!(\"old\", err);", true),
            (
                "msg = make(chan int)",
                "let (msg, msgs) = bounded(1);",
                true,
            ),
            ("msg := make(chan int)", "msg: Sender<u32>,", false),
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
