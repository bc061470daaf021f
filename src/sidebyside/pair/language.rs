//! What Go spells out and Rust does by itself.
//!
//! Some lines of Go have no line of their own in Rust, because a construct of the language does the same.
//! Such a line is *carried* by the Rust line that has the construct:
//!
//! - **A propagated error.** A call followed by `if err != nil {` .. `}`: if the call is paired with a
//!   statement that propagates the error (it has `?`, or its value is what the function returns), this
//!   statement carries the check and, in the block, the lines that print the error or leave. So does
//!   `let Ok(..) = .. else` or `while let Ok(..)`, but not for the printing: the error is ignored there.
//!   `if let Err(..) = ..` and a `match` on the call carry the check alone.
//! - **The end of input.** `let Some(..) = .. else` also carries the check `if n == 0 {`.
//! - **The end of a scope.** `defer x.Close()` after a line that names `x`, if that is paired with one
//!   that makes `x` a binding of ours (`let x`, `x: T`, `|x|`) and not a reference (`x: &T`): a socket or
//!   file that is owned is closed at the end of its scope.
//! - **The head of a loop.** `for {` with a line that is paired with `for x in ..` or `while let ..`, or with
//!   a line in a loop of ours.
//! - **The fields of a value** that a constructor of ours, `T::new(..)`, sets.
//! - **The name of what was read.** `msg := string(buf[:n])` after a read: ours names the message in the
//!   line that reads it, `let Some(msg) = ..`.
//! - **The declaration.** `var x T` without a value: in Rust a variable is declared with its value, by the
//!   `let x` in the same function.
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
use crate::sidebyside::read::source::Line;
use crate::sidebyside::read::tokens::{Language, Token, has, starts};

/// Finds the Go lines that are carried: for each, the Rust line that carries it. `partners` holds
/// the Rust line that each Go line is paired with.
pub fn carried(go: &[Line], rust: &[Line], partners: &[Option<usize>]) -> Vec<Option<usize>> {
    let sides = Sides {
        go,
        rust,
        partners,
        go_openers: openers(go),
        openers: openers(rust),
    };
    let mut carried = vec![None; go.len()];
    for i in 0..go.len() {
        if opens_error_block(&go[i]) {
            sides.error_block(i, &mut carried);
        } else if partners[i].is_none() {
            carried[i] = carried[i]
                .or_else(|| sides.bound_above(i))
                .or_else(|| sides.loop_head(i))
                .or_else(|| sides.end_of_input(i))
                .or_else(|| sides.field(i))
                .or_else(|| sides.declaration(i))
                .or_else(|| sides.last_value(i));
        }
    }
    carried
}

/// Whether lines of ours may handle an error of the statement that a line is in: it is not propagated.
pub fn answers(rust: &[Line], line: usize) -> bool {
    !Statement::at(rust, line).propagates()
}

/// For each Go line that only handles an error, the line of the call: for the check, and for its block if
/// that does nothing but print the error and leave. If no call is found, it is the line of the check.
pub fn error_handling(go: &[Line]) -> Vec<Option<usize>> {
    let mut handling = vec![None; go.len()];
    let openers = openers(go);
    for i in (0..go.len()).filter(|&i| opens_error_block(&go[i])) {
        let mut call = i;
        // A check may have its call before it: `if err := f(); err != nil {`.
        if !go[i].has(";") {
            call = call_above(go, i).unwrap_or(i);
            handling[i] = Some(call);
        }
        let plain = |l: usize| !go[l].is_code() || is_exit(&go[l]) || prints_error(&go[l]);
        let body = block(&openers, i);
        if body.clone().all(plain) {
            handling[body].fill(Some(call));
        }
    }
    handling
}

/// For each line of ours, whether it handles an error or the end of input.
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
            if token.is("{") {
                open.push(i);
            } else if token.is("}") {
                open.pop();
                around = open.last().copied();
            }
        }
        openers.push(around);
    }
    openers
}

/// The lines in the block that line `open` opens.
pub fn block(openers: &[Option<usize>], open: usize) -> Range<usize> {
    let inside = |line: &usize| around(openers, *line).any(|opener| opener == open);
    open + 1..open + 1 + (open + 1..openers.len()).take_while(inside).count()
}

/// The lines that open the blocks around a line, from the innermost.
pub fn around(openers: &[Option<usize>], line: usize) -> impl Iterator<Item = usize> {
    iter::successors(openers[line], |&opener| openers[opener])
}

