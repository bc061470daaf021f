//! 并发Client: a client that sends what is typed and shows what comes, both at once.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use clap::Parser;
use log::warn;
use threadline::cli;
use threadline::error::context;
use threadline::go::utf8::WholeChars;
use threadline::go::{fmt, net, os};
use threadline::server::shutdown;

/// Sends what is typed to a server, and shows what the server sends
///
/// Try it with `tcp_concurrent_server`, or in the chat room: `tcp_concurrent_client 127.0.0.1:8000`.
/// It can be used in a pipe: at the end of its input it waits for what the server still sends.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Address of the server, as HOST:PORT
    #[arg(default_value = "127.0.0.1:9000", value_parser = cli::addr)]
    addr: String,
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(|| {
        shutdown::exit_on_signal()?;
        // Ask for a connection.
        let conn = Arc::new(net::dial(&args.addr)?);

        let sender = Arc::clone(&conn);
        let keyboard = move || {
            let mut conn = &*sender;
            // Go: reads 1024 bytes, so a longer line becomes several messages. Ours takes the longest
            // line that can be typed.
            let mut str = [0; 4096];
            loop {
                let n = os::Stdin.read(&mut str).unwrap_or_else(|err| {
                    warn!("os.Stdin.Read: {err}");
                    0
                });
                // Go: takes the end of input for an error and stays for ever. Ours tells the server
                // that no more comes, so that it can answer, close, and let this program end.
                if n == 0 {
                    let _ = conn.shutdown(Shutdown::Write);
                    return;
                }
                // Send to the server as much as was read.
                if let Err(err) = conn.write_all(&str[..n]) {
                    warn!("conn.Write: {err}");
                    return;
                }
            }
        };
        thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(keyboard)?;
        // The main thread receives.
        // Go: prints a character that two reads share as two broken halves. Ours waits for its second
        // half, for a second at most.
        let mut conn = WholeChars::new(&conn, &*conn);
        let mut buf = [0; 4096];
        loop {
            let n = conn.read(&mut buf).map_err(context("conn.Read"))?;
            // Go: takes the server's end for an error. Ours ends well.
            if n == 0 {
                return Ok(());
            }
            // Show what came.
            match fmt::println!("客户端读取到: ", &buf[..n]) {
                Err(err) if err.kind() == ErrorKind::BrokenPipe => return Ok(()),
                shown => shown?,
            }
        }
    })
}
