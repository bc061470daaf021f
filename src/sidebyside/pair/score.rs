//! How alike a Go line and a Rust line are.
//!
//! Each line is turned into a set of [`Key`]s: its names, in one case and by what both languages call
//! the same ([`names`](crate::sidebyside::read::names)), its literals, and the words of its strings. What both lines
//! have is *shared*.
//!
//! - **Two lines can be a pair only if they share a name, a literal or a call.** Keywords and names of
//!   packages are not enough. If the Go line calls something, a single variable is not enough either:
//!   it takes a call, a literal, a variable that both introduce, or a second name, for which a word of
//!   a string stands in. That both print something is no call, but a name, for which `err` is second
//!   enough; otherwise `err` says nothing, because it is everywhere. A number of one digit is a name
//!   too.
//! - The one exception is a line that has nothing but keywords (`for {`, `return`, `} else {`): it can be
//!   the partner of a line with the same keyword or its equivalent
//!   ([`KEYWORDS`](crate::sidebyside::read::names::KEYWORDS)), in a function of the same name.
//! - A line in a function is no partner of one in ours that has the name of *another* function of the
//!   listing.
//! - Lines that both have string literals are no pair if those are not alike, but for one letter or for
//!   more at one end. Lines that print may word it differently.
//! - Each key weighs the more, the fewer lines have it; a string
//!   literal that is shared whole weighs three times as much. Of the weight of all keys of two lines,
//!   what they share must be at least [`FLOOR`] percent, counted on both sides.
//! - How alike two lines are, for choosing among possible pairs, is the weight of what they share times
//!   that part. Lines in functions of the same name are twice as alike. Go's `main` may be `run` here,
//!   where a program's `main` does no more than read its options.

use std::collections::{BTreeMap, BTreeSet};

use crate::sidebyside::pair::keys::{Key, Keys, Role, keys};
use crate::sidebyside::read::source::{Kind, Line};
use crate::sidebyside::read::tokens::{Language, Token};

/// The least part, in percent, that the shared keys must have in all keys of two lines.
pub const FLOOR: u32 = 20;

/// The keys of all lines of two sources, weighed.
#[derive(Debug)]
pub struct Score {
    go: Vec<Vec<Weighed>>,
    rust: Vec<Vec<Weighed>>,
    functions: Vec<Vec<Functions>>,
}

#[derive(Clone, Debug)]
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
        let packages = imported(go);
        let keys_of = |language, lines: &[Line]| -> Vec<Keys> {
            lines
                .iter()
                .map(|line| keys(language, line, &packages))
                .collect()
        };
        let (go_keys, rust_keys) = (keys_of(Language::Go, go), keys_of(Language::Rust, rust));
        let mut lines_with: BTreeMap<&Key, usize> = BTreeMap::new();
        for key in go_keys.iter().chain(&rust_keys).flat_map(BTreeMap::keys) {
            *lines_with.entry(key).or_default() += 1;
        }
        let total = go_keys.len() + rust_keys.len();
        let weigh = |keys: &Keys| -> Vec<Weighed> {
            keys.iter()
                .map(|(key, role)| weigh(key, *role, total / lines_with[key]))
                .collect()
        };
        let listed: BTreeSet<&str> = go.iter().filter_map(|l| l.function.as_deref()).collect();
        let functions = |go| {
            rust.iter()
                .map(|rust| functions(go, rust, &listed))
                .collect()
        };
        Score {
            go: go_keys.iter().map(weigh).collect(),
            rust: rust_keys.iter().map(weigh).collect(),
            functions: go.iter().map(functions).collect(),
        }
    }

    /// How alike a Go line and a Rust line are; 0 where they cannot be a pair.
    pub fn similarity(&self, go: usize, rust: usize) -> u32 {
        let functions = self.functions[go][rust];
        let (go, rust) = (&self.go[go], &self.rust[rust]);
        let find = |ours: &[Weighed], key: &Key| {
            ours.binary_search_by(|w| w.key.cmp(key))
                .ok()
                .map(|at| ours[at].role)
        };
        let (mut shared, mut alone) = (0, 0);
        let mut evidence = Evidence::default();
        for w in go {
            match find(rust, &w.key) {
                Some(role) => {
                    shared += w.shared;
                    evidence.add(&w.key, role.matches(w.role));
                }
                None => alone += w.alone,
            }
        }
        alone += rust
            .iter()
            .filter(|w| find(go, &w.key).is_none())
            .map(|w| w.alone)
            .sum::<u32>();
        let enough = match functions {
            Functions::Opposed => false,
            Functions::Same if go.iter().all(|w| matches!(w.key, Key::Keyword(_))) => {
                evidence.keyword
            }
            _ if go.iter().any(|w| w.role.called) => evidence.of_a_call(),
            _ => evidence.strong || evidence.names > 0,
        };
        let all = 2 * shared + alone;
        if !enough || 200 * shared < FLOOR * all || !evidence.prints && clash(go, rust) {
            return 0;
        }
        let alike = 20 * shared * shared / all;
        let alike = if functions == Functions::Same {
            2 * alike
        } else {
            alike
        };
        alike.max(1)
    }
}

