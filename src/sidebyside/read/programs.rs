//! Our programs: the sources of each, and by what a listing is known to be its original.

use crate::sidebyside::read::tokens::{Language, Token, tokens};

/// One of our programs, or one stage of the chat room.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// The name of the executable.
    pub name: &'static str,
    /// The value of its `--stage`, where it has one.
    pub stage: Option<&'static str>,
    /// What of ours stands beside the listing.
    pub sources: &'static [Source],
    /// What its original contains: of each group, one at least. A word is an identifier or a
    /// keyword; what begins with a quote is the start of a string literal.
    has: &'static [&'static str],
    /// What its original does not contain.
    lacks: &'static [&'static str],
}

/// A source of ours, as it was when this program was built.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// Its place in the repository.
    pub path: &'static str,
    /// What it says.
    pub text: &'static str,
}

impl Program {
    /// The program as it is called: with `--stage`, where it has one.
    pub fn command(&self) -> String {
        match self.stage {
            Some(stage) => format!("{} --stage {stage}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// The files of ours that stand beside the listing.
    pub fn files(&self, between: &str) -> String {
        let paths: Vec<&str> = self.sources.iter().map(|source| source.path).collect();
        paths.join(between)
    }

    /// Whether this is a stage of that name, or comes after it.
    pub fn has_stage(&self, stage: &str) -> bool {
        let place = PROGRAMS.iter().position(|program| program == self);
        let so_far = PROGRAMS.iter().take(place.map_or(0, |place| place + 1));
        so_far
            .filter_map(|program| program.stage)
            .any(|s| s == stage)
    }

    /// A name for files and anchors: `chat_server-who`.
    pub fn slug(&self) -> String {
        match self.stage {
            Some(stage) => format!("{}-{stage}", self.name),
            None => self.name.to_owned(),
        }
    }
}

macro_rules! source {
    ($path:literal) => {
        Source {
            path: $path,
            text: include_str!(concat!("../../../", $path)),
        }
    };
}

const CHAT: &[Source] = &[
    source!("src/chat.rs"),
    source!("src/chat/online_map.rs"),
    source!("bin/chat_server.rs"),
];

/// All our programs, in the order of the course.
pub static PROGRAMS: [Program; 16] = [
    program(
        "tcp_server",
        &[source!("bin/tcp_server.rs")],
        &["Listen", "Accept"],
        &["go", "for", "Create"],
    ),
    program(
        "tcp_client",
        &[source!("bin/tcp_client.rs")],
        &["Dial", "\"tcp"],
        &["go", "Stat"],
    ),
    program(
        "tcp_concurrent_server",
        &[
            source!("src/tcp.rs"),
            source!("bin/tcp_concurrent_server.rs"),
        ],
        &["Listen", "Accept", "go", "ToUpper"],
        &["chan"],
    ),
    program(
        "tcp_concurrent_client",
        &[source!("bin/tcp_concurrent_client.rs")],
        &["Dial", "\"tcp", "go", "Stdin"],
        &[],
    ),
    program(
        "udp_server",
        &[source!("bin/udp_server.rs")],
        &["ListenUDP ListenPacket"],
        &["for", "go"],
    ),
    program(
        "udp_client",
        &[source!("bin/udp_client.rs")],
        &["Dial DialUDP", "\"udp"],
        &["go"],
    ),
    program(
        "udp_concurrent_server",
        &[
            source!("src/udp.rs"),
            source!("bin/udp_concurrent_server.rs"),
        ],
        &["ListenUDP ListenPacket", "for"],
        &[],
    ),
    program(
        "udp_concurrent_client",
        &[source!("bin/udp_concurrent_client.rs")],
        &["Dial DialUDP", "\"udp", "go", "Stdin"],
        &[],
    ),
    program(
        "file_stat",
        &[source!("bin/file_stat.rs")],
        &["Stat"],
        &["Dial", "Listen"],
    ),
    program(
        "file_client",
        &[source!("bin/file_client.rs")],
        &["Dial", "Stat", "Open"],
        &[],
    ),
    program(
        "file_server",
        &[source!("bin/file_server.rs")],
        &["Listen", "Create"],
        &[],
    ),
    // The stages build on one another: each has what those before it have.
    stage("login", &["HandlerConnect WriteMsgToClient"], &["Read"]),
    stage("broadcast", &["Read"], &["\"who", "Split", "select"]),
    stage("who", &["\"who"], &["Split", "select"]),
    stage("rename", &["\"who", "Split"], &["select"]),
    stage("timeout", &["\"who", "Split", "select"], &[]),
];

const fn program(
    name: &'static str,
    sources: &'static [Source],
    has: &'static [&'static str],
    lacks: &'static [&'static str],
) -> Program {
    Program {
        name,
        stage: None,
        sources,
        has,
        lacks,
    }
}

const fn stage(
    stage: &'static str,
    has: &'static [&'static str],
    lacks: &'static [&'static str],
) -> Program {
    Program {
        name: "chat_server",
        stage: Some(stage),
        sources: CHAT,
        has,
        lacks,
    }
}

