//! What every program's `main` needs: the log, error output, printing, and parsing of addresses and durations.

mod logger;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::mem;
use std::process::{self, ExitCode};
use std::time::Duration;

use clap::Parser;
use parking_lot::Mutex;

use self::logger::wants_colours;
use crate::error::{context, ignore_broken_pipe};
use crate::go::{fmt, net, os};

/// Parses the command line. Exits if it is wrong, or after printing `--help` or `--version`.
pub fn parse<Args: Parser>() -> Args {
    Args::try_parse().unwrap_or_else(|err| usage(&err))
}

/// Prints what clap returns instead of the arguments, and exits.
pub fn usage(err: &clap::Error) -> ! {
    if err.use_stderr() {
        err.exit();
    }
    // clap would exit with status 0 even if the disk is full.
    let help = err.render();
    let help = match io::stdout().is_terminal() && wants_colours() {
        true => help.ansi().to_string(),
        false => help.to_string(),
    };
    exit(print(&help))
}

/// Runs a program. Sets up the log on standard error (level from `RUST_LOG`, default `info`), and turns an error
/// into one line there and exit status 1.
pub fn run(program: impl FnOnce() -> io::Result<()>) -> ExitCode {
    logger::set_up();
    ExitCode::from(status(program()))
}

/// Exits from a thread other than the main thread, as [`run`] does when the main thread returns `result`.
pub fn exit(result: io::Result<()>) -> ! {
    process::exit(status(result).into())
}

/// Prints an error as one line on standard error, and returns the exit status.
fn status(result: io::Result<()>) -> u8 {
    // Go: prints errors on standard output and exits with status 0, so a script cannot notice them. Ours
    // prints them on standard error and exits with status 1.
    let Err(err) = result else { return 0 };
    // Never unlocked: if two threads fail, the first error is the one to print.
    static ENDING: Mutex<()> = Mutex::new(());
    mem::forget(ENDING.lock());
    print_error(&err);
    1
}

/// Prints an error as one line on standard error. If that is closed or full, only the exit status tells of it.
pub fn print_error(err: &dyn Display) {
    let line = format!("error: {err}\n").into_bytes();
    // The error may name a file, and a file may have any name.
    let line = match io::stderr().is_terminal() {
        true => fmt::for_terminal(&line),
        false => line.into(),
    };
    let _ = os::Stderr.write_all(&line);
}

/// Prints a text on standard output and flushes it. A broken pipe is not an error.
///
/// # Errors
/// The write failed, for example because the disk is full.
pub fn print(text: &str) -> io::Result<()> {
    let printed = os::Stdout.write_all(text.as_bytes());
    ignore_broken_pipe(printed).map_err(context("cannot write to standard output"))
}

/// Checks the syntax of an address, such as `127.0.0.1:8000`, `localhost:8000`, `[::1]:8000` or Go's
/// `:8000`, for clap's `value_parser`. Does not resolve the host.
///
/// # Errors
/// One line that explains what is wrong.
pub fn addr(text: &str) -> Result<String, String> {
    net::split_host_port(text).map(|_| text.to_owned())
}

/// Parses a duration such as `500ms`, `1.5s`, `5m` or `1h`, for clap's `value_parser`.
///
/// # Errors
/// One line that explains what is wrong.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let millis_per_unit = match unit {
        "ms" => 1.0,
        "s" => 1e3,
        "m" => 6e4,
        "h" => 3.6e6,
        _ => return Err("expected a number with a unit, such as 500ms, 1.5s or 5m".to_owned()),
    };
    let number: f64 = number
        .parse()
        .map_err(|_| format!("{number:?} is not a number"))?;
    match number * millis_per_unit {
        // So that adding it to any point in time cannot overflow.
        millis if millis > u64::MAX as f64 => Err(format!("{text:?} is too long")),
        millis if millis < 1.0 => Err("must be at least a millisecond".to_owned()),
        millis => Ok(Duration::from_secs_f64(millis / 1e3)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_port() {
        for good in ["127.0.0.1:8000", "localhost:0", "[::1]:65535", ":8000"] {
            assert_eq!(addr(good), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "localhost",
            "8000",
            "localhost:",
            "127.0.0.1:65536",
            "a:b",
            "::1]",
            "::1:8000",
        ] {
            assert!(addr(bad).is_err(), "{bad:?} was accepted as an address");
        }
    }

    #[test]
    fn durations_are_numbers_with_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("0.1m"), Ok(Duration::from_secs(6)));
        for bad in [
            "",
            "5",
            "s",
            "-1s",
            "1.5",
            "1.5.5s",
            ".s",
            "0s",
            "0.0s",
            "0.1ms",
            "99999999999999999999s",
            "5 s",
            "5d",
        ] {
            assert!(duration(bad).is_err(), "{bad:?} was accepted as a duration");
        }
    }
}
