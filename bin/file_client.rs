//! file_client.go: a client that sends a file.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use threadline::cli;
use threadline::error::context;
use threadline::file::options::Target;
use threadline::file::source::Source;
use threadline::file::upload::{self, Upload};
use threadline::file::{self, interrupt, typed};
use threadline::go::{fmt, net};

const IP_PORT: &str = "127.0.0.1:8005";

/// Sends a file to `file_server`
///
/// A threadline server confirms the file with a count and a hash of the bytes that it has kept. The
/// Go server of the course confirms nothing; this program says which of the two it was.
#[derive(Parser)]
#[command(
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
    // Go: opens the file here, when the server has said ok, and leaves an empty one there if that
    // fails. Ours has opened it before it connected.
    let mut conn = Upload::new(conn, &f);

    // Read the file, and write it to the server as it is.
    let mut buf = vec![0; file::BUFFER];
    loop {
        let n = f.read(&mut buf)?; // into the buffer
        if n == 0 {
            conn.confirm()?;
            return fmt::println!("文件发送完毕");
        }
        // Go: ignores a failed write, reads on to the end, and reports that the file was sent. Ours
        // fails, with what the server has said about it.
        conn.write(&buf[..n])?; // as it is
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let (addr, path) = args.target.or(IP_PORT).unwrap_or_else(|why| {
        let mut command = Args::command().bin_name(env!("CARGO_BIN_NAME"));
        command.error(ErrorKind::ValueValidation, why).exit()
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

        // Open the file, which has its name.
        // Go: asks for the name only. Ours opens the file here, see `send_file`.
        let f = Source::open(path)?;

        // Connect to the server.
        let mut conn = upload::dial(&addr, &f)?;

        // Send the name first.
        conn.write_all(f.name())
            .map_err(context(format!("cannot send the name to {addr}")))?;

        // Read what the server answers: ok.
        // Go: takes one read for one answer, and gives up if it holds less or more than `ok`. Ours
        // reads these two bytes.
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
