//! The sender's end of a transfer.

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

/// Connects to the server. If this process dies before [`Upload::confirm`], by any means, the connection is
/// reset.
///
/// # Errors
/// No connection can be made.
pub fn dial(addr: &str, f: &Source) -> io::Result<TcpStream> {
    interrupt::sending(f.path());
    let conn = net::dial(addr)?;
    file::reset_on_death(&conn)?;
    Ok(conn)
}

/// The error for an answer that starts with `answer`, which is not ok.
pub fn rejection(answer: &[u8], conn: &TcpStream, addr: &str) -> io::Error {
    match file::read_answer(answer.chain(conn)) {
        Err(err) => context(format!("no answer from {addr}"))(err),
        Ok(answer) => file::rejection(&answer).unwrap_or_else(|| {
            io::Error::other(format!(
                "expected ok from {addr}, which answered {answer:?}"
            ))
        }),
    }
}

/// The content of one file on its way to the server: counted, hashed and shown.
pub struct Upload<'a> {
    conn: &'a TcpStream,
    path: PathBuf,
    receipt: Receipt,
    bar: ProgressBar,
}

impl Upload<'_> {
    /// Nothing was sent yet.
    pub fn new<'a>(conn: &'a TcpStream, f: &Source) -> Upload<'a> {
        Upload {
            conn,
            path: f.path().to_owned(),
            receipt: Receipt::new(),
            bar: bar::start(f.name(), f.size()),
        }
    }

    /// Sends all of it.
    ///
    /// # Errors
    /// What the server has said about the end of the connection, or else that it has gone.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.conn
            .write_all(bytes)
            .map_err(|err| self.not_whole(err))?;
        self.receipt.add(bytes);
        self.bar.inc(bytes.len() as u64);
        Ok(())
    }

    /// Ends the sending and compares the server's receipt with what was sent.
    ///
    /// # Errors
    /// The connection breaks, or the server does not have what was sent.
    pub fn confirm(self) -> io::Result<()> {
        self.bar.finish_and_clear();
        interrupt::confirming(&self.path);
        file::end_sending(self.conn).map_err(|err| self.not_whole(err))?;
        let answer = file::read_answer(self.conn).map_err(context(format!(
            "{} was sent whole, but the connection broke before it was confirmed",
            self.path.display()
        )))?;

        interrupt::done();
        let sent = self.receipt.to_string();
        if answer == sent {
            info!("verified: the server has {sent}");
            Ok(())
        } else if answer.is_empty() {
            // Go: its server closes without a word, whether it has kept the file or not. Ours sends a
            // receipt, so our client can tell the two apart and says which it was.
            info!("sent, not confirmed: the server gives no receipts");
            Ok(())
        } else if let Some(rejection) = file::rejection(&answer) {
            Err(rejection)
        } else {
            Err(io::Error::other(format!(
                "the file arrived damaged: sent what gives \"{sent}\", but the server says \"{answer}\""
            )))
        }
    }

    fn not_whole(&self, err: io::Error) -> io::Error {
        let what = format!(
            "{} was not sent whole, the server has gone",
            self.path.display()
        );
        file::why_broken(self.conn, context(what)(err))
    }
}
