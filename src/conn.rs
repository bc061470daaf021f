//! The connections of a server: each one, and the register of those that live.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Shutdown as Half, SocketAddr, TcpStream};
use std::ops::Deref;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use socket2::SockRef;

use crate::net;

/// A connection that was let in. It counts as a client until it is dropped, which closes it.
#[derive(Debug)]
pub struct Conn {
    stream: TcpStream,
    addr: SocketAddr,
    id: u64,
    live: Arc<Live>,
}

impl Conn {
    /// A connection that [`Live::enter`] has counted in.
    pub(crate) fn new(stream: TcpStream, addr: SocketAddr, id: u64, live: &Arc<Live>) -> Arc<Conn> {
        let conn = Arc::new(Conn {
            stream,
            addr,
            id,
            live: Arc::clone(live),
        });
        live.conns.lock().by_id.insert(id, Arc::downgrade(&conn));
        conn
    }

    /// The client's address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A number that no other connection of this server has; it rises in the order of coming.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Reads what the client has sent, as [`TcpStream`] does, but never ends for a signal.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        net::read(&mut &self.stream, buf)
    }

    /// A name for a thread of this connection, short enough for the system to show it whole.
    pub fn thread_name(&self, role: &str) -> String {
        format!(":{} {role}", self.addr.port())
    }
}

impl Deref for Conn {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.stream
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.live.leave(self.id, self.addr.ip());
    }
}

/// Why a client is turned away.
pub(crate) enum Refusal {
    Full,
    Crowded,
}

/// The connections that were let in and have not ended.
#[derive(Debug, Default)]
pub(crate) struct Live {
    conns: Mutex<Conns>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct Conns {
    count: usize,
    by_id: HashMap<u64, Weak<Conn>>,
    by_ip: HashMap<IpAddr, usize>,
}

impl Live {
    pub(crate) fn enter(&self, ip: IpAddr, most: usize, most_per_ip: usize) -> Result<(), Refusal> {
        let mut conns = self.conns.lock();
        if conns.count >= most {
            return Err(Refusal::Full);
        }
        let from_ip = conns.by_ip.entry(ip).or_default();
        if *from_ip >= most_per_ip {
            return Err(Refusal::Crowded);
        }
        *from_ip += 1;
        conns.count += 1;
        Ok(())
    }

    fn leave(&self, id: u64, ip: IpAddr) {
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

    pub(crate) fn shut(&self, half: Half) {
        // Taken out first: the last owner of a connection needs the lock to drop it.
        let conns: Vec<_> = self
            .conns
            .lock()
            .by_id
            .values()
            .filter_map(Weak::upgrade)
            .collect();
        for conn in conns {
            // With a zero linger, the handler wants its end to be a reset. To shut the writing half
            // would tell the client first that all was said.
            let linger = SockRef::from(&conn.stream).linger();
            if half == Half::Read || !matches!(linger, Ok(Some(Duration::ZERO))) {
                let _ = conn.shutdown(half);
            }
        }
    }

    pub(crate) fn wait_until_empty(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut conns = self.conns.lock();
        while conns.count > 0 && !self.left.wait_until(&mut conns, deadline).timed_out() {}
    }
}
