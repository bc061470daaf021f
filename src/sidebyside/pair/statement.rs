//! Statements of ours: where each begins, and what becomes of an error in it.

use crate::sidebyside::pair::idioms::catches_error;
use crate::sidebyside::read::source::Line;
use crate::sidebyside::read::tokens::{Token, has, starts};

/// For each line of ours the tokens of the statement that begins there, up to its block if it has one;
/// none where a statement goes on, or there is no code.
pub fn statements(rust: &[Line]) -> Vec<Vec<Token>> {
    let mut statements = vec![Vec::new(); rust.len()];
    let mut line = 0;
    while line < rust.len() {
        let first = line;
        line += 1;
        if rust[first].is_code() {
            let (statement, lines) = Statement::take(&rust[first..], i32::MAX);
            statements[first] = statement.tokens;
            line = first + lines;
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
        Statement::take(&rust[line..], 1).0
    }

    /// The statement at the start of lines, and how many lines it has. It ends with its brackets, or with
    /// what opens a block within up to `depth` brackets.
    fn take(rust: &[Line], depth: i32) -> (Statement, usize) {
        let (mut tokens, mut open) = (Vec::new(), 0);
        let (mut lines, mut last) = (0, false);
        for line in rust {
            lines += 1;
            let code = line.tokens.iter();
            for token in code.filter(|token| !matches!(token, Token::Comment(_))) {
                open += i32::from(token.is_any("( [ {")) - i32::from(token.is_any(") ] }"));
                tokens.push(token.clone());
            }
            let ends = |marks: &str| tokens.last().is_some_and(|last| last.is_any(marks));
            let closes = |next: &Line| open <= 0 && starts(&next.tokens, "}");
            last = rust.get(lines).is_some_and(closes) && !ends("; { }");
            if last || open <= 0 && ends("; } ,") || open <= depth && ends("{") {
                break;
            }
        }
        (Statement { tokens, last }, lines)
    }

    /// Whether a phrase is in it.
    pub fn has(&self, phrase: &str) -> bool {
        has(&self.tokens, phrase)
    }

    /// Whether it returns an error to the caller: by `?`, or as the value of the block. A `?` in a closure
    /// does not count.
    pub fn propagates(&self) -> bool {
        let mut drops = "ok is_ok is_err unwrap unwrap_or unwrap_or_default".split(' ');
        let mut depth = 0;
        let question = self.tokens.iter().any(|token| {
            depth += i32::from(token.is("{")) - i32::from(token.is("}"));
            depth == 0 && token.is("?")
        });
        question || self.last && !drops.any(|drop| self.has(drop))
    }

    /// Whether it continues only on success, and ignores the error.
    pub fn takes_ok(&self) -> bool {
        self.has("let Ok") || self.has("let Some")
    }

    /// Whether it checks for an error in any way.
    pub fn checks(&self) -> bool {
        self.propagates() || self.takes_ok() || catches_error(&self.tokens) || self.has("match")
    }
}
