//! One case for the names of two languages, and what their standard libraries call the same thing.

use crate::sidebyside::read::tokens::Language;

/// What Go calls something, and what Rust, its standard library or this crate call it. All names of a
/// row count as its first. Rust may also use Go's.
///
/// These are equivalents of the two *languages*: whoever knows both would accept each row without
/// seeing a program. Nothing here knows which line of which program answers to which.
pub const EQUIVALENTS: [(&[&str], &[&str]); 21] = [
    // Starting a thread of control, and what passes between two.
    (&["go"], &["spawn"]),
    (&["<-"], &["send", "recv", "try_send", "try_recv"]),
    // Printing. What a Go program prints about itself, a Rust program logs.
    (
        &["print", "println", "printf"],
        &["eprintln", "info", "warn", "error"],
    ),
    (&["scan"], &["read_line"]),
    // Reading and writing. A UDP socket that is connected receives and sends.
    (&["dial", "dial_udp"], &["connect"]),
    (&["read"], &["recv"]),
    (&["write"], &["write_all", "send"]),
    (&["read_from_udp"], &["recv_from"]),
    (&["write_to_udp"], &["send_to"]),
    (&["resolve_udp_addr"], &["to_socket_addrs"]),
    (&["remote_addr"], &["peer_addr"]),
    (&["close"], &["drop"]),
    // Files and the command line.
    (&["stat"], &["metadata"]),
    (&["size"], &["len"]),
    (&["args"], &["parse"]),
    // Strings and collections.
    (&["has_prefix"], &["starts_with", "strip_prefix"]),
    (&["split"], &["split_once", "strip_prefix"]),
    (&["delete"], &["remove"]),
    (&["make"], &["vec"]),
    (&["make chan"], &["bounded", "unbounded"]),
    // Time.
    (&["second"], &["from_secs"]),
];

/// The names by which a name can be found in the other language: the first names of its rows in
/// [`EQUIVALENTS`], or else itself in one case.
pub fn common_names(language: Language, name: &str) -> Vec<String> {
    let snake = snake_case(name);
    let has = |names: &[&str]| names.iter().any(|other| snake_case(other) == snake);
    let rows = EQUIVALENTS
        .iter()
        .filter(|(go, rust)| has(go) || language == Language::Rust && has(rust));
    let names: Vec<String> = rows.map(|(go, _)| snake_case(go[0])).collect();
    if names.is_empty() { vec![snake] } else { names }
}

/// Keywords and the names of built-in types: what Go writes, and what Rust may write.
pub const KEYWORDS: [(&str, &[&str]); 16] = [
    ("for", &["for", "loop", "while"]),
    ("return", &["return", "break"]),
    ("break", &["break", "return"]),
    ("continue", &["continue"]),
    ("if", &["if", "match"]),
    ("else", &["else"]),
    ("select", &["select"]),
    ("func", &["fn"]),
    ("struct", &["struct"]),
    ("var", &["let", "static"]),
    ("const", &["const"]),
    ("string", &["String"]),
    ("byte", &["u8"]),
    ("bool", &["bool"]),
    ("chan", &["Sender", "Receiver"]),
    ("map", &["HashMap", "BTreeMap"]),
];

/// Brings a name to one case: `HandlerConnect`, `handlerConnect` and `HANDLER_CONNECT` become the
/// same, and so do `ListenUDP` and `listen_udp`.
///
/// A letter that is doubled counts once (`manager` and `mannager` are the same), so that a slip of
/// the pen in a listing is not a difference.
pub fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (i, &c) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| letters[i]);
        let after = letters.get(i + 1);
        let starts_word = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase() || (b.is_uppercase() && after.is_some_and(|a| a.is_lowercase()))
            });
        if starts_word {
            snake.push('_');
        }
        let lower = c.to_lowercase().next().unwrap_or(c);
        if !(lower.is_alphabetic() && snake.ends_with(lower)) {
            snake.push(lower);
        }
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_to_one_case() {
        for name in [
            "HandlerConnect",
            "handlerConnect",
            "handler_connect",
            "HANDLER_CONNECT",
        ] {
            assert_eq!(snake_case(name), "handler_conect");
        }
        assert_eq!(snake_case("ListenUDP"), "listen_udp");
        assert_eq!(snake_case("UDPConn"), "udp_con");
        assert_eq!(snake_case("ReadFromUDP"), "read_from_udp");
        assert_eq!(snake_case("Mannager"), snake_case("manager"));
        assert_eq!(snake_case("onlineMap"), "online_map");
        assert_eq!(snake_case("C"), "c");
        assert_eq!(snake_case("x1"), "x1");
        assert_eq!(snake_case("_"), "_");
        assert_eq!(snake_case("消息"), "消息");
    }

    #[test]
    fn names_of_two_languages_have_one_in_common() {
        let go = |name| common_names(Language::Go, name);
        let rust = |name| common_names(Language::Rust, name);
        assert_eq!(go("Printf"), rust("println"));
        assert_eq!(rust("send"), ["<-", "write"]);
        assert_eq!(go("send"), ["send"]);
        assert_eq!(go("onlineMap"), rust("online_map"));
    }

    #[test]
    fn no_name_of_go_is_in_two_rows() {
        let names: Vec<&str> = EQUIVALENTS
            .iter()
            .flat_map(|(go, _)| go.iter().copied())
            .collect();
        for (i, name) in names.iter().enumerate() {
            assert!(!names[i + 1..].contains(name), "{name}");
        }
    }
}
