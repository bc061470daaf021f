//! What Go writes out and Rust does by itself.
//!
//! Some lines of Go have none in Rust because the language answers for them. Such a line is *carried*
//! by the Rust line whose construct does its work:
//!
//! - **An error that is handed on.** A call followed by `if err != nil {` .. `}`: if the call is paired
//!   with a statement that hands the error on (it has `?`, or its value is what the function returns),
//!   this carries the question and, in the block, the lines that print the error or leave. So does
//!   `let Ok(..) = .. else` or `while let Ok(..)` for the question and the leaving, but not for the
//!   printing: there the error is dropped. `if let Err(..) = ..` and a `match` on the call have the
//!   question, and lines of their own for the rest.
//! - **The end of a scope.** `defer x.Close()` after a line that names `x`, if that is paired with one
//!   that makes `x` a binding of ours (`let x`, `x: T`) and not a reference (`x: &T`): a socket or
//!   file that is owned is closed when its scope ends, whichever way.
//! - **The head of a loop.** `for {` whose first line is paired with `for x in ..` or `while let ..`:
//!   this takes the next one and goes round again.
//! - **The last value.** A bare `return` at the end of a function, after a line paired with what ours
//!   returns.
//!
//! A line is carried only if the line that it belongs to is paired, and only by that line's partner.

use std::ops::Range;

use crate::sidebyside::pair::idioms::{deferred_close, is_error, is_error_check};
use crate::sidebyside::pair::statement::Statement;
use crate::sidebyside::read::source::{Kind, Line};
use crate::sidebyside::read::tokens::{Language, Token};

/// Finds the Go lines that are carried: for each, the Rust line that carries it. `partners` holds
/// the Rust line that each Go line is paired with.
pub fn carried(go: &[Line], rust: &[Line], partners: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut carried = vec![None; go.len()];
    for i in 0..go.len() {
        if opens_error_block(&go[i]) {
            let asks = partners[i].is_some();
            let owner = if asks { Some(i) } else { code_above(go, i) };
            let owner = owner.filter(|&owner| names(&go[owner]).any(is_error));
            let Some(partner) = owner.and_then(|owner| partners[owner]) else {
                continue;
            };
            let statement = Statement::at(rust, partner);
            let body = block(go, i);
            if !asks && statement.asks() {
                carried[i] = Some(partner);
            }
            for l in body.filter(|&l| partners[l].is_none()) {
                let handed_on = is_exit(&go[l]) || prints_error(&go[l]) || is_else_for_error(go, l);
                if statement.hands_on() && handed_on || statement.takes_ok() && is_exit(&go[l]) {
                    carried[l] = Some(partner);
                }
            }
        } else if partners[i].is_none() {
            carried[i] = carried[i]
                .or_else(|| scope_end(go, rust, partners, i))
                .or_else(|| loop_head(go, rust, partners, i))
                .or_else(|| last_value(go, rust, partners, i));
        }
    }
    carried
}

/// Whether lines of ours may answer for an error of the statement that a line is in: it is neither
/// handed on nor dropped, and no loop, which goes on without a word.
pub fn answers(rust: &[Line], line: usize) -> bool {
    let statement = Statement::at(rust, line);
    let loops = ["for", "while"].iter().any(|word| statement.has(word));
    !statement.hands_on() && !statement.takes_ok() && !loops
}

/// Of the Go lines that only handle an error, the line of the call: of the question, and of the block
/// if it does nothing but print the error and leave. Where no call is to be found, it is the question.
pub fn error_handling(go: &[Line]) -> Vec<Option<usize>> {
    let mut handling = vec![None; go.len()];
    for i in (0..go.len()).filter(|&i| opens_error_block(&go[i])) {
        let above = code_above(go, i).filter(|&above| names(&go[above]).any(is_error));
        let call = if has_call(&go[i]) {
            i
        } else {
            above.unwrap_or(i)
        };
        if !has_call(&go[i]) {
            handling[i] = Some(call);
        }
        let plain = |l: usize| !counts(&go[l]) || is_exit(&go[l]) || prints_error(&go[l]);
        let body = block(go, i);
        if body.clone().all(plain) {
            handling[body].fill(Some(call));
        }
    }
    handling
}

/// Whether a question has its call before it: `if err := f(); err != nil {`.
fn has_call(line: &Line) -> bool {
    line.tokens.contains(&Token::Mark(";"))
}

fn scope_end(go: &[Line], rust: &[Line], partners: &[Option<usize>], i: usize) -> Option<usize> {
    let closed = deferred_close(&go[i])?;
    let opened = (0..i)
        .rev()
        .take_while(|&l| go[l].function == go[i].function);
    let mut opened = opened.filter(|&l| names(&go[l]).any(|name| name == closed));
    opened
        .find_map(|l| partners[l])
        .filter(|&partner| binds(&rust[partner], closed))
}

