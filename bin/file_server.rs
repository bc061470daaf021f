//! Receives a file from `file_client`. Follows the course's `file_server.go`.

use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use log::{info, warn};
use threadline::cli::{self, because};
use threadline::part::{self, Part};
use threadline::progress::{self, Progress};
use threadline::receipt::Tally;
use threadline::{file, file_name, fmt, net, shutdown, size};

/// Receive one file and end, or with --keep any number of files
///
/// A file appears in the folder under its own name when it is complete, and never replaces what
/// is there. Until then it is called .threadline-PID-N.part; what is left of transfers that have
/// died is removed at the start.
#[derive(Parser)]
#[command(
    version,
    after_help = "Send a file from another terminal:\n  file_client photo.jpg\n\n\
                  Examples:\n  \
                  file_server                             one file, into the current folder\n  \
                  file_server --keep --dir in             any number, into the folder `in`\n  \
                  file_server 127.0.0.1:8005 --max-size 1G from this machine only, 1 GiB at most"
)]
struct Args {
    /// Where to listen: HOST:PORT, or :PORT for every address of this machine
    #[arg(default_value = "0.0.0.0:8005")]
    addr: String,

    /// The folder that files go into
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// Go on after the first file, and receive several at a time
    #[arg(long)]
    keep: bool,

    /// Refuse files over this size, such as 500M or 2G [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_size: Option<u64>,

    /// Give a sender up that sends nothing for this long
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = cli::duration)]
    timeout: Duration,
}

fn recv_file(mut f: Part, mut conn: &TcpStream, args: &Args) -> io::Result<()> {
    let progress = Progress::start(None);
    let mut tally = Tally::new();

    // Read what the client sends, and write it to the file as it is.
    let mut buf = vec![0; file::BUFFER];
    loop {
        let n = read(conn, &mut buf, args)?;
        if n == 0 {
            drop(progress);
            let path = f.path().to_owned();
            f.keep()?;
            info!("{}: {tally}", path.display());
            fmt::println(&[&"文件接收完毕"]).ok();
            // A client that does not wait for it has all it needs.
            let _ = conn.write_all(format!("{tally}\n").as_bytes());
            let _ = file::end_sending(conn);
            return Ok(());
        }
        tally.add(&buf[..n]);
        if let Some(most) = args.max_size.filter(|&most| tally.bytes() > most) {
            return Err(io::Error::other(format!(
                "the file is over {}, the most that is taken here",
                size::display(most)
            )));
        }
        // Go: takes no notice of an error here, and says that the file was received.
        f.write_all(&buf[..n])?;
        progress.advance(n);
    }
}

fn read(mut conn: &TcpStream, buf: &mut [u8], args: &Args) -> io::Result<usize> {
    file::read(&mut conn, buf).map_err(|err| match err.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => io::Error::new(
            ErrorKind::TimedOut,
            format!("nothing came for {:?}", args.timeout),
        ),
        _ => because("the connection broke")(err),
    })
}

fn handler(mut conn: &TcpStream, args: &Args) -> io::Result<()> {
    fmt::print(format!("{}已连接...", conn.peer_addr()?)).ok();
    progress::keep_open_line();

    let mut buf = [0; 1024];
    let n = read(conn, &mut buf, args)?;
    let file_name = file_name::check(&buf[..n]) // the name
        .map_err(|why| io::Error::new(ErrorKind::InvalidInput, why))?;
    // Go: says ok first, and cannot tell the client then that there will be no file.
    let f = Part::create(&args.dir, file_name)?;
    // Answer ok.
    conn.write_all(b"ok")?;
    // Receive the bytes.
    recv_file(f, conn, args)
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(|| {
        shutdown::exit_on_signal()?;
        part::remove_stale(&args.dir).map_err(because(format!(
            "cannot receive into {}",
            args.dir.display()
        )))?;

        // Listen.
        let listener = net::listen(&args.addr)?;
        info!("listening on {}", listener.local_addr()?);

        loop {
            // Wait for a client.
            let (conn, addr) = listener.accept()?;
            conn.set_read_timeout(Some(args.timeout))?;
            file::reset_on_death(&conn)?;
            let result = handler(&conn, &args);
            if let Err(err) = &result {
                file::refuse(&conn, err);
            }
            if !args.keep {
                return result;
            }
            if let Err(err) = result {
                warn!("{addr}: {err}");
            }
        }
    })
}
