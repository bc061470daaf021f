//! The sender's side of a transfer.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use indicatif::ProgressBar;
use log::info;

use crate::error::context;
use crate::file::receipt::Receipt;
use crate::file::source::Source;
use crate::file::{self, bar, interrupt};
use crate::go::net;

/// Connects to the server. If this process dies before [`Upload::confirm`], for whatever reason, the connection
/// is reset. From here on Ctrl-C means that the transfer has failed.
///
/// # Errors
/// The connection failed.
pub fn dial(addr: &str, f: &Source) -> io::Result<TcpStream> {
    interrupt::sending(f.path());
    let conn = net::dial(addr)?;
    file::reset_on_death(&conn)?;
    Ok(conn)
}

/// The error for an answer other than ok. `answer` is the part of it that was read already.
pub fn rejection(answer: &[u8], conn: &TcpStream, addr: &str) -> io::Error {
    match file::read_answer(answer.chain(conn)) {
        Err(err) => context(format!("no answer from {addr}"))(err),
        Ok(answer) => file::rejection(&answer).unwrap_or_else(|| {
            io::Error::other(format!(
                "expected ok from {addr}, but it answered {answer:?}"
            ))
        }),
    }
}

/// Sending one file: writes it to the connection, counts and hashes its bytes, and shows the progress.
pub struct Upload<'a> {
    conn: &'a TcpStream,
    path: PathBuf,
    receipt: Receipt,
    bar: ProgressBar,
}

impl Upload<'_> {
    /// Starts with nothing sent.
    pub fn new<'a>(conn: &'a TcpStream, f: &Source) -> Upload<'a> {
        Upload {
            conn,
            path: f.path().to_owned(),
            receipt: Receipt::new(),
            bar: bar::start(f.name(), f.size()),
        }
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// The error line that the server sent, or else that the server disconnected.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.conn
            .write_all(bytes)
            .map_err(|err| self.not_complete(err))?;
        self.receipt.add(bytes);
        self.bar.inc(bytes.len() as u64);
        Ok(())
    }

    /// Shuts down the writing side, and compares the server's receipt with what was sent. If that succeeds, Ctrl-C no
    /// longer means that the transfer has failed.
    ///
    /// # Errors
    /// The connection failed, the server reported an error, or the receipt differs.
    pub fn confirm(self) -> io::Result<()> {
        self.bar.finish_and_clear();
        interrupt::confirming(&self.path);
        file::end_sending(self.conn).map_err(|err| self.not_complete(err))?;
        let answer = file::read_answer(self.conn).map_err(context(format!(
            "{} was sent, but the connection failed before it was confirmed",
            self.path.display()
        )))?;

        let sent = self.receipt.to_string();
        if answer == sent {
            interrupt::done();
            info!("verified: the server has {sent}");
            Ok(())
        } else if answer.is_empty() {
            // Go: its server closes without an answer, whether it saved the file or not. Ours sends a
            // receipt, and without one our client reports that the file is not confirmed.
            interrupt::done();
            info!("sent, not confirmed: the server sends no receipts");
            Ok(())
        } else if let Some(rejection) = file::rejection(&answer) {
            Err(rejection)
        } else {
            Err(io::Error::other(format!(
                "the file arrived corrupted: expected the receipt \"{sent}\", but the server sent \"{answer}\""
            )))
        }
    }

    fn not_complete(&self, err: io::Error) -> io::Error {
        let what = format!(
            "{} was not sent completely, the server disconnected",
            self.path.display()
        );
        file::why_broken(self.conn, context(what)(err))
    }
}
