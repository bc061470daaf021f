//! Statements of ours: where each begins, and what becomes of an error in it.

use crate::sidebyside::pair::idioms::catches_error;
use crate::sidebyside::read::source::{Kind, Line};
use crate::sidebyside::read::tokens::{Token, has};

fn is_any(token: &Token, marks: &str) -> bool {
    marks.split(' ').any(|mark| token.is(mark))
}

/// For each line of ours the tokens of the statement that begins there, up to its block if it has one;
/// none where a statement goes on, or there is no code.
pub fn statements(rust: &[Line]) -> Vec<Vec<Token>> {
    let mut statements = vec![Vec::new(); rust.len()];
    let mut head = None;
    let mut depth = 0;
    for (i, line) in rust.iter().enumerate() {
        let code = line
            .tokens
            .iter()
            .filter(|t| !matches!(t, Token::Comment(_)));
        let code: Vec<Token> = code.filter(|_| line.is_code()).cloned().collect();
        let Some(last) = code.last().cloned() else {
            if line.kind != Kind::Comment {
                (head, depth) = (None, 0);
            }
            continue;
        };
        if depth <= 0 && !is_any(&code[0], ". & | + ?") {
            head = None;
        }
        for token in &code {
            depth += i32::from(is_any(token, "( [")) - i32::from(is_any(token, ") ]"));
        }
        statements[*head.get_or_insert(i)].extend(code);
        if is_any(&last, "; { }") || last.is(",") && depth <= 0 {
            (head, depth) = (None, 0);
        }
    }
    statements
}

/// From a line of ours to the end of the statement that it is in.
pub struct Statement {
    tokens: Vec<Token>,
    /// Whether its value is that of the block that it stands in.
    pub last: bool,
}

impl Statement {
    /// The statement that a line is in, from that line on.
    pub fn at(rust: &[Line], line: usize) -> Statement {
        let mut tokens: Vec<Token> = Vec::new();
        let mut depth = 0;
        for line in &rust[line..] {
            if depth <= 0 && line.tokens.first().is_some_and(|first| first.is("}")) {
                return Statement { tokens, last: true };
            }
            let code = line
                .tokens
                .iter()
                .filter(|t| !matches!(t, Token::Comment(_)));
            for token in code {
                depth += i32::from(is_any(token, "( [ {")) - i32::from(is_any(token, ") ] }"));
                tokens.push(token.clone());
            }
            let ends = tokens.last().is_some_and(|last| {
                depth <= 0 && is_any(last, "; }") || depth <= 1 && last.is("{")
            });
            if ends {
                break;
            }
        }
        Statement {
            tokens,
            last: false,
        }
    }

    /// Whether a phrase is in it.
    pub fn has(&self, phrase: &str) -> bool {
        has(&self.tokens, phrase)
    }

    /// Whether an error in it goes to whoever called: by `?`, or as the value of the block. What a closure
    /// does with its own errors is not meant.
    pub fn hands_on(&self) -> bool {
        let mut drops = "ok is_ok is_err unwrap unwrap_or unwrap_or_default".split(' ');
        let mut depth = 0;
        let question = self.tokens.iter().any(|token| {
            depth += i32::from(token.is("{")) - i32::from(token.is("}"));
            depth == 0 && token.is("?")
        });
        question || self.last && !drops.any(|drop| self.has(drop))
    }

    /// Whether it goes on with success alone, and drops the error.
    pub fn takes_ok(&self) -> bool {
        self.has("let Ok") || self.has("let Some")
    }

    /// Whether it asks for an error in any way.
    pub fn asks(&self) -> bool {
        self.hands_on() || self.takes_ok() || catches_error(&self.tokens) || self.has("match")
    }
}
