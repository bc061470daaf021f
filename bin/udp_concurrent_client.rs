//! UDP_async_client.go: a client that sends what is typed and shows what comes, both at once.

use std::io::{self, ErrorKind, Read, Write};
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use clap::Parser;
use crossbeam_channel::{Receiver, unbounded};
use threadline::cli;
use threadline::error::context;
use threadline::go::fmt;
use threadline::go::net;
use threadline::server::shutdown;
use threadline::udp;

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

/// How long no answer may come, after the end of standard input, before those still out are given up.
const SILENCE: Duration = Duration::from_secs(1);

/// Waits for as many answers as datagrams were sent.
fn wait_for(sent: u32, answers: &Receiver<()>) -> io::Result<()> {
    for answered in 0..sent {
        if answers.recv_timeout(SILENCE).is_err() {
            let why = format!(
                "{answered} of {sent} datagrams were answered, then nothing came for a second"
            );
            return Err(io::Error::new(ErrorKind::TimedOut, why));
        }
    }
    Ok(())
}

/// Ends the process from beside the main thread, which may wait for a datagram that never comes.
fn end(result: io::Result<()>) -> ! {
    if let Err(err) = &result {
        let _ = writeln!(io::stderr(), "error: {err}");
    }
    process::exit(i32::from(result.is_err()))
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(|| {
        shutdown::exit_on_signal()?;
        let conn = net::dial_udp(&args.addr)?;
        let sender = conn.try_clone()?;
        let (answer, answers) = unbounded();
        // Keeps the channel open, so that the end of the main thread is not taken for silence.
        let open = answer.clone();
        let keyboard = move || {
            let _open = open;
            // Go: reads at most 1024 bytes, so that more become several datagrams. Ours sends one as
            // long as UDP carries.
            let mut str = vec![0; udp::LONGEST];
            let mut sent = 0;
            loop {
                let n = match io::stdin().read(&mut str) {
                    Ok(0) => break,
                    Ok(n) => n, // what is typed
                    Err(err) => end(Err(context("os.Stdin.Read")(err))),
                };
                // Go: takes no notice when a datagram cannot be sent. Ours fails.
                if let Err(err) = sender.send(&str[..n]) {
                    end(Err(context("cannot send")(err)));
                }
                sent += 1;
            }
            // Go: waits for ever after the end of standard input, so that it cannot be used in a pipe.
            // Ours ends with the last answer, or after a second without one.
            end(wait_for(sent, &answers))
        };
        thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(keyboard)?;
        let mut buf = vec![0; udp::BUFFER];
        loop {
            let n = conn.recv(&mut buf).map_err(context(format!(
                "no answer from {}, is the server running?",
                args.addr
            )))?;
            match fmt::println(&[&"服务器写来：", &&buf[..n]]) {
                Err(err) if err.kind() == ErrorKind::BrokenPipe => return Ok(()),
                shown => shown?,
            }
            let _ = answer.send(());
        }
    })
}
