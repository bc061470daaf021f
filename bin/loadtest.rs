//! The load tester: what one OS thread per client costs on this machine.

use std::process::ExitCode;

fn main() -> ExitCode {
    threadline::lab::main()
}
