//! What is changed in an original before it is built, each change with its reason.
//!
//! A mend is a list of substitutions, each of which must be found exactly as often as it says:
//! an article that reads otherwise fails loudly and is not built half mended.

use std::time::Duration;

/// A named change to a listing.
pub(crate) struct Mend {
    name: &'static str,
    substitutions: Vec<Substitution>,
}

struct Substitution {
    times: usize,
    from: String,
    to: String,
}

impl Mend {
    fn new(name: &'static str) -> Mend {
        Mend {
            name,
            substitutions: Vec::new(),
        }
    }

    fn replace(self, from: &str, to: &str) -> Mend {
        self.replace_all(1, from, to)
    }

    fn replace_all(mut self, times: usize, from: &str, to: &str) -> Mend {
        self.substitutions.push(Substitution {
            times,
            from: from.into(),
            to: to.into(),
        });
        self
    }

    /// Returns the source with this mend made.
    ///
    /// # Panics
    /// A pattern is not in the source, or not as often as it should be.
    pub(crate) fn apply(&self, source: &str) -> String {
        self.substitutions.iter().fold(source.to_owned(), |source, Substitution { times, from, to }| {
            let found = source.matches(from.as_str()).count();
            assert!(
                found == *times,
                "mend {:?}: expected {from:?} {times} times in the listing, found it {found} times:\n{source}",
                self.name
            );
            source.replace(from.as_str(), to)
        })
    }
}

/// The fixed address becomes the first argument, so that tests can take free ports.
pub(crate) fn address(name: &str) -> Mend {
    let mend = Mend::new("address from the command line");
    let literal = match name {
        "tcp_server" | "tcp_concurrent_server" => r#""0.0.0.0:9000""#,
        "tcp_client" | "tcp_concurrent_client" => r#""127.0.0.1:9000""#,
        "udp_server" | "udp_client" => r#""127.0.0.1:8002""#,
        "udp_concurrent_server" | "udp_concurrent_client" => r#""127.0.0.1:8003""#,
        // A Go constant cannot come from the command line.
        "file_client" => {
            return mend.replace(
                r#"const ip_port = "127.0.0.1:8005""#,
                "var ip_port = os.Args[1]",
            );
        }
        "file_server" => r#""0.0.0.0:8005""#,
        _ => r#""0.0.0.0:8000""#,
    };
    let mend = mend.replace(literal, "os.Args[1]");
    match name {
        "tcp_concurrent_client" | "udp_concurrent_client" | "file_server" => mend,
        _ => mend.replace("import (", "import (\n\t\"os\""),
    }
}

/// A server says on standard error where it listens, as ours do, so that it can be given port 0.
///
/// Go's built-in `println` writes to standard error and needs no import.
pub(crate) fn announce(name: &str) -> Mend {
    let (socket, addr) = match name {
        "udp_server" | "udp_concurrent_server" => ("conn", "LocalAddr"),
        _ => ("listener", "Addr"),
    };
    let close = format!("defer {socket}.Close()");
    let print = format!("{close}\n\tprintln(\"listening on\", {socket}.{addr}().String())");
    Mend::new("listening address printed").replace(&close, &print)
}

/// `MakeMsg` of the second to the fourth stage names a variable of another function and does not
/// compile; what is meant is the client's address, as in the last stage.
pub(crate) fn make_msg() -> Mend {
    Mend::new("netAddr in MakeMsg").replace(
        r#""[" + netAddr + "]" + clnt.Name + ": ""#,
        r#""[" + clnt.Addr + "]" + clnt.Name + ": ""#,
    )
}

/// The handlers of the first four stages return after the login and so close the connection at
/// once. The course says to end them with an endless loop; this one waits without spinning.
pub(crate) fn keep_alive(name: &str) -> Mend {
    let login = match name {
        "chat_login" => r#"clnt.Name + " login!!!""#,
        _ => r#"message <- MakeMsg(clnt, "login!!!")"#,
    };
    Mend::new("handler kept alive").replace(
        &format!("{login}\n}}"),
        &format!("{login}\n\tselect {{}}\n}}"),
    )
}

/// The fourth stage misspells the prefix, so that nobody is ever renamed.
pub(crate) fn rename_prefix() -> Mend {
    Mend::new("rename spelt right").replace(r#""reame|""#, r#""rename|""#)
}

/// Manager makes the map when it first runs; a client who comes before that would end the server.
/// The map is made where it is declared, so that a test may connect as soon as the server listens.
pub(crate) fn map_made_first() -> Mend {
    Mend::new("map made first")
        .replace(
            "var onlineMap map[string]Client",
            "var onlineMap = make(map[string]Client)",
        )
        .replace("\tonlineMap = make(map[string]Client)\n", "")
}

/// The map that every goroutine reads and writes without a lock becomes a `sync.Map`, whose
/// `Range` holds no lock while a message waits to be taken: nothing blocks that did not before.
pub(crate) fn map_race() -> Mend {
    Mend::new("map race")
        .replace("\t\"strings\"\n", "\t\"strings\"\n\t\"sync\"\n")
        .replace("var onlineMap map[string]Client", "var onlineMap sync.Map")
        .replace("\tonlineMap = make(map[string]Client)\n", "")
        .replace(
            "onlineMap[netAddr] = clnt",
            "onlineMap.Store(netAddr, clnt)",
        )
        .replace(
            "onlineMap[clnt.Addr] = clnt",
            "onlineMap.Store(clnt.Addr, clnt)",
        )
        .replace_all(
            2,
            "delete(onlineMap, clnt.Addr)",
            "onlineMap.Delete(clnt.Addr)",
        )
        .replace(
            "for _, user := range onlineMap {",
            "for _, value := range onlineMap.Range {\n\t\t\t\t\tuser := value.(Client)",
        )
        .replace(
            "for _, clnt := range onlineMap {",
            "for _, value := range onlineMap.Range {\n\t\t\tclnt := value.(Client)",
        )
}

/// The idle kick after a minute comes after `timeout` instead.
pub(crate) fn timeout(timeout: Duration) -> Mend {
    let millis = format!("time.Millisecond * {}", timeout.as_millis());
    Mend::new("short timeout").replace("time.Second * 60", &millis)
}

#[test]
fn mend_applies_its_substitutions() {
    let source = "var onlineMap map[string]Client\n\tonlineMap = make(map[string]Client)\n";
    let mended = map_made_first().apply(source);
    assert_eq!(mended, "var onlineMap = make(map[string]Client)\n");
}

#[test]
#[should_panic(
    expected = r#"mend "rename spelt right": expected "\"reame|\"" 1 times in the listing, found it 0 times"#
)]
fn mend_fails_when_its_pattern_is_missing() {
    rename_prefix().apply("package main\n");
}

#[test]
#[should_panic(expected = "1 times in the listing, found it 2 times")]
fn mend_fails_when_its_pattern_occurs_too_often() {
    rename_prefix().apply("\"reame|\" \"reame|\"");
}
