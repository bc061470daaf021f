//! What Go writes out and Rust does by itself.
//!
//! Two habits of Go have no line in Rust because the language answers for them. A Go line of
//! either kind is *carried* by the Rust line whose language construct does its work:
//!
//! - **`?`** (and `let Ok(..) = .. else`, `while let Ok(..)`): a call followed by `if err != nil {`,
//!   with nothing in the block but printing that error and leaving. The block is carried if the call
//!   is paired with a statement that has the construct. Without `?` the error is not handed on, so
//!   printing it is not carried.
//! - **The end of a scope**: `defer x.Close()` after a line that names `x`. It is carried if that line
//!   is paired with one that makes `x` a binding of ours (`let x`, `x: T`) and not a reference
//!   (`x: &T`): a socket or file that is owned is closed when its scope ends, whichever way.
//!
//! What a block does besides printing and leaving is not carried, nor is a block whose call has no
//! partner.

use super::source::{Kind, Line};
use super::tokens::{Language, Token};

/// Finds the Go lines that are carried: for each, the Rust line that carries it. `partners` holds
/// the Rust line that each Go line is paired with.
pub fn carried(go: &[Line], rust: &[Line], partners: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut carried = vec![None; go.len()];
    for i in 0..go.len() {
        if opens_error_block(&go[i]) {
            let owner = if partners[i].is_some() {
                Some(i)
            } else {
                code_above(go, i)
            };
            let owner = owner.filter(|&owner| names(&go[owner]).any(is_error));
            let Some(partner) = owner.and_then(|owner| partners[owner]) else {
                continue;
            };
            let body = block(go, i);
            let hands_on = statement(rust, partner).contains(&Token::Mark("?"));
            let leaves = hands_on || takes_ok(statement(rust, partner));
            let plain = body
                .clone()
                .all(|l| !counts(&go[l]) || is_exit(&go[l]) || prints_error(&go[l]));
            if leaves && plain {
                let check = (owner != Some(i)).then_some(i);
                for l in check.into_iter().chain(body).filter(|&l| counts(&go[l])) {
                    // With `?` no line of ours prints or leaves; with `let Ok` one may leave.
                    if hands_on || partners[l].is_none() && !prints_error(&go[l]) {
                        carried[l] = Some(partner);
                    }
                }
            }
        } else if let (Some(closed), None) = (deferred_close(&go[i]), partners[i]) {
            let opened = (0..i)
                .rev()
                .take_while(|&l| go[l].function == go[i].function);
            let mut opened = opened.filter(|&l| names(&go[l]).any(|name| name == closed));
            carried[i] = opened
                .find_map(|l| partners[l])
                .filter(|&partner| binds(&rust[partner], closed));
        }
    }
    carried
}

fn names(line: &Line) -> impl Iterator<Item = &str> {
    line.tokens.iter().filter_map(|token| match token {
        Token::Name(name) => Some(name.as_str()),
        _ => None,
    })
}

/// Whether a Go name is that of an error: `err`, `err1`.
pub fn is_error(name: &str) -> bool {
    name.strip_prefix("err")
        .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
}

fn counts(line: &Line) -> bool {
    line.kind == Kind::Code
}

/// Whether a line asks whether there is an error: Go's `err != nil`, Rust's pattern `Err(..)`.
pub fn is_error_check(language: Language, tokens: &[Token]) -> bool {
    let is = |token: &Token, name: &str| matches!(token, Token::Name(n) if n == name);
    match language {
        Language::Go => tokens.windows(4).any(|w| match w {
            [Token::Name(err), Token::Mark("!"), Token::Mark("="), nil] => {
                is_error(err) && is(nil, "nil")
            }
            _ => false,
        }),
        Language::Rust => {
            let arrow = [Token::Mark("="), Token::Mark(">")];
            let arm = is(&tokens[0], "Err") && tokens.windows(2).any(|w| w == arrow);
            arm || tokens
                .windows(2)
                .any(|w| is(&w[0], "let") && is(&w[1], "Err"))
        }
    }
}

