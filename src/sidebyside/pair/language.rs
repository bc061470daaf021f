//! What Go writes out and Rust does by itself.
//!
//! Some lines of Go have none in Rust because the language answers for them. Such a line is *carried*
//! by the Rust line whose construct does its work:
//!
//! - **An error that is handed on.** A call followed by `if err != nil {` .. `}`: if the call is paired
//!   with a statement that hands the error on (it has `?`, or its value is what the function returns),
//!   this carries the question and, in the block, the lines that print the error or leave. So does
//!   `let Ok(..) = .. else` or `while let Ok(..)` for the question and the leaving, but not for the
//!   printing: there the error is dropped. `if let Err(..) = ..` and a `match` on the call, or on the
//!   variable that takes its result, have the question, and lines of their own for the rest; an arm that
//!   returns the error carries what is left of that.
//! - **The end of what there is to read.** `let Some(..) = .. else` has the question `if n == 0 {`, too.
//! - **The end of a scope.** `defer x.Close()` after a line that names `x`, if that is paired with one
//!   that makes `x` a binding of ours (`let x`, `x: T`, `|x|`) and not a reference (`x: &T`): a socket or
//!   file that is owned is closed when its scope ends, whichever way.
//! - **The head of a loop.** `for {` with a line that is paired with `for x in ..` or `while let ..`, which
//!   take the next one and go round again, or with a line in a loop of ours.
//! - **The fields of a value** that a constructor of ours, `T::new(..)`, fills.
//! - **The name of what was read.** `msg := string(buf[:n])` after a read: ours takes the message in the
//!   line that reads it, `let Some(msg) = ..`.
//! - **The declaration.** `var x T` without a value: in Rust a variable is made with its value, by the `let x`
//!   in the same function.
//! - **The last value.** A bare `return` at the end of a function, after a line paired with what ours
//!   returns.
//!
//! A line is carried only if the line that it belongs to is paired, and only by that line's partner.

use std::iter;
use std::ops::Range;

use crate::sidebyside::pair::idioms::{
    catches_error, deferred_close, is_end_of_file, is_error, is_error_check,
};
use crate::sidebyside::pair::statement::Statement;
use crate::sidebyside::read::source::{Kind, Line};
use crate::sidebyside::read::tokens::{Language, Token};

