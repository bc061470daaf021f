//! One case for the names of two languages, and what their standard libraries call the same thing.

use crate::sidebyside::read::tokens::Language;

/// What Go calls something, and what Rust, its standard library or this crate call it. Rust may also
/// use Go's name.
///
/// These are equivalents of the two *languages*: whoever knows both would accept each row without
/// seeing a program. Nothing here knows which line of which program answers to which.
const EQUIVALENTS: [(&str, &str); 30] = [
    // Starting a thread of control, and what passes between two.
    ("go", "spawn"),
    ("make chan", "bounded unbounded"),
    ("send", "try_send"),
    ("recv", "try_recv try_iter"),
    // Printing. What a Go program prints about itself, a Rust program logs.
    ("print", "println printf eprintln debug info warn error"),
    ("scan", "read_line"),
    // Reading and writing.
    ("dial", "dial_udp connect"),
    ("read", "read_full read_exact"),
    ("write", "write_all"),
    ("read_from_udp", "recv_from"),
    ("write_to_udp", "send_to"),
    ("resolve_udp_addr", "to_socket_addrs"),
    ("remote_addr", "peer_addr"),
    ("close", "drop shutdown"),
    // Files and the command line.
    ("stat", "metadata"),
    ("size", "len"),
    ("args", "parse"),
    // Strings and collections.
    ("has_prefix", "starts_with strip_prefix"),
    ("split", "split_once"),
    ("delete", "remove"),
    ("make", "vec"),
    // Time.
    ("second", "from_secs"),
    // Keywords and built-in types.
    ("for", "loop while"),
    ("return", "break"),
    ("if", "match"),
    ("func", "fn"),
    ("var", "let static"),
    ("byte", "u8"),
    ("chan", "Sender Receiver"),
    ("map", "HashMap BTreeMap"),
];

/// What a line can do: lines that do different things are no pair.
const ACTS: &str = "send|recv|accept|read|write|read_from_udp|write_to_udp|close|insert|delete|go|make chan|\
    select|print|scan|dial|listen|listen_udp|stat|open|create|make";

/// The act of this Go name, if it is one.
pub fn act(name: &str) -> Option<&'static str> {
    ACTS.split('|').find(|act| *act == name)
}

/// The name by which a name can be found in the other language: Go's, or else itself, in one case.
pub fn common_name(language: Language, name: &str) -> String {
    let snake = snake_case(name);
    let is = |other: &str| snake_case(other) == snake;
    let found = EQUIVALENTS.iter().find(|(go, rust)| {
        let other = language == Language::Rust || matches!(*go, "print" | "return");
        is(go) || other && rust.split(' ').any(is)
    });
    found.map_or(snake, |(go, _)| (*go).to_owned())
}

/// Keywords and built-in types, by their common names.
const KEYWORDS: &str =
    "for return continue if else select func struct var const string byte bool chan map";

/// The keyword or built-in type of this common name, if it is one.
pub fn keyword(name: &str) -> Option<&'static str> {
    KEYWORDS.split(' ').find(|keyword| *keyword == name)
}

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
    fn names_are_converted_to_one_case() {
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
    fn equivalent_names_have_a_common_name() {
        let go = |name| common_name(Language::Go, name);
        let rust = |name| common_name(Language::Rust, name);
        assert_eq!(go("Printf"), rust("println"));
        assert_eq!(rust("write_all"), "write");
        assert_eq!(go("connect"), "conect");
        assert_eq!(go("onlineMap"), rust("online_map"));
    }

    #[test]
    fn no_name_is_in_two_rows() {
        let row =
            |(go, rust): &(&'static str, &'static str)| [*go].into_iter().chain(rust.split(' '));
        let names: Vec<&str> = EQUIVALENTS.iter().flat_map(row).collect();
        for (i, name) in names.iter().enumerate() {
            assert!(!names[i + 1..].contains(name), "{name}");
        }
    }
}