/// Whether a Go line opens a block for the error that it asks for.
fn opens_error_block(line: &Line) -> bool {
    let opens = line.tokens.iter().any(|t| matches!(t, Token::Mark("{")));
    names(line).next() == Some("if") && opens && is_error_check(Language::Go, &line.tokens)
}

fn is_exit(line: &Line) -> bool {
    let mut names = names(line);
    matches!(
        (names.next(), names.next()),
        (Some("return" | "break" | "continue"), None)
    )
}

fn prints_error(line: &Line) -> bool {
    let mut all = names(line);
    let print = all.next() == Some("fmt") && all.next().is_some_and(|n| n.starts_with("Print"));
    print && all.any(is_error)
}

fn code_above(go: &[Line], line: usize) -> Option<usize> {
    go[..line].iter().rposition(counts)
}

/// The lines between the bracket that `open` ends with and the one that closes it.
fn block(go: &[Line], open: usize) -> std::ops::Range<usize> {
    let mut depth = 0_i32;
    for (i, line) in go.iter().enumerate().skip(open) {
        for token in &line.tokens {
            match token {
                Token::Mark("{") => depth += 1,
                Token::Mark("}") => depth -= 1,
                _ => {}
            }
            if i > open && depth <= 0 {
                return open + 1..i;
            }
        }
    }
    open + 1..go.len()
}

/// The tokens from the start of a line to the end of the statement that it is in.
fn statement(rust: &[Line], line: usize) -> Vec<Token> {
    let mut tokens = Vec::new();
    for line in &rust[line..] {
        tokens.extend(
            line.tokens
                .iter()
                .filter(|t| !matches!(t, Token::Comment(_)))
                .cloned(),
        );
        let ends = matches!(tokens.last(), Some(Token::Mark(";" | "{" | "}")));
        if ends || line.kind == Kind::Blank {
            break;
        }
    }
    tokens
}

/// `let Ok(..) = .. else` or `while let Ok(..)`.
fn takes_ok(statement: Vec<Token>) -> bool {
    let name = |token: &Token, name: &str| matches!(token, Token::Name(n) if n == name);
    let ok = statement
        .windows(3)
        .any(|w| name(&w[0], "let") && name(&w[1], "Ok") && w[2] == Token::Mark("("));
    ok && statement
        .iter()
        .any(|t| name(t, "else") || name(t, "while"))
}

/// The `x` of `defer x.Close()`.
pub fn deferred_close(line: &Line) -> Option<&str> {
    match &line.tokens[..] {
        [
            Token::Name(defer),
            Token::Name(x),
            Token::Mark("."),
            Token::Name(close),
            ..,
        ] if defer == "defer" && close == "Close" => Some(x),
        _ => None,
    }
}

/// Whether a Rust line has `Ok(0)` or `== 0`: a read of no bytes, which Go calls `io.EOF`.
pub fn is_end_of_file(tokens: &[Token]) -> bool {
    tokens.windows(3).any(|w| match w {
        [before, Token::Mark("(" | "="), Token::Number(zero)] => {
            let ok = matches!(before, Token::Name(name) if name == "Ok");
            zero == "0" && (ok || *before == Token::Mark("="))
        }
        _ => false,
    })
}

/// Whether a Rust line has `[0; n]`, which Go calls `make`.
pub fn makes_array(tokens: &[Token]) -> bool {
    tokens
        .windows(3)
        .any(|w| matches!(w, [Token::Mark("["), Token::Number(_), Token::Mark(";")]))
}

