//! file_client.go: a client that sends a file.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use threadline::cli;
use threadline::error::{context, ignore_broken_pipe};
use threadline::file::options::Target;
use threadline::file::source::Source;
use threadline::file::upload::{self, Upload};
use threadline::file::{self, interrupt, typed};
use threadline::go::{fmt, net};

const IP_PORT: &str = "127.0.0.1:8005";

/// Sends a file to `file_server`
///
/// A threadline server confirms the transfer with the number of bytes that it saved, and their hash. The
/// course's Go server confirms nothing. This program prints `verified` or `sent, not confirmed`.
#[derive(Parser)]
#[command(
    name = env!("CARGO_BIN_NAME"),
    version,
    after_help = "Start file_server in another terminal first.\n\n\
                  Examples:\n  \
                  file_client                            ask for the file, send it to 127.0.0.1:8005\n  \
                  file_client photo.jpg                  send it to 127.0.0.1:8005\n  \
                  file_client 192.168.1.5:8005 photo.jpg send it to another machine\n  \
                  file_client 192.168.1.5:8005           ask for the file"
)]
struct Args {
    #[command(flatten)]
    target: Target,
}

fn send_file(mut f: Source, conn: &TcpStream) -> io::Result<()> {
    // Go: opens the file here, after the server's ok; if that fails, the server keeps an empty file. Ours
    // opened it before connecting.
    let mut conn = Upload::new(conn, &f);

    // Read the file, and write it to the server as it is.
    let mut buf = vec![0; file::BUFFER];
    loop {
        let n = f.read(&mut buf)?; // into the buffer
        if n == 0 {
            conn.confirm()?;
            return ignore_broken_pipe(fmt::println!("文件发送完毕"));
        }
        // Go: ignores write errors and reports that the file was sent. Ours fails, and prints the
        // server's error if it sent one.
        conn.write(&buf[..n])?; // as it is
    }
}

fn main() -> ExitCode {
    let args: Args = cli::parse();
    let (addr, path) = args.target.or(IP_PORT).unwrap_or_else(|why| {
        Args::command()
            .error(ErrorKind::ValueValidation, why)
            .exit()
    });
    cli::run(|| {
        interrupt::end_on_signal()?;
        let path = match path {
            Some(path) => path,
            None => {
                // Ask for the file.
                fmt::println!("请输入需要传输的文件：")?;
                typed::scan()?
            }
        };

        // Open the file, and get its name.
        // Go: only gets the name here. Ours also opens the file, see `send_file`.
        let f = Source::open(path)?;

        // Connect to the server.
        let mut conn = upload::dial(&addr, &f)?;

        // Send the name first.
        conn.write_all(f.name())
            .map_err(context(format!("cannot send the name to {addr}")))?;

        // Read the server's answer: ok.
        // Go: assumes that one read returns exactly `ok`, and gives up otherwise. Ours reads exactly two
        // bytes.
        let mut buf = [0; 2];
        let n = net::read_full(&mut conn, &mut buf)
            .map_err(context(format!("no answer from {addr}")))?;

        // If it is ok, send the file.
        if &buf[..n] == b"ok" {
            return send_file(f, &conn);
        }
        // Go: exits silently if the answer is not ok. Ours fails, and prints the answer.
        Err(upload::rejection(&buf[..n], &conn, &addr))
    })
}
