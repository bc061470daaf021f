//! TCP_Client.go: a client that sends one request and prints the answer.

use std::io::{Read, Write};
use std::process::ExitCode;

use clap::Parser;
use threadline::cli;
use threadline::error::{context, ignore_broken_pipe};
use threadline::go::{fmt, net};
use threadline::server::shutdown;

/// Sends `R U ok??` to a server and prints its answer
///
/// Try it with `tcp_server`, or with `nc -l 127.0.0.1 9000`.
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
        let mut conn = net::dial(&args.addr)?;

        // Send.
        conn.write_all(b"R U ok??").map_err(context("conn.Write"))?;

        // Receive.
        let mut buf = [0; 4096];
        let n = conn.read(&mut buf).map_err(context("conn.Read"))?;
        if n == 0 {
            return Err(net::closed("conn.Read"));
        }
        // Print what was received.
        ignore_broken_pipe(fmt::println!("客户端读取到: ", &buf[..n]))
    })
}
