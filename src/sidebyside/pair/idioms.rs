//! Idioms of the two languages that are known by their tokens: error checks, the end of a file.

use crate::sidebyside::read::tokens::{Language, Token};

/// Whether a Go name is that of an error: `err`, `err1`.
pub fn is_error(name: &str) -> bool {
    name.strip_prefix("err")
        .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
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
            let arm = tokens.first().is_some_and(|first| is(first, "Err"))
                && tokens.windows(2).any(|w| w == arrow);
            arm || tokens
                .windows(2)
                .any(|w| is(&w[0], "let") && is(&w[1], "Err"))
        }
    }
}

/// The `x` of `defer x.Close()`.
pub fn deferred_close(tokens: &[Token]) -> Option<&str> {
    match tokens {
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

/// Whether a Rust line opens what is done about any error: an arm `Err(..) =>` without a condition,
/// `if let Err(..)`, or a closure `|err| {`.
pub fn catches_error(tokens: &[Token]) -> bool {
    let is = |token: &Token, name: &str| matches!(token, Token::Name(n) if n == name);
    let closure = |w: &[Token]| {
        let bars = w[0] == Token::Mark("|") && w[2] == Token::Mark("|");
        bars && matches!(&w[1], Token::Name(name) if is_error(name))
    };
    let guarded =
        tokens.first().is_some_and(|t| is(t, "Err")) && tokens.iter().any(|t| is(t, "if"));
    is_error_check(Language::Rust, tokens) && !guarded || tokens.windows(3).any(closure)
}