fn loop_head(go: &[Line], rust: &[Line], partners: &[Option<usize>], i: usize) -> Option<usize> {
    let endless = names(&go[i]).eq(["for"]) && go[i].tokens.len() == 2;
    let first = (i + 1..go.len())
        .find(|&l| counts(&go[l]))
        .filter(|_| endless)?;
    let partner = partners[first]?;
    names(&rust[partner])
        .next()
        .filter(|name| matches!(*name, "for" | "while"))?;
    Some(partner)
}

fn last_value(go: &[Line], rust: &[Line], partners: &[Option<usize>], i: usize) -> Option<usize> {
    let last = go
        .get(i + 2)
        .is_none_or(|after| after.function != go[i].function);
    let bare = names(&go[i]).eq(["return"]) && last;
    let partner = partners[code_above(go, i).filter(|_| bare)?]?;
    Statement::at(rust, partner).last.then_some(partner)
}

fn names(line: &Line) -> impl Iterator<Item = &str> {
    line.tokens.iter().filter_map(|token| match token {
        Token::Name(name) => Some(name.as_str()),
        _ => None,
    })
}

fn counts(line: &Line) -> bool {
    line.kind == Kind::Code
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
fn block(go: &[Line], open: usize) -> Range<usize> {
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

/// `} else {` before the printing of an error.
fn is_else_for_error(go: &[Line], line: usize) -> bool {
    names(&go[line]).eq(["else"]) && go.get(line + 1).is_some_and(prints_error)
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
    use crate::sidebyside::read::source::read;

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
    fn an_error_that_is_handed_on_carries_the_block() {
        for rust in [
            "let n = c.read(&mut b)?;\n",
            "let n = c.read(&mut b).map_err(|err| {\n    f(err)\n})?;\n",
            "    c.read(&mut b)\n}\n",
        ] {
            assert_eq!(carried_lines(CHECK, rust, &[(0, 0)]), [1, 2, 3], "{rust}");
        }
        let long = "let n = c\n    .read(&mut b)\n    .map_err(context(\"no\"))?;\n";
        assert_eq!(carried_lines(CHECK, long, &[(0, 1)]), [1, 2, 3]);
    }

    #[test]
    fn an_error_that_is_dropped_is_not_printed() {
        for rust in [
            "let Ok(n) = c.read(&mut b) else {\n",
            "while let Ok(n) = c.read(&mut b) {\n",
        ] {
            assert_eq!(carried_lines(CHECK, rust, &[(0, 0)]), [1, 3], "{rust}");
        }
        assert!(carried_lines(CHECK, "    c.read(&mut b).unwrap_or(0)\n}\n", &[(0, 0)]).is_empty());
    }

    #[test]
    fn a_match_asks_but_its_arms_answer() {
        assert_eq!(
            carried_lines(CHECK, "let n = match c.read(&mut b) {\n", &[(0, 0)]),
            [1]
        );
    }

    #[test]
    fn nothing_is_carried_without_the_call_or_the_construct() {
        assert!(carried_lines(CHECK, "let n = c.read(&mut b)?;\n", &[(5, 0)]).is_empty());
        assert!(carried_lines(CHECK, "let n = c.read(&mut b);\nx()?;\n", &[(0, 0)]).is_empty());
        let more = CHECK.replace("return", "count++");
        assert_eq!(
            carried_lines(&more, "let n = c.read(&mut b)?;\n", &[(0, 0)]),
            [1, 2]
        );
    }

    #[test]
    fn the_end_of_a_file_is_no_error_to_hand_on() {
        let go = "n, err := f.Read(b)\nif err != nil {\n\tif err == io.EOF {\n\t\tfmt.Println(\"done\")\n\t} else {\n\t\tfmt.Println(\"no\", err)\n\t}\n\treturn\n}\n";
        let rust = "let n = f.read(&mut b)?;\nif n == 0 {\n    done();\n    return;\n}\n";
        assert_eq!(
            carried_lines(go, rust, &[(0, 0), (2, 1), (3, 2), (7, 3)]),
            [1, 4, 5]
        );
    }

    #[test]
    fn a_call_within_the_check_is_its_own() {
        let go = "if _, err := c.Write(b); err != nil {\n\tfmt.Println(\"no\", err)\n}\n";
        assert_eq!(carried_lines(go, "c.write_all(b)?;\n", &[(0, 0)]), [1]);
    }

    #[test]
    fn the_head_of_a_loop_takes_what_comes() {
        let go = "for {\n\tc, err := l.Accept()\n";
        assert_eq!(carried_lines(go, "for c in acceptor {\n", &[(1, 0)]), [0]);
        assert_eq!(
            carried_lines(go, "while let Ok(c) = l.accept() {\n", &[(1, 0)]),
            [0]
        );
        assert!(carried_lines(go, "let c = l.accept();\n", &[(1, 0)]).is_empty());
    }

    #[test]
    fn the_last_value_is_returned() {
        let go = "func f() (s string) {\n\ts = g()\n\treturn\n}\n";
        assert_eq!(carried_lines(go, "fn f() {\n    g()\n}\n", &[(1, 1)]), [2]);
        assert!(carried_lines(go, "fn f() {\n    g();\n}\n", &[(1, 1)]).is_empty());
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