/// What all stages of the chat room contain.
const ROOM: [&str; 5] = ["Listen", "Accept", "chan", "map", "\"login \" login"];

/// Finds the program whose original a listing is. It must be a whole program (`package main` with a
/// `main`) and contain what marks one of ours and no other: nothing is guessed.
pub fn identify(code: &str) -> Option<&'static Program> {
    let tokens: Vec<Token> = tokens(Language::Go, code).into_iter().flatten().collect();
    if !is_program(&tokens) {
        return None;
    }
    let contains = |mark: &str| {
        tokens
            .iter()
            .any(|token| match (token, mark.strip_prefix('"')) {
                (Token::Name(name), None) => name == mark,
                (Token::Text(text), Some(start)) => text.trim_start().starts_with(start),
                _ => false,
            })
    };
    let one_of = |marks: &&str| marks.split(' ').any(contains);
    let mut found = PROGRAMS.iter().filter(|program| {
        (program.stage.is_none() || ROOM.iter().all(one_of))
            && program.has.iter().all(one_of)
            && !program.lacks.iter().copied().any(contains)
    });
    found.next().filter(|_| found.next().is_none())
}

/// Whether a listing is a whole program, not a fragment of one.
pub fn is_program(tokens: &[Token]) -> bool {
    let follow = |first: &str, second: &str| {
        tokens.windows(2).any(|pair| match pair {
            [Token::Name(a), Token::Name(b)] => a == first && b == second,
            _ => false,
        })
    };
    follow("package", "main") && follow("func", "main")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identified(body: &str) -> Option<String> {
        identify(&format!("package main\nfunc main() {{\n{body}\n}}\n")).map(Program::command)
    }

    #[test]
    fn a_listing_is_known_by_what_it_contains() {
        for (body, program) in [
            ("net.Listen(\"tcp\", a)\nl.Accept()", "tcp_server"),
            ("net.Dial(\"tcp\", a)", "tcp_client"),
            (
                "net.Listen(\"tcp\", a)\nfor { l.Accept()\ngo f() }\nstrings.ToUpper(s)",
                "tcp_concurrent_server",
            ),
            (
                "net.Dial(\"tcp\", a)\ngo f(os.Stdin)",
                "tcp_concurrent_client",
            ),
            ("net.ListenUDP(\"udp\", a)", "udp_server"),
            ("net.Dial(\"udp\", a)", "udp_client"),
            ("net.ListenUDP(\"udp\", a)\nfor {}", "udp_concurrent_server"),
            (
                "net.Dial(\"udp4\", a)\ngo f(os.Stdin)",
                "udp_concurrent_client",
            ),
            ("os.Stat(x)", "file_stat"),
            (
                "os.Stat(x)\nos.Open(x)\nnet.Dial(\"tcp\", a)",
                "file_client",
            ),
            (
                "net.Listen(\"tcp\", a)\nl.Accept()\nos.Create(f)",
                "file_server",
            ),
        ] {
            assert_eq!(identified(body).as_deref(), Some(program), "{body}");
        }
    }

    #[test]
    fn each_stage_of_the_room_has_more_than_the_one_before() {
        let mut body = "var m map[string]C = make(chan int)\nnet.Listen(x)\nfor { l.Accept()\ngo HandlerConnect(c) }\nsay(\"login!\")\n".to_owned();
        for (more, stage) in [
            ("", "login"),
            ("c.Read(b)\n", "broadcast"),
            ("if m == \"who\" {}\n", "who"),
            ("strings.Split(m, \"|\")\n", "rename"),
            ("select {}\n", "timeout"),
        ] {
            body.push_str(more);
            assert_eq!(
                identified(&body),
                Some(format!("chat_server --stage {stage}")),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_no_program_of_ours_is_none() {
        assert_eq!(identified("fmt.Println(\"Listen, Accept\") // Stat"), None);
        // Two programs in one.
        assert_eq!(
            identified("net.Listen(\"tcp\", a)\nl.Accept()\nnet.Dial(\"tcp\", a)"),
            None
        );
        assert_eq!(identify("package main\nos.Stat(x)\n"), None);
        assert_eq!(identify("func main() {\nos.Stat(x)\n}\n"), None);
        assert_eq!(identify(""), None);
    }
}
