//! The receiver's side of a transfer: accepting one or many senders, and the connection of one.

use std::cell::Cell;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use log::warn;

use crate::error::context;
use crate::file::options::Options;
use crate::file::receipt::Receipt;
use crate::file::{self, bar};
use crate::go::net::Addr;
use crate::go::{go, net};
use crate::server::accept::{Acceptor, ServerProfile};
use crate::server::conn::Conn;
use crate::server::shutdown::{Done, is_closed};

/// One thread per client, which blocks only on its client. At shutdown only the reading side is shut down, so
/// that the error line can still be sent.
const PROFILE: ServerProfile = ServerProfile {
    threads: 1,
    descriptors: 2,
    memory: file::BUFFER,
    full: "error: the server is full, try again later\n",
    crowded: "error: too many clients from your address\n",
    shutdown_half: Some(Shutdown::Read),
};

/// Runs `handler` for one sender, or with `--keep` for each sender in a thread of its own.
///
/// # Errors
/// The server cannot start; without `--keep`, also the error of the one sender.
pub fn serve(
    listener: TcpListener,
    options: &Options,
    shutdown: Done,
    handler: impl Fn(&Sender) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let mut acceptor = Acceptor::new(listener, &options.limits, PROFILE, shutdown)?;
    let stopping = acceptor.stopping();
    let receive =
        |sender: &Sender| handler(sender).inspect_err(|err| file::reject(sender.stream, err));

    if !options.keep {
        for conn in &mut acceptor {
            let mut has_sent = false;
            let received = Sender::new(&conn, options, &stopping).and_then(|sender| {
                let received = receive(&sender);
                has_sent = sender.has_sent();
                received
            });
            match received {
                // Go: exits if the first client disconnects without sending a name, as a port scan does.
                // Ours waits for a client that sends something.
                Err(err) if is_closed(&stopping) || !has_sent => {
                    warn!("{}: {err}", conn.addr());
                }
                received => return received,
            }
        }
        return Ok(());
    }
    thread::scope(|s| {
        // Go: exits after one client, and also if Accept fails. Ours, with --keep, serves any number of
        // clients, and waits until it can accept again.
        for conn in acceptor {
            let (name, stopping) = (conn.thread_name("handler"), &stopping);
            let started = go(s, name, move || {
                let received =
                    Sender::new(&conn, options, stopping).and_then(|sender| receive(&sender));
                if let Err(err) = received {
                    bar::suspend(|| warn!("{}: {err}", conn.addr()));
                }
            });
            if let Err(err) = started {
                warn!("a client was disconnected: {err}");
            }
        }
    });
    Ok(())
}

/// The connection of one sender.
pub struct Sender<'a> {
    stream: &'a TcpStream,
    addr: Addr,
    options: &'a Options,
    stopping: &'a Done,
    has_sent: Cell<bool>,
}

impl Sender<'_> {
    fn new<'a>(conn: &'a Conn, options: &'a Options, stopping: &'a Done) -> io::Result<Sender<'a>> {
        file::reset_on_death(conn.stream())?;
        conn.stream().set_read_timeout(Some(options.timeout))?;
        Ok(Sender {
            stream: conn.stream(),
            addr: conn.addr(),
            options,
            stopping,
            has_sent: Cell::default(),
        })
    }

    /// The sender's address.
    pub fn addr(&self) -> Addr {
        self.addr
    }

    /// The options for receiving its file.
    pub fn options(&self) -> &Options {
        self.options
    }

    /// Whether anything was received from it.
    fn has_sent(&self) -> bool {
        self.has_sent.get()
    }

    /// Reads what comes next; nothing means that the sender has sent everything.
    ///
    /// # Errors
    /// The connection failed, the sender timed out, or the server was stopped.
    pub fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let read = net::read(&mut &*self.stream, buf);
        // At shutdown a read returns 0, as if the sender had sent everything.
        if is_closed(self.stopping) {
            return Err(io::Error::new(
                ErrorKind::Interrupted,
                "the server was stopped",
            ));
        }
        if matches!(read, Ok(1..)) {
            self.has_sent.set(true);
        }
        read.map_err(|err| match err.kind() {
            // Go: waits for ever for a sender that sends nothing. Ours disconnects it after --timeout.
            ErrorKind::WouldBlock | ErrorKind::TimedOut => io::Error::new(
                ErrorKind::TimedOut,
                format!("timeout: nothing received for {:?}", self.options.timeout),
            ),
            // Go: keeps the partial file if the connection breaks. Ours removes it.
            _ => context("the sender disconnected")(err),
        })
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// The connection failed.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let sent = (&mut &*self.stream).write_all(bytes);
        sent.map_err(context("the sender disconnected"))
    }

    /// Sends the receipt, and shuts the connection down.
    pub fn confirm(&self, receipt: &Receipt) {
        // Go: closes without an answer. Ours sends a receipt, and ignores an error, because a Go client has
        // already closed its side.
        let _ = self.write(format!("{receipt}\n").as_bytes());
        let _ = file::end_sending(self.stream);
    }
}
