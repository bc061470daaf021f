//! UDP_async_client.go: a client that sends what you type and prints what it receives, both at the same time.

use std::io::{self, ErrorKind, Read};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use threadline::cli;
use threadline::error::context;
use threadline::go::{fmt, net, os, spawn};
use threadline::server::shutdown;
use threadline::udp::{self, Unanswered};

/// Sends each line that you type as a datagram, and prints the answers
///
/// Start `udp_concurrent_server` in another terminal first.
///
/// It works in a pipe: at the end of its input it waits for the missing answers, until none has come for one
/// second. From a pipe, one read becomes one datagram, which may contain several lines.
#[derive(Parser)]
#[command(name = env!("CARGO_BIN_NAME"), version, after_help = "Example: echo hello | udp_concurrent_client")]
struct Args {
    /// Address of the server, as HOST:PORT
    #[arg(default_value = "127.0.0.1:8003", value_parser = cli::addr)]
    addr: String,
}

fn main() -> ExitCode {
    let args: Args = cli::parse();
    cli::run(|| {
        shutdown::exit_on_signal()?;
        let conn = net::dial_udp(&args.addr)?;
        let sender = conn.try_clone()?;
        let unanswered = Arc::new(Unanswered::default());
        let still_out = Arc::clone(&unanswered);
        let keyboard = move || -> io::Result<()> {
            // Go: reads at most 1024 bytes, so longer input becomes several datagrams. Ours sends up to
            // the maximum length of a datagram.
            let mut str = vec![0; udp::LONGEST];
            loop {
                let n = os::Stdin.read(&mut str).map_err(context("os.Stdin.Read"))?; // what is typed
                // Go: never exits after the end of standard input, so it cannot be used in a pipe. Ours
                // exits after the last answer, or after one second without an answer.
                if n == 0 {
                    return still_out.wait();
                }
                // Go: ignores an error here. Ours exits with it.
                sender.send(&str[..n]).map_err(context("cannot send"))?;
                still_out.sent();
            }
        };
        spawn("stdin", move || cli::exit(keyboard()))?;
        let mut buf = vec![0; udp::BUFFER];
        loop {
            let n = net::recv(&conn, &mut buf).map_err(udp::no_answer(&args.addr))?;
            match fmt::println!("服务器写来：", &buf[..n]) {
                Err(err) if err.kind() == ErrorKind::BrokenPipe => return Ok(()),
                shown => shown?,
            }
            unanswered.answered();
        }
    })
}
