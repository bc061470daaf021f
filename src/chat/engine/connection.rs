//! Connections to the engine: the first address that accepts writes, made anew after every error.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use crossbeam_channel::Sender;
use log::debug;
pub use redis::Connection;
use redis::{Client, ConnectionInfo, ErrorKind, RedisResult, Value};

use super::contact::{Caller, Contact};
use super::options::shown;
use crate::chat::message::Message;
use crate::server::shutdown::{Done, closes_within, is_closed};

/// How long the engine may take to connect, and to answer.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Pauses between tries: the first, and the longest, to which they double.
const PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(500)];

/// The addresses of the engine.
pub struct Addrs {
    clients: Vec<Client>,
    /// Which of them was right last time.
    last: AtomicUsize,
}

impl Addrs {
    pub fn new(infos: Vec<ConnectionInfo>) -> io::Result<Addrs> {
        let clients: RedisResult<_> = infos.into_iter().map(Client::open).collect();
        Ok(Addrs {
            clients: clients.map_err(io::Error::other)?,
            last: AtomicUsize::new(0),
        })
    }

    /// The addresses, to show.
    pub fn shown(&self) -> String {
        let addrs = self.clients.iter();
        let addrs: Vec<_> = addrs
            .map(|client| shown(client.get_connection_info().addr()))
            .collect();
        addrs.join(", ")
    }

    /// Connects to the first that answers and accepts writes, beginning with the one that was right last.
    pub fn connect(&self) -> RedisResult<Connection> {
        let last = self.last.load(Relaxed);
        let mut tried = Err((ErrorKind::InvalidClientConfig, "no address").into());
        for n in (last..self.clients.len()).chain(0..last) {
            tried = connect(&self.clients[n]);
            match &tried {
                Ok(_) => {
                    self.last.store(n, Relaxed);
                    break;
                }
                Err(err) => {
                    let addr = shown(self.clients[n].get_connection_info().addr());
                    debug!("no engine at {addr}: {err}");
                }
            }
        }
        tried
    }
}

fn connect(client: &Client) -> RedisResult<Connection> {
    let mut con = client.get_connection_with_timeout(PATIENCE)?;
    con.set_read_timeout(Some(PATIENCE))?;
    con.set_write_timeout(Some(PATIENCE))?;
    let role: Vec<Value> = redis::cmd("ROLE").query(&mut con)?;
    match role.first() {
        Some(Value::BulkString(role)) if role == b"master" => Ok(con),
        _ => Err((ErrorKind::Io, "it is a replica and takes no writes").into()),
    }
}

/// The connection of one of the threads without which nothing gets through.
pub struct Link<'a> {
    pub caller: Caller,
    pub addrs: &'a Addrs,
    pub contact: &'a Contact,
    pub stopping: &'a Done,
    /// Where lines for this server's users go.
    pub said: &'a Sender<Message>,
    pub con: Option<Connection>,
}

impl Link<'_> {
    /// Calls until it works, on a connection that is made anew after each failure. Returns nothing if the
    /// server is to stop first.
    pub fn persist<T>(
        &mut self,
        mut call: impl FnMut(&mut Connection) -> RedisResult<T>,
    ) -> Option<T> {
        let [mut pause, longest] = PAUSES;
        loop {
            self.contact.waits(self.caller);
            let tried = match &mut self.con {
                Some(con) => call(con),
                None => self
                    .addrs
                    .connect()
                    .and_then(|con| call(self.con.insert(con))),
            };
            match tried {
                Ok(value) => {
                    self.contact.answered(self.caller, self.said);
                    return Some(value);
                }
                Err(err) => {
                    debug!("the engine fails: {err}");
                    // An answer that comes late must not be taken for the next one.
                    self.con = None;
                    self.contact.failed(&err, self.said);
                    if is_closed(self.stopping) || closes_within(self.stopping, pause) {
                        return None;
                    }
                    pause = (pause * 2).min(longest);
                }
            }
        }
    }
}