/// Whether a Rust line makes `name` a binding of something owned.
fn binds(line: &Line, name: &str) -> bool {
    let tokens = &line.tokens;
    tokens.iter().enumerate().any(|(i, token)| {
        let mark = |at: usize, mark| tokens.get(at) == Some(&Token::Mark(mark));
        let is = |at: Option<usize>, name: &str| {
            at.and_then(|at| tokens.get(at))
                .is_some_and(|t| matches!(t, Token::Name(n) if n == name))
        };
        let named = matches!(token, Token::Name(n) if n == name);
        let parameter = mark(i + 1, ":") && !mark(i + 2, ":") && !mark(i + 2, "&");
        let before = i.checked_sub(1);
        let bound = is(before, "let")
            || is(before, "mut")
            || tokens
                .iter()
                .take(i)
                .any(|t| matches!(t, Token::Name(n) if n == "let"))
                && !tokens.iter().take(i).any(|t| *t == Token::Mark("="));
        named && (parameter || bound)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sidebyside::source::read;

    fn carried_lines(go: &str, rust: &str, pairs: &[(usize, usize)]) -> Vec<usize> {
        let (go, rust) = (read(Language::Go, go, 1), read(Language::Rust, rust, 1));
        let mut partners = vec![None; go.len()];
        for &(g, r) in pairs {
            partners[g] = Some(r);
        }
        let carried = carried(&go, &rust, &partners);
        (0..go.len()).filter(|&g| carried[g].is_some()).collect()
    }

    const CHECK: &str =
        "n, err := c.Read(b)\nif err != nil {\n\tfmt.Println(\"no\", err)\n\treturn\n}\nuse(n)\n";

    #[test]
    fn a_question_mark_carries_the_check_of_its_call() {
        assert_eq!(
            carried_lines(CHECK, "let n = c.read(&mut b)?;\n", &[(0, 0)]),
            [1, 2, 3]
        );
        let long = "let n = c\n    .read(&mut b)\n    .map_err(because(\"no\"))?;\n";
        assert_eq!(carried_lines(CHECK, long, &[(0, 1)]), [1, 2, 3]);
    }

    #[test]
    fn an_error_that_is_dropped_is_not_printed() {
        assert_eq!(
            carried_lines(CHECK, "let Ok(n) = c.read(&mut b) else {\n", &[(0, 0)]),
            [1, 3]
        );
        assert_eq!(
            carried_lines(CHECK, "while let Ok(n) = c.read(&mut b) {\n", &[(0, 0)]),
            [1, 3]
        );
    }

    #[test]
    fn nothing_is_carried_without_the_call_or_the_construct() {
        assert!(carried_lines(CHECK, "let n = c.read(&mut b)?;\n", &[(5, 0)]).is_empty());
        assert!(carried_lines(CHECK, "let n = c.read(&mut b);\nx()?;\n", &[(0, 0)]).is_empty());
        let more = CHECK.replace("return", "count++");
        assert!(carried_lines(&more, "let n = c.read(&mut b)?;\n", &[(0, 0)]).is_empty());
    }

    #[test]
    fn a_call_within_the_check_is_its_own() {
        let go = "if _, err := c.Write(b); err != nil {\n\tfmt.Println(\"no\", err)\n}\n";
        assert_eq!(carried_lines(go, "c.write_all(b)?;\n", &[(0, 0)]), [1]);
    }

    #[test]
    fn a_scope_closes_what_it_owns() {
        let go = "func f(c Conn) {\ndefer c.Close()\n";
        assert_eq!(carried_lines(go, "fn f(c: TcpStream) {\n", &[(0, 0)]), [1]);
        assert!(carried_lines(go, "fn f(c: &TcpStream) {\n", &[(0, 0)]).is_empty());
        assert!(carried_lines(go, "fn f(d: TcpStream) {\n", &[(0, 0)]).is_empty());
        assert!(carried_lines(go, "fn f(c: TcpStream) {\n", &[]).is_empty());
        let go = "c, err := dial()\nif err != nil {\n\treturn\n}\ndefer c.Close()\n";
        assert_eq!(carried_lines(go, "let mut c = dial();\n", &[(0, 0)]), [4]);
        assert_eq!(carried_lines(go, "let (c, d) = dial();\n", &[(0, 0)]), [4]);
    }
}
