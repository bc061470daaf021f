//! file_client.go: a client that sends a file.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::thread;

use clap::error::ErrorKind as UsageError;
use clap::{CommandFactory, Parser};
use parking_lot::Mutex;
use threadline::cli;
use threadline::error::context;
use threadline::file;
use threadline::file::name;
use threadline::file::progress::{self, Progress};
use threadline::file::receipt::Tally;
use threadline::go::{fmt, net};
use threadline::server::shutdown;

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
    /// Address of the server [default: 127.0.0.1:8005]
    addr: Option<OsString>,

    /// File to send; if it is not given, the program asks for it. An argument that stands alone is
    /// taken for the file unless it reads as HOST:PORT
    file: Option<PathBuf>,
}

impl Args {
    /// Where to send, and what if that was said.
    fn target(self) -> (String, Option<PathBuf>) {
        match (self.addr, self.file) {
            (None, file) => (IP_PORT.to_owned(), file),
            (Some(one), None) => match address(&one) {
                Some(addr) => (addr, None),
                None => (IP_PORT.to_owned(), Some(one.into())),
            },
            (Some(addr), Some(file)) => match address(&addr) {
                Some(addr) => (addr, Some(file)),
                None => {
                    let why = format!(
                        "{} is no address, expected HOST:PORT and then FILE",
                        addr.display()
                    );
                    Args::command()
                        .bin_name(env!("CARGO_BIN_NAME"))
                        .error(UsageError::ValueValidation, why)
                        .exit()
                }
            },
        }
    }
}

/// Takes an argument for an address if it reads as HOST:PORT.
fn address(text: &OsStr) -> Option<String> {
    let addr = cli::addr(text.to_str()?).ok()?;
    (!addr.contains('/')).then_some(addr)
}

/// What a Ctrl-C interrupts.
enum Stage {
    Asking,
    Sending(PathBuf),
    Confirming(PathBuf),
}

static STAGE: Mutex<Stage> = Mutex::new(Stage::Asking);

/// Ends the process at Ctrl-C or SIGTERM; the system then resets the connection.
fn end_on_signal() -> io::Result<()> {
    let shutdown = shutdown::on_signal()?;
    thread::Builder::new()
        .name("shutdown".to_owned())
        .spawn(move || {
            let _ = shutdown.recv();
            // Held until the end, so that the main thread cannot claim success meanwhile.
            let stage = STAGE.lock();
            let what = match &*stage {
                Stage::Asking => process::exit(0),
                Stage::Sending(path) => format!("{} was not sent whole", path.display()),
                Stage::Confirming(path) => {
                    format!("{} was sent whole, but is not confirmed", path.display())
                }
            };
            progress::pause(|| writeln!(io::stderr(), "error: interrupted: {what}").ok());
            process::exit(1)
        })?;
    Ok(())
}

/// Reads the path that is typed.
fn scan() -> io::Result<PathBuf> {
    let mut stdin = io::stdin().lock();
    loop {
        let mut path = Vec::new();
        if stdin
            .read_until(b'\n', &mut path)
            .map_err(context("cannot read standard input"))?
            == 0
        {
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "no file was named before the end of standard input",
            ));
        }
        // Go: `fmt.Scan` ends at the first space, so that `my file` becomes `my`. Ours takes the line.
        let path = path.strip_suffix(b"\n").unwrap_or(&path);
        let path = path.strip_suffix(b"\r").unwrap_or(path);
        if !path.trim_ascii().is_empty() {
            return Ok(OsString::from_vec(path.to_vec()).into());
        }
    }
}

fn send_file(path: &Path, mut f: File, mut conn: &TcpStream) -> io::Result<()> {
    // Go: opens the file here, when the server has said ok, and leaves an empty one there if it
    // cannot. Ours has opened it before it connected.
    let size = f
        .metadata()
        .map_err(context(format!("cannot look at {}", path.display())))?;
    let size = size.is_file().then_some(size.len());
    let progress = Progress::start(size);
    let mut tally = Tally::new();

    // Read the file, and write it to the server as it is.
    let mut buf = vec![0; file::BUFFER];
    loop {
        let n = net::read(&mut f, &mut buf)
            .map_err(context(format!("cannot read {}", path.display())))?;
        if n == 0 {
            drop(progress);
            if size.is_some_and(|size| tally.bytes() < size) {
                return Err(io::Error::other(format!(
                    "{} became shorter while it was sent",
                    path.display()
                )));
            }
            confirm(path, &tally, conn)?;
            return fmt::println!("文件发送完毕");
        }
        // Go: takes no notice when a write fails, reads on to the end, and says that the file was
        // sent. Ours fails, with what the server has said about it.
        conn.write_all(&buf[..n])
            .map_err(|err| not_whole(path, conn, err))?;
        tally.add(&buf[..n]);
        progress.advance(n);
    }
}

