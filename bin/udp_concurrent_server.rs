//! Prints every datagram and answers it. Follows the course's `UDP_async_server.go`; its endless
//! loop is [`threadline::udp::run`].

use std::process::ExitCode;

use clap::Parser;
use threadline::{cli, net, shutdown, udp};

/// Print every datagram that comes and answer I-AM-SERVER, until Ctrl-C
#[derive(Parser)]
#[command(
    version,
    after_help = "Try it from another terminal:\n  udp_concurrent_client\n  nc -u 127.0.0.1 8003"
)]
struct Args {
    /// Where to listen: HOST:PORT, or :PORT for every address of this machine
    #[arg(default_value = "127.0.0.1:8003")]
    addr: String,
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(|| {
        let shutdown = shutdown::on_signal()?;
        let conn = net::listen_udp(&args.addr)?;
        udp::run(conn, shutdown)
    })
}