/// Whether two lines both have string literals, and none of one is like one of the other.
fn clash(go: &[Weighed], rust: &[Weighed]) -> bool {
    let texts = |line: &'_ [Weighed]| -> Vec<String> {
        let text = |w: &Weighed| match &w.key {
            Key::Text(text) => Some(text.clone()),
            _ => None,
        };
        line.iter().filter_map(text).collect()
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
    names: usize,
    words: usize,
    prints: bool,
    error: bool,
    keyword: bool,
}

impl Evidence {
    fn add(&mut self, key: &Key, same_role: bool) {
        match key {
            Key::Text(_) => self.strong = true,
            Key::Number(number) if number.len() > 1 => self.strong = true,
            Key::Name(name) if prints(name) => self.prints = true,
            Key::Name(_) if same_role => self.strong = true,
            Key::Name(_) | Key::Number(_) => self.names += 1,
            Key::Error => self.error = true,
            Key::Word(_) => self.words += 1,
            Key::Keyword(_) => self.keyword = true,
            Key::Package(_) => {}
        }
    }

    /// Whether it is enough for a line that calls something.
    fn of_a_call(&self) -> bool {
        let more = self.words > 0 || self.names > 1;
        self.strong
            || self.names > 0 && more
            || self.prints && (self.names > 0 || self.words > 0 || self.error)
    }
}

/// Whether a name is that of Go's calls that print. Every fifth line of a listing has one.
fn prints(name: &str) -> bool {
    name == "print"
}

/// The packages that a Go program imports, by the names that it calls them.
fn imported(go: &[Line]) -> Vec<&str> {
    let imports = go.iter().filter(|line| line.kind == Kind::Import);
    let paths = imports
        .flat_map(|line| &line.tokens)
        .filter_map(|token| match token {
            Token::Text(path) => path.rsplit('/').next(),
            _ => None,
        });
    paths.collect()
}

/// How the functions that two lines stand in stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Functions {
    /// They have the same name, or both lines are in none.
    Same,
    /// Ours has the name of another function of the listing.
    Opposed,
    /// Neither.
    Apart,
}

fn functions(go: &Line, rust: &Line, listed: &BTreeSet<&str>) -> Functions {
    match (go.function.as_deref(), rust.function.as_deref()) {
        (Some("main"), Some("run")) => Functions::Same,
        (go, rust) if go == rust => Functions::Same,
        (Some(_), Some(rust)) if listed.contains(rust) => Functions::Opposed,
        _ => Functions::Apart,
    }
}

/// One more for each halving of the lines that have the key; `rarity` is all lines through those.
fn weigh(key: &Key, role: Role, rarity: usize) -> Weighed {
    let weight = 1 + rarity.max(1).ilog2();
    let (shared, alone) = match key {
        Key::Name(_) if role.other => (weight, 0),
        Key::Name(_) | Key::Error | Key::Number(_) => (weight, weight),
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
        let (go, rust) = (read(Language::Go, go, 1), read(Language::Rust, rust, 1));
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
                read(Language::Go, &functions[0], 1),
                read(Language::Rust, &functions[1], 1),
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
        let go = read(Language::Go, "func recvFile() {\n\tfor {\n\t\treturn\n", 1);
        let rust = read(
            Language::Rust,
            "fn recv_file() {\n    loop {\n        break;\n",
            1,
        );
        let score = Score::new(&go, &rust);
        assert!(score.similarity(1, 1) > 0 && score.similarity(2, 2) > 0);
        assert_eq!((score.similarity(1, 2), score.similarity(2, 1)), (0, 0));
    }

    #[test]
    fn literals_weigh_more_than_names_and_rare_names_more_than_common_ones() {
        let go = read(Language::Go, "conn.Write(\"ok\")\n", 1);
        let rust = read(
            Language::Rust,
            "say(\"ok\")\nconn.write(x)\nconn.a()\nconn.b()\n",
            1,
        );
        let score = Score::new(&go, &rust);
        let found: Vec<_> = (0..4).map(|line| score.similarity(0, line)).collect();
        assert!(
            found[0] > found[1] && found[1] > found[2] && found[2] >= found[3],
            "{found:?}"
        );
    }
}