/// Finds the Go lines that are carried: for each, the Rust line that carries it. `partners` holds
/// the Rust line that each Go line is paired with.
pub fn carried(go: &[Line], rust: &[Line], partners: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut carried = vec![None; go.len()];
    let openers = openers(rust);
    for i in 0..go.len() {
        if opens_error_block(&go[i]) {
            let asks = partners[i].is_some();
            let owner = if asks { Some(i) } else { call_above(go, i) };
            let Some(partner) = owner.and_then(|owner| partners[owner]) else {
                continue;
            };
            let partner = Statement::asked_at(rust, partner);
            let statement = Statement::at(rust, partner);
            if !asks && statement.asks() {
                carried[i] = Some(partner);
            }
            let arm = block(rust, partner)
                .filter(|_| statement.has("match"))
                .find(|&arm| catches_error(&rust[arm].tokens) && returns_error(&rust[arm]));
            for l in block(go, i).filter(|&l| partners[l].is_none()) {
                let handed_on = is_exit(&go[l]) || prints_error(&go[l]) || is_else_for_error(go, l);
                if statement.hands_on() && handed_on || statement.takes_ok() && is_exit(&go[l]) {
                    carried[l] = Some(partner);
                } else if handed_on {
                    carried[l] = arm;
                }
            }
        } else if partners[i].is_none() {
            carried[i] = carried[i]
                .or_else(|| scope_end(go, rust, partners, i))
                .or_else(|| loop_head(go, rust, partners, &openers, i))
                .or_else(|| end_of_input(go, rust, partners, i))
                .or_else(|| field(go, rust, partners, i))
                .or_else(|| named_there(go, rust, partners, i))
                .or_else(|| declaration(go, rust, i))
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
        let mut call = i;
        if !has_call(&go[i]) {
            call = call_above(go, i).unwrap_or(i);
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

/// For each line of ours, whether it is where an error is handled, or the end of what there is to read.
pub fn handles(rust: &[Line]) -> Vec<bool> {
    let catches = |line: &Line| catches_error(&line.tokens) || is_end_of_file(&line.tokens);
    let openers = openers(rust);
    (0..rust.len())
        .map(|r| catches(&rust[r]) || openers[r].is_some_and(|opener| catches(&rust[opener])))
        .collect()
}

/// For each line the one that opens the innermost block around it.
pub fn openers(lines: &[Line]) -> Vec<Option<usize>> {
    let mut open = Vec::new();
    let mut openers = Vec::with_capacity(lines.len());
    for (i, line) in lines.iter().enumerate() {
        let mut around = open.last().copied();
        for token in &line.tokens {
            match token {
                Token::Mark("{") => open.push(i),
                Token::Mark("}") => {
                    open.pop();
                    around = open.last().copied();
                }
                _ => {}
            }
        }
        openers.push(around);
    }
    openers
}

/// Whether a question has its call before it: `if err := f(); err != nil {`.
fn has_call(line: &Line) -> bool {
    line.tokens.contains(&Token::Mark(";"))
}

/// The line whose error a question asks for: the last one above, in the function, that sets an error.
fn call_above(go: &[Line], question: usize) -> Option<usize> {
    let sets_error = |line: &Line| {
        let end = line.tokens.iter().position(|t| *t == Token::Mark("="));
        let set = line.tokens[..end.unwrap_or(0)].iter();
        !opens_error_block(line)
            && set
                .clone()
                .any(|t| matches!(t, Token::Name(name) if is_error(name)))
    };
    let above = (0..question).rev();
    let mut above = above.take_while(|&l| go[l].function == go[question].function);
    above.find(|&l| counts(&go[l]) && sets_error(&go[l]))
}

fn scope_end(go: &[Line], rust: &[Line], partners: &[Option<usize>], i: usize) -> Option<usize> {
    let closed = deferred_close(&go[i].tokens)?;
    let opened = (0..i)
        .rev()
        .take_while(|&l| go[l].function == go[i].function);
    let mut opened = opened.filter(|&l| go[l].names().any(|name| name == closed));
    opened
        .find_map(|l| partners[l])
        .filter(|&partner| binds(&rust[partner], closed))
}

fn loop_head(
    go: &[Line],
    rust: &[Line],
    partners: &[Option<usize>],
    openers: &[Option<usize>],
    i: usize,
) -> Option<usize> {
    let is_loop = |line: &Line| {
        let word = line.names().next();
        word.is_some_and(|word| matches!(word, "for" | "while" | "loop"))
    };
    let endless = go[i].names().eq(["for"]) && go[i].tokens.len() == 2;
    let body = block(go, i).filter(|_| endless);
    let mut body = body.take_while(|&l| !is_loop(&go[l]));
    body.find_map(|l| {
        let mut around = iter::successors(partners[l], |&r| openers[r]);
        around.find(|&r| is_loop(&rust[r]))
    })
}

fn end_of_input(go: &[Line], rust: &[Line], partners: &[Option<usize>], i: usize) -> Option<usize> {
    let partner = partners[code_above(go, i)?]?;
    let asks = go[i].names().next() == Some("if") && is_end_of_file(&go[i].tokens);
    (asks && Statement::at(rust, partner).takes_ok()).then_some(partner)
}

fn field(go: &[Line], rust: &[Line], partners: &[Option<usize>], i: usize) -> Option<usize> {
    let [Token::Name(_), Token::Mark(":"), after, ..] = &go[i].tokens[..] else {
        return None;
    };
    let opener = (0..i).rev().find(|&l| block(go, l).contains(&i))?;
    let [.., Token::Name(made), Token::Mark("{")] = &go[opener].tokens[..] else {
        return None;
    };
    let partner = partners[opener].filter(|_| *after != Token::Mark("="))?;
    let constructor = rust[partner].tokens.windows(3).any(|w| match w {
        [Token::Name(name), colon, other] => {
            name == made && *colon == Token::Mark(":") && colon == other
        }
        _ => false,
    });
    constructor.then_some(partner)
}

fn named_there(go: &[Line], rust: &[Line], partners: &[Option<usize>], i: usize) -> Option<usize> {
    const NEAR: usize = 12;
    let [Token::Name(name), Token::Mark(":"), Token::Mark("="), ..] = &go[i].tokens[..] else {
        return None;
    };
    let above = (i.saturating_sub(NEAR)..i).rev();
    let mut above = above.take_while(|&l| go[l].function == go[i].function);
    above.find_map(|l| partners[l].filter(|&r| binds(&rust[r], name)))
}

fn declaration(go: &[Line], rust: &[Line], i: usize) -> Option<usize> {
    let [Token::Name(var), Token::Name(declared), ..] = &go[i].tokens[..] else {
        return None;
    };
    let bare = var == "var" && !go[i].tokens.contains(&Token::Mark("="));
    let makes = |line: &Line| {
        let names = line.names().filter(|name| *name != "mut");
        let same = line.function == go[i].function && line.function.is_some();
        same && names.take(2).eq(["let", declared])
    };
    rust.iter().position(makes).filter(|_| bare)
}

fn last_value(go: &[Line], rust: &[Line], partners: &[Option<usize>], i: usize) -> Option<usize> {
    let last = go
        .get(i + 2)
        .is_none_or(|after| after.function != go[i].function);
    let bare = go[i].names().eq(["return"]) && last;
    let partner = partners[code_above(go, i).filter(|_| bare)?]?;
    Statement::at(rust, partner).last.then_some(partner)
}

fn counts(line: &Line) -> bool {
    line.kind == Kind::Code
}

/// Whether a Go line opens a block for the error that it asks for.
fn opens_error_block(line: &Line) -> bool {
    let opens = line.tokens.iter().any(|t| matches!(t, Token::Mark("{")));
    line.names().next() == Some("if") && opens && is_error_check(Language::Go, &line.tokens)
}

fn is_exit(line: &Line) -> bool {
    let mut names = line.names();
    matches!(
        (names.next(), names.next()),
        (Some("return" | "break" | "continue"), None)
    )
}

fn prints_error(line: &Line) -> bool {
    let mut all = line.names();
    let print = all.next() == Some("fmt") && all.next().is_some_and(|n| n.starts_with("Print"));
    print && all.any(is_error)
}

fn code_above(go: &[Line], line: usize) -> Option<usize> {
    go[..line].iter().rposition(counts)
}

/// The lines between the bracket that `open` ends with and the one that closes it.
pub fn block(go: &[Line], open: usize) -> Range<usize> {
    let mut depth = 0_i32;
    for (i, line) in go.iter().enumerate().skip(open) {
        for token in &line.tokens {
            match token {
                Token::Mark("{") => depth += 1,
                // What closes before it opens is another block: `} else {`.
                Token::Mark("}") if i > open || depth > 0 => depth -= 1,
                _ => {}
            }
            if i > open && depth <= 0 {
                return open + 1..i;
            }
        }
    }
    open + 1..go.len()
}

/// Whether a line of ours gives an error to whoever called.
fn returns_error(line: &Line) -> bool {
    let names: Vec<&str> = line.names().collect();
    names.contains(&"return") && names.iter().filter(|name| **name == "Err").count() > 1
}

/// `} else {` before the printing of an error.
fn is_else_for_error(go: &[Line], line: usize) -> bool {
    go[line].names().eq(["else"]) && go.get(line + 1).is_some_and(prints_error)
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
        let closure = i > 0 && mark(i - 1, "|") && mark(i + 1, "|");
        let parameter = closure || mark(i + 1, ":") && !mark(i + 2, ":") && !mark(i + 2, "&");
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
        let (go, rust) = (
            read(Language::Go, "", go, 1),
            read(Language::Rust, "", rust, 1),
        );
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
