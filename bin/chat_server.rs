//! The course's concurrent chat room: its last listing, or with `--stage` an earlier one.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use threadline::chat;
use threadline::cli;
use threadline::go::{fmt, net, use_batch_scheduling};
use threadline::server::{futex_hash, shutdown};

/// A chat room: every line that a user types is sent to everyone
///
/// Join it with `nc 127.0.0.1 8000` in one or more terminals. Type `who` to list the users, `rename|NAME` to
/// change your name, anything else to send it to everyone.
#[derive(Parser)]
#[command(name = env!("CARGO_BIN_NAME"), version)]
struct Args {
    /// Address to listen on, as HOST:PORT, or :PORT for every interface
    #[arg(default_value = "0.0.0.0:8000", value_parser = cli::addr)]
    addr: String,

    #[command(flatten)]
    options: chat::Options,
}

fn main() -> ExitCode {
    let args: Args = cli::parse();
    args.options.check().unwrap_or_else(|why| {
        Args::command()
            .error(ErrorKind::ArgumentConflict, why)
            .exit()
    });
    cli::run(|| {
        futex_hash::enlarge(args.options.limits.max_clients, chat::THREADS_PER_CLIENT);
        fmt::println!("聊天室启动...").ok();
        // A socket for everyone to connect to.
        let listener = net::listen(&args.addr)?;
        // Only now: the name is resolved, which can block, and until then Ctrl-C must end the program at once.
        let shutdown = shutdown::on_signal()?;

        use_batch_scheduling();
        // Manager and the accept loop are in `run`.
        chat::run(listener, args.options, shutdown)
    })
}
