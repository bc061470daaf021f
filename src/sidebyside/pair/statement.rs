//! Statements of ours: where each begins, and what becomes of an error in it.

use crate::sidebyside::pair::idioms::{catches_error, is_error};
use crate::sidebyside::read::source::{Kind, Line};
use crate::sidebyside::read::tokens::Token;

/// For each line of ours the tokens of the statement that begins there, up to its block if it has one;
/// none where a statement goes on, or there is no code.
pub fn statements(rust: &[Line]) -> Vec<Vec<Token>> {
    let mut statements = vec![Vec::new(); rust.len()];
    let mut head = None;
    let mut depth = 0;
    for (i, line) in rust.iter().enumerate() {
        let code = line
            .code()
            .iter()
            .filter(|t| !matches!(t, Token::Comment(_)));
        let code: Vec<Token> = code.cloned().collect();
        let Some(last) = code.last() else {
            if line.kind != Kind::Comment {
                (head, depth) = (None, 0);
            }
            continue;
        };
        let chained = matches!(code[0], Token::Mark("." | "&" | "|" | "+" | "?"));
        if depth <= 0 && !chained {
            head = None;
        }
        let at = *head.get_or_insert(i);
        for token in &code {
            match token {
                Token::Mark("(" | "[") => depth += 1,
                Token::Mark(")" | "]") => depth -= 1,
                _ => {}
            }
        }
        let operator = matches!(last, Token::Mark("=" | "&" | "|" | "+"));
        let ends =
            matches!(last, Token::Mark(";" | "{" | "}")) || *last == Token::Mark(",") && depth <= 0;
        statements[at].extend(code);
        if ends {
            (head, depth) = (None, 0);
        } else if operator {
            depth = depth.max(1);
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

    /// The line from which on an error of a statement is asked for: its own, or, where it only gives its
    /// result a name, that of the `match` on the name.
    pub fn asked_at(rust: &[Line], line: usize) -> usize {
        const NEAR: usize = 8;
        let [Token::Name(word), Token::Name(name), Token::Mark("="), ..] = &rust[line].tokens[..]
        else {
            return line;
        };
        let has_match = |line: &Line| {
            let names: Vec<&str> = line.names().collect();
            names.windows(2).any(|pair| pair == ["match", name])
        };
        let below = rust.iter().skip(line).take(NEAR).position(has_match);
        match below {
            Some(below) if word == "let" && !Statement::at(rust, line).asks() => line + below,
            _ => line,
        }
    }

    /// Whether a name is in it.
    pub fn has(&self, name: &str) -> bool {
        self.tokens
            .iter()
            .any(|t| matches!(t, Token::Name(n) if n == name))
    }

    /// Whether an error in it goes to whoever called: by `?`, or as the value of the block. What a closure
    /// does with its own errors is not meant.
    pub fn hands_on(&self) -> bool {
        let drops = [
            "ok",
            "is_ok",
            "is_err",
            "unwrap",
            "unwrap_or",
            "unwrap_or_default",
        ];
        let mut depth = 0;
        let question = self.tokens.iter().any(|token| {
            match token {
                Token::Mark("{") => depth += 1,
                Token::Mark("}") => depth -= 1,
                _ => {}
            }
            depth == 0 && *token == Token::Mark("?")
        });
        let runs_closure = self.tokens.windows(3).any(|w| match w {
            [Token::Name(name), Token::Mark("|"), Token::Mark("{")] => !is_error(name),
            _ => false,
        });
        question || self.last && !runs_closure && !drops.iter().any(|d| self.has(d))
    }

    /// Whether it goes on with success alone, and drops the error.
    pub fn takes_ok(&self) -> bool {
        let name = |token: &Token, name: &str| matches!(token, Token::Name(n) if n == name);
        let binds_ok =
            |w: &[Token]| name(&w[0], "let") && (name(&w[1], "Ok") || name(&w[1], "Some"));
        self.tokens.windows(2).any(binds_ok) && (self.has("else") || self.has("while"))
    }

    /// Whether it asks for an error in any way.
    pub fn asks(&self) -> bool {
        let asks = catches_error(&self.tokens);
        self.hands_on() || self.takes_ok() || asks || self.has("match")
    }
}
