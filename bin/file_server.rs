//! file_server.go: a server that receives a file.

use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use log::{info, warn};
use threadline::cli;
use threadline::error::context;
use threadline::file;
use threadline::file::name;
use threadline::file::partial::{self, Part};
use threadline::file::progress::{self, Progress};
use threadline::file::receipt::Tally;
use threadline::file::size;
use threadline::go::fmt;
use threadline::go::go;
use threadline::go::net;
use threadline::server::accept::{Acceptor, Limits, ServerProfile};
use threadline::server::conn::Conn;
use threadline::server::shutdown;
use threadline::server::shutdown::{Done, is_closed};
use threadline::text::printable;

/// Receives one file and ends, or with --keep any number of files
///
/// A file gets its own name in the folder when it is complete, and never replaces what is there.
/// Until then it is called .threadline-PID-N.part; what is left of transfers whose server has died
/// is removed at the start.
#[derive(Parser)]
#[command(
    version,
    after_help = "Send a file from another terminal: file_client photo.jpg\n\n\
                  Examples:\n  \
                  file_server                      one file, into the current folder\n  \
                  file_server --keep --dir in      any number of files, into the folder `in`\n  \
                  file_server 127.0.0.1:8005 --max-size 1G\n                                   \
                  from this machine only, 1 GiB at most"
)]
struct Args {
    /// Address to listen on, as HOST:PORT, or :PORT for every interface
    #[arg(default_value = "0.0.0.0:8005", value_parser = cli::addr)]
    addr: String,

    /// Folder that files go into
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// Go on after the first file, with as many at a time as come; each takes 1 MiB of memory
    #[arg(long)]
    keep: bool,

    /// Refuse files over this size, such as 500M or 2G [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_size: Option<u64>,

    /// Give up a sender that sends nothing for this long
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = cli::duration)]
    timeout: Duration,

    #[command(flatten)]
    limits: Limits,
}

// Go: has the port in a constant too, which nothing there uses. Ours is in the default address.
/// One thread a client, which waits for its client alone. Only its reading half is cut at shutdown:
/// what it says last must still go out, and not look like an end that is meant.
const PROFILE: ServerProfile = ServerProfile {
    threads: 1,
    descriptors: 2,
    full: "error: the server is full, try again later\n",
    crowded: "error: too many clients from your address\n",
    shutdown_half: Some(Shutdown::Read),
};

fn recv_file(mut f: Part, mut conn: &TcpStream, args: &Args, stopping: &Done) -> io::Result<()> {
    // Go: creates the file here, when it has said ok, and so too late to tell the client that it
    // cannot. Ours says ok when the file is there.
    let progress = Progress::start(None);
    let mut tally = Tally::new();

    // Read what the client sends, and write it to the file as it is.
    let mut buf = vec![0; file::BUFFER];
    loop {
        let n = read(conn, &mut buf, args, stopping)?;
        if n == 0 {
            drop(progress);
            let path = f.path().to_owned();
            f.keep()?;
            progress::pause(|| {
                fmt::println!("文件接收完毕").ok();
                info!("{}: {tally}", printable(path.as_os_str().as_bytes()));
            });
            // Go: closes without a word. Ours sends a receipt, which a Go client does not wait for:
            // that it has gone is no error.
            let _ = conn.write_all(format!("{tally}\n").as_bytes());
            let _ = file::end_sending(conn);
            return Ok(());
        }
        tally.add(&buf[..n]);
        if let Some(most) = args.max_size.filter(|&most| tally.bytes() > most) {
            let why = format!(
                "the file is over {}, the most that is taken here",
                size::display(most)
            );
            return Err(io::Error::new(ErrorKind::FileTooLarge, why));
        }
        // Go: takes no notice when a write fails, for example on a full disk, and says that the
        // file was received. Ours removes it and tells the client.
        f.write_all(&buf[..n])?;
        progress.advance(n);
    }
}

/// Reads what comes next; nothing means that the client has said all.
fn read(mut conn: &TcpStream, buf: &mut [u8], args: &Args, stopping: &Done) -> io::Result<usize> {
    let read = net::read(&mut conn, buf);
    // At shutdown a read ends as if the client had said all.
    if is_closed(stopping) {
        return Err(io::Error::new(
            ErrorKind::Interrupted,
            "the server was stopped",
        ));
    }
    read.map_err(|err| match err.kind() {
        // Go: waits for ever for a sender that is silent. Ours gives it up after --timeout.
        ErrorKind::WouldBlock | ErrorKind::TimedOut => io::Error::new(
            ErrorKind::TimedOut,
            format!("nothing came for {:?}", args.timeout),
        ),
        // Go: keeps what has come when the connection breaks. Ours removes it.
        _ => context("the sender has gone")(err),
    })
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(|| {
        let shutdown = shutdown::on_signal()?;
        partial::prepare(&args.dir)?;

        // Listen.
        let listener = net::listen(&args.addr)?;
        let mut acceptor = Acceptor::new(listener, &args.limits, PROFILE, shutdown)?;
        let stopping = acceptor.stopping();

        if !args.keep {
            // Wait for a client.
            let Some(conn) = acceptor.next() else {
                return Ok(());
            };
            return match handler(&conn, &args, &stopping) {
                Err(err) if is_closed(&stopping) => {
                    warn!("{}: {err}", conn.addr());
                    Ok(())
                }
                received => received,
            };
        }
        thread::scope(|s| {
            // Go: serves one client and ends, and ends as well if Accept fails. Ours waits until it can
            // accept again.
            for conn in acceptor {
                let (name, args, stopping) = (conn.thread_name("handler"), &args, stopping.clone());
                let started = go(s, name, move || {
                    if let Err(err) = handler(&conn, args, &stopping) {
                        progress::pause(|| warn!("{}: {err}", conn.addr()));
                    }
                });
                if let Err(err) = started {
                    warn!("a client is lost, no thread can be started: {err}");
                }
            }
        });
        Ok(())
    })
}

/// What the original's `main` goes on to do with its one client.
fn receive(mut conn: &TcpStream, addr: SocketAddr, args: &Args, stopping: &Done) -> io::Result<()> {
    conn.set_read_timeout(Some(args.timeout))?;
    progress::pause(|| fmt::printf!("%s已连接...", addr.to_string())).ok();
    progress::keep_open_line();

    let mut buf = [0; 1024];
    let n = read(conn, &mut buf, args, stopping)?;
    let file_name = name::check(&buf[..n]) // the name
        .map_err(|why| io::Error::new(ErrorKind::InvalidInput, why))?;
    let f = Part::create(&args.dir, file_name)?;
    // Answer ok.
    conn.write_all(b"ok")?;
    // Receive the bytes.
    recv_file(f, conn, args, stopping)
}

fn handler(conn: &Conn, args: &Args, stopping: &Done) -> io::Result<()> {
    let (addr, conn) = (conn.addr(), conn.stream());
    file::reset_on_death(conn)?;
    receive(conn, addr, args, stopping).inspect_err(|err| file::refuse(conn, err))
}
