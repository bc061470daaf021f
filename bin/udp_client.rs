//! Sends one datagram and prints the answer. Follows the course's `UDP_client.go`.

use std::process::ExitCode;

use clap::Parser;
use threadline::cli::{self, because};
use threadline::{fmt, net, shutdown, udp};

/// Send one datagram and print the answer
#[derive(Parser)]
#[command(version, after_help = "Start udp_server in another terminal first.")]
struct Args {
    /// Where the server listens: HOST:PORT, or :PORT for this machine
    #[arg(default_value = "127.0.0.1:8002")]
    addr: String,
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(|| {
        shutdown::exit_on_signal()?;
        let conn = net::dial_udp(&args.addr)?;

        // Go: takes no notice of an error here or in the next read, and ends without a word.
        conn.send(b"Hello! I'm client in UDP!")
            .map_err(because(format!("cannot send to {}", args.addr)))?;

        let mut buf = vec![0; udp::BUFFER];
        let n = conn.recv(&mut buf).map_err(because(format!(
            "no answer from {}, is the server running?",
            args.addr
        )))?;
        fmt::println(&[&"服务器发来：", &&buf[..n]])
    })
}
