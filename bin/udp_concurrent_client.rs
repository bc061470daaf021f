//! UDP_async_client.go: a client that sends what is typed and shows what comes, both at once.

use std::io::{self, ErrorKind, Read};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use clap::Parser;
use threadline::cli;
use threadline::error::context;
use threadline::go::{fmt, net, os};
use threadline::server::shutdown;
use threadline::udp::{self, Unanswered};

/// Sends what is typed, a datagram for each line, and prints the answers
///
/// Start `udp_concurrent_server` in another terminal first.
///
/// At the end of standard input it waits for the answers that are still out, for a second of
/// silence at most, so that it can be used in a pipe. There a datagram is what one read brings, several
/// lines maybe.
#[derive(Parser)]
#[command(version, after_help = "Example: echo hello | udp_concurrent_client")]
struct Args {
    /// Address of the server, as HOST:PORT
    #[arg(default_value = "127.0.0.1:8003", value_parser = cli::addr)]
    addr: String,
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(|| {
        shutdown::exit_on_signal()?;
        let conn = net::dial_udp(&args.addr)?;
        let sender = conn.try_clone()?;
        let unanswered = Arc::new(Unanswered::default());
        let still_out = Arc::clone(&unanswered);
        let keyboard = move || -> io::Result<()> {
            // Go: reads at most 1024 bytes, so that more become several datagrams. Ours sends one as
            // long as UDP carries.
            let mut str = vec![0; udp::LONGEST];
            loop {
                let n = os::Stdin.read(&mut str).map_err(context("os.Stdin.Read"))?; // what is typed
                // Go: waits for ever after the end of standard input, so it cannot be used in a pipe.
                // Ours ends with the last answer, or after a second without one.
                if n == 0 {
                    return still_out.wait();
                }
                // Go: ignores an error here. Ours fails.
                sender.send(&str[..n]).map_err(context("cannot send"))?;
                still_out.sent();
            }
        };
        thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(move || cli::exit(keyboard()))?;
        let mut buf = vec![0; udp::BUFFER];
        loop {
            let n = conn.recv(&mut buf).map_err(udp::no_answer(&args.addr))?;
            match fmt::println!("服务器写来：", &buf[..n]) {
                Err(err) if err.kind() == ErrorKind::BrokenPipe => return Ok(()),
                shown => shown?,
            }
            unanswered.answered();
        }
    })
}
