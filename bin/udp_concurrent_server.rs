//! UDP_async_server.go: a server that answers every datagram. Its loop is in [`threadline::udp::run`].

use std::process::ExitCode;

use clap::Parser;
use threadline::cli;
use threadline::go::net;
use threadline::server::shutdown;
use threadline::udp;

/// Prints every datagram that it receives and answers I-AM-SERVER, until Ctrl-C
///
/// Try it with `udp_concurrent_client`, or with `nc -u 127.0.0.1 8003`.
#[derive(Parser)]
#[command(name = env!("CARGO_BIN_NAME"), version)]
struct Args {
    /// Address to listen on, as HOST:PORT, or :PORT for every interface
    #[arg(default_value = "127.0.0.1:8003", value_parser = cli::addr)]
    addr: String,
}

fn main() -> ExitCode {
    let args: Args = cli::parse();
    cli::run(|| {
        // Go: resolves the address in a separate step. In ours, binding does both.
        let conn = net::listen_udp(&args.addr)?;
        // Only now: the name is resolved, which can block, and until then Ctrl-C must end the program at once.
        let shutdown = shutdown::on_signal()?;
        udp::run(conn, shutdown)
    })
}
