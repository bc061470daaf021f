//! One connection of a server, and the registry of all open connections.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use log::warn;
use parking_lot::{Condvar, Mutex};
use socket2::SockRef;

use crate::go::go;
use crate::go::net::{self, Addr};
use crate::server::shutdown::{Done, closes_within, is_closed};

/// How long a client may take to read the rest and close its side before its connection is closed.
pub const GRACE: Duration = Duration::from_secs(1);

/// A write that takes longer than this many milliseconds is waiting for its client, not for CPU time.
const STALLED_AFTER: u64 = 20;

/// An accepted connection. It counts towards the client limit until it is dropped, which closes it.
#[derive(Debug)]
pub struct Conn {
    stream: TcpStream,
    addr: Addr,
    id: u64,
    registry: Arc<Registry>,
    writing: Mutex<()>,
    /// Milliseconds after [`Registry::started`], rounded up; 0 while nobody writes.
    write_began: AtomicU64,
    open: Mutex<Option<Sender<Infallible>>>,
    closed: Done,
}

impl Conn {
    /// Wraps a connection that [`Registry::admit`] has counted, and registers it.
    pub(crate) fn new(
        stream: TcpStream,
        addr: Addr,
        id: u64,
        registry: &Arc<Registry>,
    ) -> Arc<Conn> {
        let (open, closed) = bounded(0);
        let conn = Arc::new(Conn {
            stream,
            addr,
            id,
            registry: Arc::clone(registry),
            writing: Mutex::default(),
            write_began: AtomicU64::default(),
            open: Mutex::new(Some(open)),
            closed,
        });
        registry
            .conns
            .lock()
            .by_id
            .insert(id, Arc::downgrade(&conn));
        conn
    }

    /// The client's address.
    pub fn addr(&self) -> Addr {
        self.addr
    }

    /// The socket, for calls that this type does not wrap.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// A unique number, which increases in the order of arrival.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Reads what the client has sent. Tries again after EINTR. Returns 0 after [`Conn::close`], as at the end of the
    /// stream.
    ///
    /// # Errors
    /// The connection failed.
    pub fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if is_closed(&self.closed) {
            return Ok(0);
        }
        net::read(&mut &self.stream, buf)
    }

    /// Writes all of `bytes`, as Go's `conn.Write` does: concurrent writers wait until it is done.
    ///
    /// # Errors
    /// The connection failed.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let _turn = self.writing.lock();
        self.write_began.store(self.registry.millis() + 1, Relaxed);
        let written = (&self.stream).write_all(bytes);
        self.write_began.store(0, Relaxed);
        written
    }

    /// Whether a write is blocked because the client does not read. It is decided by time, because not every
    /// system has a non-blocking write for a blocking socket.
    pub fn is_stalled(&self) -> bool {
        let began = self.write_began.load(Relaxed);
        began > 0 && self.registry.millis().saturating_sub(began) >= STALLED_AFTER
    }

    /// Shuts down the writing side: the client sees the end of the stream.
    pub fn close_write(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Closes the connection: all readers, writers and watchers of [`Conn::closed`] return.
    pub fn close(&self) {
        drop(self.open.lock().take());
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// A channel that [`Conn::close`] closes.
    pub fn closed(&self) -> &Done {
        &self.closed
    }

    /// Reads and discards all further input, because closing with unread data would reset the connection.
    // Not inlined, because its 8 KiB buffer would take stack of the reader for as long as it runs.
    #[inline(never)]
    pub fn drain(&self) {
        let _ = io::copy(&mut &self.stream, &mut io::sink());
    }

    /// Runs `handler`, which may start threads for this connection, and joins them. After `handler` returns they
    /// have [`GRACE`] to finish; then the connection is closed.
    pub fn scope<'env>(&'env self, handler: impl for<'s> FnOnce(Threads<'s, 'env>)) {
        let (running, all) = bounded(0);
        thread::scope(|s| {
            handler(Threads {
                s,
                conn: self,
                running,
            });
            if !closes_within(&all, GRACE) {
                self.close();
            }
        });
    }

    /// A name for a thread of this connection, short enough for the system to show in full.
    pub fn thread_name(&self, role: &str) -> String {
        format!(":{} {role}", self.addr.port())
    }
}

/// The threads of a connection, see [`Conn::scope`].
pub struct Threads<'s, 'env> {
    s: &'s Scope<'s, 'env>,
    conn: &'env Conn,
    running: Sender<Infallible>,
}

impl<'s> Threads<'s, '_> {
    /// Starts a thread. If that fails, the connection is closed.
    pub fn go(&self, role: &str, f: impl FnOnce() + Send + 's) {
        let running = self.running.clone();
        // Boxed, because it is moved several times, and each move would take stack.
        let f: Box<dyn FnOnce() + Send + 's> = Box::new(move || {
            let _running = running;
            f();
        });
        if let Err(err) = go(self.s, self.conn.thread_name(role), f) {
            warn!("{} was disconnected: {err}", self.conn.addr);
            self.conn.close();
        }
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.registry.release(self.id, self.addr.ip());
    }
}

/// Why a client is rejected.
pub(crate) enum Refusal {
    Full,
    PerIp,
}

/// All open connections.
#[derive(Debug)]
pub(crate) struct Registry {
    started: Instant,
    conns: Mutex<Conns>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct Conns {
    count: usize,
    by_id: HashMap<u64, Weak<Conn>>,
    by_ip: HashMap<IpAddr, usize>,
}

impl Default for Registry {
    fn default() -> Registry {
        Registry {
            started: Instant::now(),
            conns: Mutex::default(),
            left: Condvar::new(),
        }
    }
}

impl Registry {
    fn millis(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// Counts a new client, and returns how many are connected now.
    pub(crate) fn admit(
        &self,
        ip: IpAddr,
        max_clients: usize,
        max_per_ip: usize,
    ) -> Result<usize, Refusal> {
        let mut conns = self.conns.lock();
        if conns.count >= max_clients {
            return Err(Refusal::Full);
        }
        let from_ip = conns.by_ip.entry(ip).or_default();
        if *from_ip >= max_per_ip {
            return Err(Refusal::PerIp);
        }
        *from_ip += 1;
        conns.count += 1;
        Ok(conns.count)
    }

    fn release(&self, id: u64, ip: IpAddr) {
        let mut conns = self.conns.lock();
        conns.by_id.remove(&id);
        conns.count -= 1;
        if let Some(from_ip) = conns.by_ip.get_mut(&ip) {
            *from_ip -= 1;
            if *from_ip == 0 {
                conns.by_ip.remove(&ip);
            }
        }
        self.left.notify_all();
    }

    pub(crate) fn shut(&self, half: Shutdown) {
        // Collected first, because dropping the last reference to a connection takes the lock.
        let conns: Vec<_> = self
            .conns
            .lock()
            .by_id
            .values()
            .filter_map(Weak::upgrade)
            .collect();
        for conn in conns {
            // With a zero linger, the handler wants the connection to end with a reset. Shutting down the
            // writing side would first signal a normal end to the client.
            let linger = SockRef::from(&conn.stream).linger();
            if half == Shutdown::Read || !matches!(linger, Ok(Some(Duration::ZERO))) {
                let _ = conn.stream.shutdown(half);
            }
        }
    }

    /// Waits until all connections have ended, or for `limit`. Returns how many are left.
    pub(crate) fn wait_until_empty(&self, limit: Duration) -> usize {
        let deadline = Instant::now() + limit;
        let mut conns = self.conns.lock();
        while conns.count > 0 && !self.left.wait_until(&mut conns, deadline).timed_out() {}
        conns.count
    }
}
