//! UDP_client.go: a client that sends one datagram and prints the answer.

use std::process::ExitCode;

use clap::Parser;
use threadline::cli;
use threadline::error::{context, ignore_broken_pipe};
use threadline::go::{fmt, net};
use threadline::server::shutdown;
use threadline::udp;

/// Sends one datagram and prints the answer
///
/// Start `udp_server` in another terminal first.
#[derive(Parser)]
#[command(name = env!("CARGO_BIN_NAME"), version)]
struct Args {
    /// Address of the server, as HOST:PORT
    #[arg(default_value = "127.0.0.1:8002", value_parser = cli::addr)]
    addr: String,
}

fn main() -> ExitCode {
    let args: Args = cli::parse();
    cli::run(|| {
        shutdown::exit_on_signal()?;
        let conn = net::dial_udp(&args.addr)?;

        // Go: ignores an error here, and exits silently if the read fails, which it does if no server is
        // listening. Ours prints the error.
        conn.send(b"Hello! I'm client in UDP!")
            .map_err(context(format!("cannot send to {}", args.addr)))?;

        // Go: waits for ever if no answer arrives. Ours times out after one second.
        conn.set_read_timeout(Some(udp::SILENCE))?;
        let mut buf = vec![0; udp::BUFFER];
        let n = net::recv(&conn, &mut buf).map_err(udp::no_answer(&args.addr))?;
        ignore_broken_pipe(fmt::println!("服务器发来：", &buf[..n]))
    })
}
