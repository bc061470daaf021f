//! Users of the chat room.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::wait::DEADLINE;

/// A user of the chat room.
pub(crate) struct User {
    pub(crate) conn: TcpStream,
    pub(crate) addr: String,
    unread: Vec<u8>,
}

impl User {
    /// Connects, and waits for the message of its own login.
    pub(crate) fn join(room: SocketAddr) -> User {
        let mut user = User::connect(room);
        user.read_until(&format!("[{0}]{0}: login!!!\r\n", user.addr));
        user
    }

    /// Connects, without waiting for anything.
    pub(crate) fn connect(room: SocketAddr) -> User {
        let conn = TcpStream::connect(room).unwrap_or_else(|err| panic!("cannot join: {err}"));
        conn.set_read_timeout(Some(DEADLINE)).unwrap();
        conn.set_write_timeout(Some(DEADLINE)).unwrap();
        let addr = conn.local_addr().unwrap().to_string();
        User {
            conn,
            addr,
            unread: Vec::new(),
        }
    }

    pub(crate) fn say(&mut self, words: impl AsRef<[u8]>) {
        self.conn
            .write_all(words.as_ref())
            .unwrap_or_else(|err| panic!("{} cannot speak: {err}", self.addr));
    }

    /// Reads up to and including `end`, and returns it.
    pub(crate) fn read_until(&mut self, end: &str) -> String {
        loop {
            let found = self
                .unread
                .windows(end.len())
                .position(|part| part == end.as_bytes());
            if let Some(start) = found {
                let rest = self.unread.split_off(start + end.len());
                let read = std::mem::replace(&mut self.unread, rest);
                return String::from_utf8_lossy(&read).into_owned();
            }
            if self.fill() == 0 {
                panic!(
                    "{} waits for {end:?}: the stream ends after {:?}",
                    self.addr,
                    self.text()
                );
            }
        }
    }

    /// Reads one line that ends with `\n`, and returns it without its end.
    pub(crate) fn line(&mut self) -> String {
        self.read_until("\n")
            .trim_end_matches(['\r', '\n'])
            .to_owned()
    }

    /// Reads exactly this and nothing else.
    pub(crate) fn expect(&mut self, text: &str) {
        while self.unread.len() < text.len() && self.fill() > 0 {}
        let n = self.unread.len().min(text.len());
        let rest = self.unread.split_off(n);
        let read = std::mem::replace(&mut self.unread, rest);
        assert_eq!(
            String::from_utf8_lossy(&read),
            text,
            "what {} was sent",
            self.addr
        );
    }

    /// Reads to the end of the stream, which must be a clean one.
    pub(crate) fn read_to_end(&mut self) -> String {
        while self.fill() > 0 {}
        self.text()
    }

    /// Reads to the end of the stream, and returns all of it.
    pub(crate) fn read_all(&mut self) -> String {
        while self.fill() > 0 {}
        String::from_utf8_lossy(&self.unread).into_owned()
    }

    /// Says that it will say no more.
    pub(crate) fn close_write(&self) {
        self.conn.shutdown(Shutdown::Write).unwrap();
    }

    /// Its connection is reset when it is dropped.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(&self.conn)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    }

    /// Reads something that is more, and returns how much it was; 0 at the end of the stream.
    fn fill(&mut self) -> usize {
        let mut buf = [0; 65536];
        let n = loop {
            match self.conn.read(&mut buf) {
                Ok(n) => break n,
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => panic!("{} reads: {err}, after {:?}", self.addr, self.text()),
            }
        };
        self.unread.extend_from_slice(&buf[..n]);
        n
    }

    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.unread);
        text.chars()
            .rev()
            .take(2000)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect()
    }
}
