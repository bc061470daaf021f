//! Connections to the engine: the first address that accepts writes.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use log::info;
use parking_lot::Mutex;
use redis::{Client, Connection, ConnectionInfo, RedisError, RedisResult, Value};

use super::options::shown;
use super::room::{Room, invoke};
use crate::text::printable;

/// How long the engine may take to connect, and to answer.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// How long a restarted engine, or a new primary, accepts only records that it has lost. It ends sooner if all
/// servers have restored theirs.
const GRACE: Duration = Duration::from_secs(1);

/// The addresses of the engine.
pub struct Addrs {
    clients: Vec<Client>,
    /// Which of them was right last time.
    last: AtomicUsize,
    /// Whether any was greeted yet.
    greeted: AtomicBool,
    /// Which process was greeted last.
    run: Mutex<String>,
}

impl Addrs {
    pub fn new(infos: Vec<ConnectionInfo>) -> io::Result<Addrs> {
        let clients: RedisResult<_> = infos.into_iter().map(Client::open).collect();
        Ok(Addrs {
            clients: clients.map_err(io::Error::other)?,
            last: AtomicUsize::new(0),
            greeted: AtomicBool::new(false),
            run: Mutex::default(),
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

    /// Whether the servers have gone over to another process since one was connected to.
    pub fn is_left(&self, run: &str) -> bool {
        *self.run.lock() != run
    }

    /// Connects to the first that answers and accepts writes, beginning with the one that was right last, and
    /// greets it. Returns with it which process it is.
    pub fn connect(&self, room: &Room) -> RedisResult<(Connection, String)> {
        let last = self.last.load(Relaxed);
        let mut reasons = Vec::new();
        for n in (last..self.clients.len()).chain(0..last) {
            let addr = shown(self.clients[n].get_connection_info().addr());
            match connect(&self.clients[n]).and_then(|con| self.greet(con, room)) {
                Ok((con, run)) => {
                    self.last.store(n, Relaxed);
                    if mem::replace(&mut *self.run.lock(), run.clone()) != run {
                        info!("using the engine at {addr}");
                    }
                    return Ok((con, run));
                }
                Err(err) if self.clients.len() == 1 => return Err(err),
                Err(err) => reasons.push(format!("{addr}: {}", reason(&err))),
            }
        }
        Err(io::Error::other(reasons.join("; ")).into())
    }

    fn greet(&self, mut con: Connection, room: &Room) -> RedisResult<(Connection, String)> {
        let mut call = room.call(&room.hello);
        call.arg(u8::from(!self.greeted.load(Relaxed)));
        call.arg(GRACE.as_millis() as u64);
        let run = invoke(&room.hello, &call, &mut con)?;
        self.greeted.store(true, Relaxed);
        Ok((con, run))
    }
}

fn connect(client: &Client) -> RedisResult<Connection> {
    let mut con = client.get_connection_with_timeout(PATIENCE)?;
    con.set_read_timeout(Some(PATIENCE))?;
    con.set_write_timeout(Some(PATIENCE))?;
    let role: Vec<Value> = redis::cmd("ROLE").query(&mut con)?;
    match role.first() {
        Some(Value::BulkString(role)) if role == b"master" => Ok(con),
        _ => Err(io::Error::other("it is a replica and takes no writes").into()),
    }
}

/// An error as an operator can read it, in one line.
pub fn reason(err: &RedisError) -> String {
    let why = match (err.code(), err.detail()) {
        _ if err.is_timeout() => format!("nothing came for {} s", PATIENCE.as_secs()),
        (Some(code), Some(detail)) => {
            // Without the place in a script.
            let detail = detail.split(" script: ").next().unwrap_or(detail);
            format!("{code} {detail}")
        }
        _ => {
            let kind = format!(" - {:?}", err.kind());
            err.to_string().replacen(&kind, "", 1).replace('\n', ", ")
        }
    };
    printable(why.trim_end_matches(", "))
}