struct Sides<'a> {
    go: &'a [Line],
    rust: &'a [Line],
    partners: &'a [Option<usize>],
    /// The openers of both.
    go_openers: Vec<Option<usize>>,
    openers: Vec<Option<usize>>,
}

impl Sides<'_> {
    fn error_block(&self, i: usize, carried: &mut [Option<usize>]) {
        let (go, rust) = (self.go, self.rust);
        let paired = self.partners[i].is_some();
        let call = if paired { Some(i) } else { call_above(go, i) };
        let Some(partner) = call.and_then(|call| self.partners[call]) else {
            return;
        };
        let statement = Statement::at(rust, partner);
        if !paired && statement.checks() {
            carried[i] = Some(partner);
        }
        for l in block(&self.go_openers, i).filter(|&l| self.partners[l].is_none()) {
            let leaves = is_exit(&go[l]);
            let else_prints = go[l].names().eq(["else"]) && go.get(l + 1).is_some_and(prints_error);
            let handles = leaves || prints_error(&go[l]) || else_prints;
            if statement.propagates() && handles || statement.takes_ok() && leaves {
                carried[l] = Some(partner);
            }
        }
    }

    /// For `defer x.Close()` and `x := ..` a line of ours that binds `x`, beside a line above.
    fn bound_above(&self, i: usize) -> Option<usize> {
        let tokens = &self.go[i].tokens;
        let defined = starts(tokens.get(1..)?, ": =").then(|| tokens[0].name());
        let name = deferred_close(tokens).or(defined.flatten())?;
        let mut partners = above(self.go, i).filter_map(|l| self.partners[l]);
        partners.find(|&r| binds(&self.rust[r].tokens, name))
    }

    fn loop_head(&self, i: usize) -> Option<usize> {
        let words = ["for", "while", "loop"];
        let is_loop = |line: &Line| words.iter().any(|word| starts(&line.tokens, word));
        let endless = self.go[i].names().eq(["for"]) && self.go[i].tokens.len() == 2;
        let body = block(&self.go_openers, i).filter(|_| endless);
        let mut body = body.take_while(|&l| !is_loop(&self.go[l]));
        body.find_map(|l| {
            let partner = self.partners[l]?;
            let mut heads = iter::once(partner).chain(around(&self.openers, partner));
            heads.find(|&r| is_loop(&self.rust[r]))
        })
    }

    fn end_of_input(&self, i: usize) -> Option<usize> {
        let partner = self.partners[self.code_above(i)?]?;
        let tokens = &self.go[i].tokens;
        let checks = starts(tokens, "if") && is_end_of_file(tokens);
        (checks && Statement::at(self.rust, partner).takes_ok()).then_some(partner)
    }

    fn field(&self, i: usize) -> Option<usize> {
        let opener = self.go_openers[i]?;
        let [.., made, bracket] = &self.go[opener].tokens[..] else {
            return None;
        };
        let field = starts(self.go[i].tokens.get(1..)?, ":") && bracket.is("{");
        let constructor = format!("{} : :", made.name()?);
        self.partners[opener].filter(|&r| field && self.rust[r].has(&constructor))
    }

    fn declaration(&self, i: usize) -> Option<usize> {
        let line = &self.go[i];
        let bare = starts(&line.tokens, "var") && !line.has("=");
        let declared = line.names().nth(1).filter(|_| bare)?;
        let makes = |ours: &Line| {
            let names = ours.names().filter(|name| *name != "mut");
            ours.function == line.function && names.take(2).eq(["let", declared])
        };
        self.rust.iter().position(makes)
    }

    fn last_value(&self, i: usize) -> Option<usize> {
        let after = self.go.get(i + 2);
        let last = after.is_none_or(|after| after.function != self.go[i].function);
        let bare = self.go[i].names().eq(["return"]) && last;
        let partner = self.partners[self.code_above(i).filter(|_| bare)?]?;
        Statement::at(self.rust, partner).last.then_some(partner)
    }

    fn code_above(&self, i: usize) -> Option<usize> {
        self.go[..i].iter().rposition(Line::is_code)
    }
}

/// Lines above in the function, from below.
fn above(go: &[Line], line: usize) -> impl Iterator<Item = usize> {
    let above = (0..line).rev();
    above.take_while(move |&l| go[l].function == go[line].function)
}

/// The line whose error is checked: the last one above the check, in the function, that sets an error.
fn call_above(go: &[Line], check: usize) -> Option<usize> {
    let sets_error = |line: &Line| {
        let mut set = line.tokens.iter().take_while(|token| !token.is("="));
        let error = |token: &Token| token.name().is_some_and(is_error);
        line.has("=") && !opens_error_block(line) && set.any(error)
    };
    above(go, check).find(|&l| go[l].is_code() && sets_error(&go[l]))
}

