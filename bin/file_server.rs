//! file_server.go: a server that receives a file.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use threadline::cli;
use threadline::file::download::Download;
use threadline::file::options::Options;
use threadline::file::serve::{Sender, serve};
use threadline::file::{self, bar, temporary};
use threadline::go::{fmt, net};
use threadline::server::shutdown;

/// Receives one file and exits, or with --keep any number of files
///
/// A file gets its final name only when it is complete, and never overwrites another file. Until then it is
/// called .threadline-PID-RANDOM.part. At the start, such files of servers that have crashed are removed.
#[derive(Parser)]
#[command(
    name = env!("CARGO_BIN_NAME"),
    version,
    after_help = "Send a file from another terminal: file_client photo.jpg\n\n\
                  Examples:\n  \
                  file_server                      one file, into the current folder\n  \
                  file_server --keep --dir in      any number of files, into the folder `in`\n  \
                  file_server 127.0.0.1:8005 --max-size 1G\n                                   \
                  from this machine only, 1 GiB at most"
)]
struct Args {
    // Go: also has the port in a constant that is never used. Ours is part of the default address.
    /// Address to listen on, as HOST:PORT, or :PORT for every interface
    #[arg(default_value = "0.0.0.0:8005", value_parser = cli::addr)]
    addr: String,

    #[command(flatten)]
    options: Options,
}

fn recv_file(file_name: &[u8], conn: &Sender) -> io::Result<()> {
    // Create the new file.
    let mut f = Download::create(file_name, conn.options())?;
    // Go: has already answered ok, so it cannot tell the client if this fails. Ours answers now.
    conn.write(b"ok")?;

    // Read what the client sends, and write it to the file as it is.
    let mut buf = vec![0; file::BUFFER];
    loop {
        let n = conn.read(&mut buf)?;
        if n == 0 {
            let receipt = f.keep()?;
            bar::suspend(|| fmt::println!("文件接收完毕")).ok();
            conn.confirm(&receipt);
            return Ok(());
        }
        // Go: ignores write errors, for example on a full disk, and reports that the file was received.
        // Ours removes the file and sends the error to the client.
        f.write(&buf[..n])?; // as much as was read
    }
}

fn main() -> ExitCode {
    let args: Args = cli::parse();
    cli::run(|| {
        temporary::prepare(&args.options.dir)?;
        // Listen.
        let listener = net::listen(&args.addr)?;
        // Only now: the name is resolved, which can block, and until then Ctrl-C must end the program at once.
        let shutdown = shutdown::on_signal()?;

        // Wait for one client, or with --keep for any number.
        // Go: exits if one Accept fails. Ours waits and accepts again.
        serve(listener, &args.options, shutdown, |conn| {
            bar::suspend(|| fmt::printf!("%s已连接...", conn.addr().to_string())).ok();
            bar::end_open_line();

            let mut buf = [0; 1024];
            let n = conn.read(&mut buf)?;
            let file_name = &buf[..n]; // keep the name
            // Receive the content.
            // Go: answers ok here. Ours answers after it has created the file.
            recv_file(file_name, conn)
        })
    })
}
