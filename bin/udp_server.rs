//! udp_server.go: a server that answers one datagram.

use std::process::ExitCode;

use clap::Parser;
use threadline::cli;
use threadline::error::{context, ignore_broken_pipe};
use threadline::go::{fmt, net};
use threadline::server::shutdown;
use threadline::udp;

/// Receives one datagram, prints it, answers it, and exits
///
/// Try it with `udp_client`, or with `nc -u 127.0.0.1 8002`.
#[derive(Parser)]
#[command(name = env!("CARGO_BIN_NAME"), version)]
struct Args {
    /// Address to listen on, as HOST:PORT, or :PORT for every interface
    #[arg(default_value = "127.0.0.1:8002", value_parser = cli::addr)]
    addr: String,
}

fn main() -> ExitCode {
    let args: Args = cli::parse();
    cli::run(|| {
        shutdown::exit_on_signal()?;
        // Go: resolves the address in a separate step. In ours, binding does both.
        let conn = net::listen_udp(&args.addr)?; // make the socket
        log::info!("listening on {}", net::Addr::from(conn.local_addr()?));

        let mut buf = vec![0; udp::BUFFER];
        // Go: exits silently if this fails. Ours prints the error.
        let (n, raddr) = conn
            .recv_from(&mut buf)
            .map_err(context("cannot receive"))?; // receive one datagram
        let shown = fmt::println!("客户端发送：", &buf[..n]);

        conn.send_to(b"nice to see u in udp", raddr) // answer
            .map_err(context(format!("cannot answer {raddr}")))?;
        ignore_broken_pipe(shown)
    })
}