/// Whether a Go line checks for an error and opens a block.
fn opens_error_block(line: &Line) -> bool {
    starts(&line.tokens, "if") && line.has("{") && is_error_check(Language::Go, &line.tokens)
}

fn is_exit(line: &Line) -> bool {
    let names: Vec<&str> = line.names().collect();
    matches!(names[..], ["return" | "break" | "continue"])
}

fn prints_error(line: &Line) -> bool {
    let mut names = line.names();
    let print = names.next() == Some("fmt") && names.next().is_some_and(|n| n.starts_with("Print"));
    print && names.any(is_error)
}

/// Whether a Rust line makes `name` a binding of something owned.
fn binds(tokens: &[Token], name: &str) -> bool {
    (0..tokens.len()).filter(|&i| tokens[i].is(name)).any(|i| {
        let (before, after) = (&tokens[..i], &tokens[i + 1..]);
        let closure = before.last().is_some_and(|token| token.is("|")) && starts(after, "|");
        let typed = starts(after, ":") && !starts(after, ": :") && !starts(after, ": &");
        let bound = has(before, "let") && !has(before, "=");
        closure || typed || bound
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
    fn propagated_error_carries_the_error_block() {
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
    fn ignored_error_does_not_carry_the_print() {
        for rust in [
            "let Ok(n) = c.read(&mut b) else {\n",
            "while let Ok(n) = c.read(&mut b) {\n",
        ] {
            assert_eq!(carried_lines(CHECK, rust, &[(0, 0)]), [1, 3], "{rust}");
        }
        assert!(carried_lines(CHECK, "    c.read(&mut b).unwrap_or(0)\n}\n", &[(0, 0)]).is_empty());
    }

    #[test]
    fn match_checks_the_error_and_its_arms_handle_it() {
        assert_eq!(
            carried_lines(CHECK, "let n = match c.read(&mut b) {\n", &[(0, 0)]),
            [1]
        );
    }

    #[test]
    fn nothing_is_carried_without_a_paired_call_and_a_construct() {
        assert!(carried_lines(CHECK, "let n = c.read(&mut b)?;\n", &[(5, 0)]).is_empty());
        assert!(carried_lines(CHECK, "let n = c.read(&mut b);\nx()?;\n", &[(0, 0)]).is_empty());
        let more = CHECK.replace("return", "count++");
        assert_eq!(
            carried_lines(&more, "let n = c.read(&mut b)?;\n", &[(0, 0)]),
            [1, 2]
        );
    }

    #[test]
    fn end_of_file_is_not_propagated_as_an_error() {
        let go = "n, err := f.Read(b)\nif err != nil {\n\tif err == io.EOF {\n\t\tfmt.Println(\"done\")\n\t} else {\n\t\tfmt.Println(\"no\", err)\n\t}\n\treturn\n}\n";
        let rust = "let n = f.read(&mut b)?;\nif n == 0 {\n    done();\n    return;\n}\n";
        assert_eq!(
            carried_lines(go, rust, &[(0, 0), (2, 1), (3, 2), (7, 3)]),
            [1, 4, 5]
        );
    }

    #[test]
    fn call_inside_the_check_is_the_checked_call() {
        let go = "if _, err := c.Write(b); err != nil {\n\tfmt.Println(\"no\", err)\n}\n";
        assert_eq!(carried_lines(go, "c.write_all(b)?;\n", &[(0, 0)]), [1]);
    }

    #[test]
    fn endless_for_is_carried_by_for_and_while_let() {
        let go = "for {\n\tc, err := l.Accept()\n";
        assert_eq!(carried_lines(go, "for c in acceptor {\n", &[(1, 0)]), [0]);
        assert_eq!(
            carried_lines(go, "while let Ok(c) = l.accept() {\n", &[(1, 0)]),
            [0]
        );
        assert!(carried_lines(go, "let c = l.accept();\n", &[(1, 0)]).is_empty());
    }

    #[test]
    fn bare_return_is_carried_by_the_last_expression() {
        let go = "func f() (s string) {\n\ts = g()\n\treturn\n}\n";
        assert_eq!(carried_lines(go, "fn f() {\n    g()\n}\n", &[(1, 1)]), [2]);
        assert!(carried_lines(go, "fn f() {\n    g();\n}\n", &[(1, 1)]).is_empty());
    }

    #[test]
    fn end_of_scope_replaces_the_deferred_close_of_an_owned_value() {
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
