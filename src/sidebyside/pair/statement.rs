//! A statement of ours, as far as it matters what becomes of an error in it.

use crate::sidebyside::pair::idioms::is_error_check;
use crate::sidebyside::read::source::Line;
use crate::sidebyside::read::tokens::{Language, Token};

/// From a line of ours to the end of the statement that it is in.
pub struct Statement {
    tokens: Vec<Token>,
    /// Whether its value is that of the block that it stands in.
    pub last: bool,
}

impl Statement {
    /// The statement that a line is in, from that line on.
    pub fn at(rust: &[Line], line: usize) -> Statement {
        let mut statement = Statement {
            tokens: Vec::new(),
            last: false,
        };
        let mut depth = 0_i32;
        for line in &rust[line..] {
            let opens = line.tokens.first();
            if depth <= 0 && matches!(opens, Some(Token::Mark("}"))) {
                statement.last = true;
                break;
            }
            for token in &line.tokens {
                match token {
                    Token::Mark("(" | "[" | "{") => depth += 1,
                    Token::Mark(")" | "]" | "}") => depth -= 1,
                    Token::Comment(_) => continue,
                    _ => {}
                }
                statement.tokens.push(token.clone());
            }
            let end = matches!(statement.tokens.last(), Some(Token::Mark(";" | "}"))) && depth <= 0;
            let block = matches!(statement.tokens.last(), Some(Token::Mark("{"))) && depth <= 1;
            if end || block {
                break;
            }
        }
        statement
    }

    /// Whether a name is in it.
    pub fn has(&self, name: &str) -> bool {
        self.tokens
            .iter()
            .any(|t| matches!(t, Token::Name(n) if n == name))
    }

    /// Whether an error in it goes to whoever called: by `?`, or as the value of the block.
    pub fn hands_on(&self) -> bool {
        let drops = [
            "ok",
            "is_ok",
            "is_err",
            "unwrap",
            "unwrap_or",
            "unwrap_or_default",
        ];
        self.tokens.contains(&Token::Mark("?")) || self.last && !drops.iter().any(|d| self.has(d))
    }

    /// Whether it goes on with success alone, and drops the error.
    pub fn takes_ok(&self) -> bool {
        let name = |token: &Token, name: &str| matches!(token, Token::Name(n) if n == name);
        let binds_ok = |w: &[Token]| name(&w[0], "let") && name(&w[1], "Ok");
        self.tokens.windows(2).any(binds_ok) && (self.has("else") || self.has("while"))
    }

    /// Whether it asks for an error in any way.
    pub fn asks(&self) -> bool {
        let asks = is_error_check(Language::Rust, &self.tokens);
        self.hands_on() || self.takes_ok() || asks || self.has("match")
    }
}
