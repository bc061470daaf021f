//! 并发Client: a client that sends what you type and prints what it receives, both at the same time.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use log::warn;
use threadline::cli;
use threadline::error::context;
use threadline::go::utf8::WholeChars;
use threadline::go::{fmt, net, os, spawn};
use threadline::server::shutdown;

/// Sends what you type to a server, and prints what the server sends
///
/// Try it with `tcp_concurrent_server`, or in the chat room: `tcp_concurrent_client 127.0.0.1:8000`.
/// It works in a pipe: at the end of its input it prints the remaining output of the server, then exits.
#[derive(Parser)]
#[command(name = env!("CARGO_BIN_NAME"), version)]
struct Args {
    /// Address of the server, as HOST:PORT
    #[arg(default_value = "127.0.0.1:9000", value_parser = cli::addr)]
    addr: String,
}

fn main() -> ExitCode {
    let args: Args = cli::parse();
    cli::run(|| {
        shutdown::exit_on_signal()?;
        // Connect to the server.
        let conn = Arc::new(net::dial(&args.addr)?);

        let sender = Arc::clone(&conn);
        let keyboard = move || {
            let mut conn = &*sender;
            // Go: reads at most 1024 bytes, so a longer line becomes several messages. Ours reads 4096, the
            // longest line that a terminal passes on.
            let mut str = [0; 4096];
            loop {
                let n = os::Stdin.read(&mut str).unwrap_or_else(|err| {
                    warn!("os.Stdin.Read: {err}");
                    0
                });
                // Go: treats the end of input as an error and never exits. Ours closes its sending side,
                // so the server can answer and close, and this program exits.
                if n == 0 {
                    let _ = conn.shutdown(Shutdown::Write);
                    return;
                }
                // Send to the server exactly what was read.
                if let Err(err) = conn.write_all(&str[..n]) {
                    warn!("conn.Write: {err}");
                    return;
                }
            }
        };
        spawn("stdin", keyboard)?;
        // The main thread receives.
        // Go: prints a character that is split across two reads as two invalid halves. Ours waits up to
        // one second for the second half.
        let mut conn = WholeChars::new(&conn, &*conn);
        let mut buf = [0; 4096];
        loop {
            let n = conn.read(&mut buf).map_err(context("conn.Read"))?;
            // Go: treats it as an error when the server closes the connection. Ours exits with status 0.
            if n == 0 {
                return Ok(());
            }
            // Print what was received.
            match fmt::println!("客户端读取到: ", &buf[..n]) {
                Err(err) if err.kind() == ErrorKind::BrokenPipe => return Ok(()),
                shown => shown?,
            }
        }
    })
}
