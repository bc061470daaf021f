//! 并发Service.go: a server that answers any number of clients at the same time, in upper case.

use std::process::ExitCode;

use clap::Parser;
use threadline::cli;
use threadline::go::{net, use_batch_scheduling};
use threadline::server::limits::Limits;
use threadline::server::shutdown;
use threadline::tcp;

/// Sends back what clients send, in upper case, with one thread per client
///
/// Try it with `tcp_concurrent_client`, or with `nc 127.0.0.1 9000`.
#[derive(Parser)]
#[command(name = env!("CARGO_BIN_NAME"), version)]
struct Args {
    /// Address to listen on, as HOST:PORT, or :PORT for every interface
    #[arg(default_value = "0.0.0.0:9000", value_parser = cli::addr)]
    addr: String,

    #[command(flatten)]
    limits: Limits,
}

fn main() -> ExitCode {
    let args: Args = cli::parse();
    cli::run(|| {
        // The server's address.
        let listener = net::listen(&args.addr)?;
        // Only now: the name is resolved, which can block, and until then Ctrl-C must end the program at once.
        let shutdown = shutdown::on_signal()?;
        use_batch_scheduling();
        tcp::run(listener, &args.limits, shutdown)
    })
}
