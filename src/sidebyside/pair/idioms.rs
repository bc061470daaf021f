//! Idioms of the two languages that are known by their tokens: error checks, the end of a file.

use crate::sidebyside::read::tokens::{Language, Token, has, starts};

/// Whether a Go name is that of an error: `err`, `err1`.
pub fn is_error(name: &str) -> bool {
    name.strip_prefix("err")
        .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
}

/// Whether a line checks for an error: Go's `err != nil`, Rust's pattern `Err(..)`.
pub fn is_error_check(language: Language, tokens: &[Token]) -> bool {
    match language {
        Language::Go => (0..tokens.len()).any(|at| {
            tokens[at].name().is_some_and(is_error) && starts(&tokens[at + 1..], "! = nil")
        }),
        Language::Rust => has(tokens, "let Err") || starts(tokens, "Err") && has(tokens, "= >"),
    }
}

/// Whether a Rust line opens what is done about any error: an arm `Err(..) =>` without a condition,
/// `if let Err(..)`, or a closure `|err| {`.
pub fn catches_error(tokens: &[Token]) -> bool {
    let guarded = starts(tokens, "Err") && has(tokens, "if");
    is_error_check(Language::Rust, tokens) && !guarded || has(tokens, "| err |")
}

/// The `x` of `defer x.Close()`.
pub fn deferred_close(tokens: &[Token]) -> Option<&str> {
    let closes = starts(tokens, "defer") && has(tokens, ". Close");
    tokens.get(1)?.name().filter(|_| closes)
}

/// Whether a line has Rust's `Ok(0)` or `n == 0`: a read of no bytes, which Go calls `io.EOF`.
pub fn is_end_of_file(tokens: &[Token]) -> bool {
    has(tokens, "Ok ( 0") || has(tokens, "= = 0")
}
