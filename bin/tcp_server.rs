//! TCP_Server.go: a server that answers one client, once.

use std::io::{Read, Write};
use std::process::ExitCode;

use clap::Parser;
use threadline::cli;
use threadline::error::{context, ignore_broken_pipe};
use threadline::go::{fmt, net};
use threadline::server::shutdown;

/// Accepts one client, prints what it sends, answers `server is ok`, and exits
///
/// Try it with `tcp_client`, or with `nc 127.0.0.1 9000`.
#[derive(Parser)]
#[command(name = env!("CARGO_BIN_NAME"), version)]
struct Args {
    /// Address to listen on, as HOST:PORT, or :PORT for every interface
    #[arg(default_value = "0.0.0.0:9000", value_parser = cli::addr)]
    addr: String,
}

fn main() -> ExitCode {
    let args: Args = cli::parse();
    cli::run(|| {
        shutdown::exit_on_signal()?;
        // The server's address.
        let listener = net::listen(&args.addr)?;
        log::info!("listening on {}", net::Addr::from(listener.local_addr()?));

        fmt::println!("服务器等待客户端建立连接...").ok();
        // Wait for a client.
        let (mut conn, _) = listener.accept().map_err(context("listener.Accept"))?;

        let mut buf = [0; 4096];
        let n = conn.read(&mut buf).map_err(context("conn.Read"))?;
        if n == 0 {
            return Err(net::closed("conn.Read"));
        }
        // Print what was received.
        let shown = fmt::println!("服务器读取到: ", &buf[..n]);

        // Answer.
        conn.write_all(b"server is ok")
            .map_err(context("conn.Write"))?;
        ignore_broken_pipe(shown)
    })
}
