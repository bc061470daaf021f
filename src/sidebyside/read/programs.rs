//! Our programs: the sources of each, and by what a listing is known to be its original.

use crate::sidebyside::read::tokens::{Language, Token, has, tokens};

/// One of our programs, or one stage of the chat room.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// The name of the executable.
    pub name: &'static str,
    /// The value of its `--stage`, where it has one.
    pub stage: Option<&'static str>,
    /// What of ours stands beside the listing.
    pub sources: &'static [Source],
    /// What pairs are right, see `truth`.
    pub table: &'static str,
    /// What its original contains. A word is an identifier or a keyword; what begins with a quote is the
    /// start of a string literal; a bar stands between words of which one is enough.
    has: &'static str,
    /// What its original does not contain.
    lacks: &'static str,
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
        self.named(" --stage ")
    }

    /// The files of ours that stand beside the listing.
    pub fn files(&self, between: &str) -> String {
        let paths: Vec<&str> = self.sources.iter().map(|source| source.path).collect();
        paths.join(between)
    }

    /// Whether this is a stage of that name, or comes after it.
    pub fn has_stage(&self, stage: &str) -> bool {
        let before = PROGRAMS.iter().take_while(|program| *program != self);
        let mut so_far = before.chain([self]);
        so_far.any(|program| program.stage == Some(stage))
    }

    /// A name for files and anchors: `chat_server-who`.
    pub fn slug(&self) -> String {
        self.named("-")
    }

    fn named(&self, between: &str) -> String {
        let stage = self.stage.map(|stage| format!("{between}{stage}"));
        self.name.to_owned() + &stage.unwrap_or_default()
    }
}

macro_rules! program {
    ($name:literal, $has:literal, $lacks:literal, $($path:literal)*) => {
        program!($name None, $name, $has, $lacks, $($path)*)
    };
    ($name:literal $stage:expr, $slug:expr, $has:literal, $lacks:literal, $($path:literal)*) => {
        Program {
            name: $name,
            stage: $stage,
            has: $has,
            lacks: $lacks,
            table: include_str!(concat!("../pairs/", $slug, ".txt")),
            sources: &[$(Source {
                path: $path,
                text: include_str!(concat!("../../../", $path)),
            }),*],
        }
    };
}

macro_rules! stage {
    ($stage:literal, $has:literal, $lacks:literal) => {
        program!("chat_server" Some($stage), concat!("chat_server-", $stage), $has, $lacks,
            "src/chat.rs" "src/chat/online_map.rs" "bin/chat_server.rs")
    };
}

/// All our programs, in the order of the course. The stages build on one another: each has what those
/// before it have.
#[rustfmt::skip]
pub static PROGRAMS: [Program; 16] = [
    program!("tcp_server", "Listen Accept", "go for Create", "bin/tcp_server.rs"),
    program!("tcp_client", "Dial \"tcp", "go Stat", "bin/tcp_client.rs"),
    program!("tcp_concurrent_server", "Listen Accept go ToUpper", "chan",
        "src/tcp.rs" "bin/tcp_concurrent_server.rs"),
    program!("tcp_concurrent_client", "Dial \"tcp go Stdin", "", "bin/tcp_concurrent_client.rs"),
    program!("udp_server", "ListenUDP|ListenPacket", "for go", "bin/udp_server.rs"),
    program!("udp_client", "Dial|DialUDP \"udp", "go", "bin/udp_client.rs"),
    program!("udp_concurrent_server", "ListenUDP|ListenPacket for", "",
        "src/udp.rs" "bin/udp_concurrent_server.rs"),
    program!("udp_concurrent_client", "Dial|DialUDP \"udp go Stdin", "",
        "bin/udp_concurrent_client.rs"),
    program!("file_stat", "Stat", "Dial Listen", "bin/file_stat.rs"),
    program!("file_client", "Dial Stat Open", "", "bin/file_client.rs"),
    program!("file_server", "Listen Create", "", "bin/file_server.rs"),
    stage!("login", "HandlerConnect|WriteMsgToClient", "Read"),
    stage!("broadcast", "Read", "\"who Split select"),
    stage!("who", "\"who", "Split select"),
    stage!("rename", "\"who Split", "select"),
    stage!("timeout", "\"who Split select", ""),
];

/// What all stages of the chat room contain.
const ROOM: &str = "Listen Accept chan map \"login|login";

/// Finds the program whose original a listing is. It must be a whole program (`package main` with a
/// `main`) and contain what marks one of ours and no other: nothing is guessed.
pub fn identify(code: &str) -> Option<&'static Program> {
    let tokens: Vec<Token> = tokens(Language::Go, code).into_iter().flatten().collect();
    if !has(&tokens, "package main") || !has(&tokens, "func main") {
        return None;
    }
    let contains = |mark: &str| {
        let is = |token: &Token| match (token, mark.strip_prefix('"')) {
            (Token::Text(text), Some(start)) => text.trim_start().starts_with(start),
            (token, _) => token.name() == Some(mark),
        };
        tokens.iter().any(is)
    };
    let has = |marks: &str| {
        marks
            .split_whitespace()
            .all(|one_of| one_of.split('|').any(contains))
    };
    let mut found = PROGRAMS.iter().filter(|program| {
        (program.stage.is_none() || has(ROOM))
            && has(program.has)
            && !program.lacks.split_whitespace().any(contains)
    });
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identified(body: &str) -> Option<String> {
        identify(&format!("package main\nfunc main() {{\n{body}\n}}\n")).map(Program::command)
    }

    #[test]
    fn listing_is_identified_by_what_it_contains() {
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
    fn unknown_listing_is_not_identified() {
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
