//! What `loadtest` tells besides figures, and its exit status.

use std::fmt::Display;
use std::io::{self, Write};

use crate::go::os;

/// A `--fail-if` was crossed.
const CROSSED: u8 = 99;

/// Tells what is wrong, a line each, and returns the exit status.
pub fn verdict(warnings: &[String], crossed: &[String], errors: &[io::Error]) -> u8 {
    let say = |kind: &str, what: &dyn Display| tell(format_args!("{kind}: {what}\n"));
    warnings.iter().for_each(|warning| say("warning", warning));
    crossed.iter().for_each(|rule| say("error", rule));
    errors.iter().for_each(|err| say("error", err));
    match (errors.is_empty(), crossed.is_empty()) {
        (false, _) => 1,
        (true, false) => CROSSED,
        (true, true) => 0,
    }
}

/// Prints on standard error. Where nobody can be told, the exit status remains.
pub fn tell(what: impl Display) {
    let _ = os::Stderr.write_all(what.to_string().as_bytes());
}