/// What the server has said about the end of the connection, or else that it has gone.
fn not_whole(path: &Path, conn: &TcpStream, err: io::Error) -> io::Error {
    let what = format!("{} was not sent whole, the server has gone", path.display());
    file::why_broken(conn, context(what)(err))
}

/// Ends the sending and compares the server's receipt with what was sent.
fn confirm(path: &Path, tally: &Tally, conn: &TcpStream) -> io::Result<()> {
    *STAGE.lock() = Stage::Confirming(path.to_owned());
    let sent = tally.to_string();
    file::end_sending(conn).map_err(|err| not_whole(path, conn, err))?;
    let answer = file::read_answer(conn).map_err(context(format!(
        "{} was sent whole, but the connection broke before it was confirmed",
        path.display()
    )))?;

    // Nobody can be interrupted any more.
    let mut stage = STAGE.lock();
    *stage = Stage::Asking;
    if answer == sent {
        log::info!("verified: the server has {sent}");
        Ok(())
    } else if answer.is_empty() {
        // Go: its server closes without a word, whether it has kept the file or not. Ours sends a
        // receipt, so our client can tell the two apart and says which it was.
        log::info!("sent, not confirmed: the server gives no receipts");
        Ok(())
    } else if let Some(refusal) = file::refusal(&answer) {
        Err(refusal)
    } else {
        Err(io::Error::other(format!(
            "the file arrived damaged: sent what gives \"{sent}\", but the server says \"{answer}\""
        )))
    }
}

fn main() -> ExitCode {
    let (addr, path) = Args::parse().target();
    cli::run(|| {
        end_on_signal()?;
        let path = match path {
            Some(path) => path,
            None => {
                // Ask for the file.
                fmt::println!("请输入需要传输的文件：")?;
                scan()?
            }
        };

        let cannot = || context(format!("cannot open {}", path.display()));
        let f = File::open(&path).map_err(cannot())?;
        if f.metadata().map_err(cannot())?.is_dir() {
            let why = format!(
                "cannot send {}, it is a folder; pack it first, with tar or zip",
                path.display()
            );
            return Err(io::Error::new(ErrorKind::IsADirectory, why));
        }
        *STAGE.lock() = Stage::Sending(path.clone());

        // Connect to the server.
        let mut conn = net::dial(&addr)?;
        file::reset_on_death(&conn)?;

        // Send the name first.
        conn.write_all(name::base(&path).as_bytes())
            .map_err(context(format!("cannot send the name to {addr}")))?;

        // Read what the server answers: ok.
        // Go: takes one read for one answer, and gives up if it holds less or more than `ok`. Ours
        // reads these two bytes.
        let mut buf = [0; 2];
        let n = read_up_to(&conn, &mut buf).map_err(context(format!("no answer from {addr}")))?;

        // If it is ok, send the file.
        if &buf[..n] == b"ok" {
            return send_file(&path, f, &conn);
        }
        // Go: ends without a word if the answer is not ok. Ours fails, and shows the answer.
        let answer = file::read_answer(buf[..n].chain(&conn))
            .map_err(context(format!("no answer from {addr}")))?;
        Err(file::refusal(&answer).unwrap_or_else(|| {
            io::Error::other(format!(
                "expected ok from {addr}, which answered {answer:?}"
            ))
        }))
    })
}

/// Reads until `buf` is full or the server ends.
fn read_up_to(conn: &TcpStream, buf: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buf.len() {
        match net::read(&mut &*conn, &mut buf[n..])? {
            0 => break,
            more => n += more,
        }
    }
    Ok(n)
}
