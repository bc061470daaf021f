//! The accept loop of all TCP servers: client limits, temporary errors, shutdown.

use std::convert::Infallible;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, select};
use log::{debug, info, warn};
use socket2::SockRef;

use crate::go::net::{self, Addr};
use crate::go::spawn;
use crate::server::conn::{Conn, GRACE, Refusal, Registry};
use crate::server::limits::{ClientLimit, Limits};
use crate::server::shutdown::{Done, is_closed};
use crate::system::raise_descriptor_limit;

/// The properties of a server that the accept loop needs.
#[derive(Clone, Copy, Debug)]
pub struct ServerProfile {
    /// Threads that one client takes.
    pub threads: usize,
    /// Descriptors that one client takes.
    pub descriptors: usize,
    /// Bytes of memory that one client takes; 0 if other limits are reached long before memory is used up.
    pub memory: usize,
    /// Sent to a client that is rejected because the server is full. Includes the newline.
    pub full: &'static str,
    /// Sent to a client that is rejected because of `--max-per-ip`. Includes the newline.
    pub crowded: &'static str,
    /// Which side of every connection to shut down at shutdown, so that handlers that block on their client
    /// return. None for handlers that watch [`Acceptor::stopping`].
    pub shutdown_half: Option<Shutdown>,
}

/// The accept loop, as an iterator over the accepted connections. It ends at shutdown. Dropping it waits up to
/// [`GRACE`] for all connections to end, then closes the rest.
#[derive(Debug)]
pub struct Acceptor {
    listener: Arc<TcpListener>,
    profile: ServerProfile,
    max_clients: ClientLimit,
    max_per_ip: usize,
    registry: Arc<Registry>,
    stopping: Done,
    next_id: u64,
    full: bool,
    watcher: Option<(Sender<Infallible>, JoinHandle<()>)>,
}

impl Acceptor {
    /// Starts to serve `listener` until `shutdown` is closed. Raises the soft descriptor limit, and logs the
    /// address.
    ///
    /// # Errors
    /// The listener has no address, or the thread that waits for the shutdown cannot be started.
    pub fn new(
        listener: TcpListener,
        limits: &Limits,
        profile: ServerProfile,
        shutdown: Done,
    ) -> io::Result<Self> {
        if let Err(err) = raise_descriptor_limit() {
            warn!("cannot raise the limit on open descriptors: {err}");
        }
        info!("listening on {}", Addr::from(listener.local_addr()?));
        let max_clients = ClientLimit::new(
            limits.max_clients,
            profile.threads,
            profile.descriptors,
            profile.memory,
        );

        let listener = Arc::new(listener);
        let registry = Arc::new(Registry::default());
        let (running, stopping) = bounded(0);
        let (serving, served) = bounded(0);
        let watcher = spawn("shutdown", {
            let (listener, registry) = (Arc::clone(&listener), Arc::clone(&registry));
            move || {
                watch(
                    &shutdown,
                    &served,
                    running,
                    &listener,
                    &registry,
                    profile.shutdown_half,
                )
            }
        })?;
        Ok(Acceptor {
            listener,
            profile,
            max_clients,
            max_per_ip: limits.max_per_ip.map_or(usize::MAX, |n| n as usize),
            registry,
            stopping,
            next_id: 0,
            full: false,
            watcher: Some((serving, watcher)),
        })
    }

    /// A channel that is closed at shutdown.
    pub fn stopping(&self) -> Done {
        self.stopping.clone()
    }

    /// Registers a connection, or rejects it.
    fn admit(&mut self, stream: TcpStream, addr: Addr) -> Option<Arc<Conn>> {
        let most = self.max_clients.number;
        match self.registry.admit(addr.ip(), most, self.max_per_ip) {
            Ok(connected) => {
                self.full = false;
                if connected >= most - most / 10
                    && let Some(reason) = self.max_clients.reason.take()
                {
                    warn!("{connected} of at most {most} clients: {reason}");
                }
            }
            Err(Refusal::Full) => {
                if !self.full {
                    warn!(
                        "{addr} rejected: the limit of {most} clients is reached; further rejections are not logged until a client leaves"
                    );
                }
                self.full = true;
                reject(&stream, self.profile.full);
                return None;
            }
            Err(Refusal::PerIp) => {
                debug!("{addr} rejected: --max-per-ip is reached for its address");
                reject(&stream, self.profile.crowded);
                return None;
            }
        }
        self.next_id += 1;
        let conn = Conn::new(stream, addr, self.next_id, &self.registry);
        // Registered before this check, so shutdown is noticed either by the watcher or here.
        (!is_closed(&self.stopping)).then_some(conn)
    }
}

impl Iterator for Acceptor {
    type Item = Arc<Conn>;

    fn next(&mut self) -> Option<Arc<Conn>> {
        let mut delay = None;
        loop {
            match self.listener.accept() {
                // At shutdown, this may be the watcher's own connection, which woke the loop.
                _ if is_closed(&self.stopping) => return None,
                Ok((stream, addr)) => {
                    let addr = Addr::from(addr);
                    if delay.take().is_some() {
                        info!("accepting again");
                    }
                    if let Some(conn) = self.admit(stream, addr) {
                        return Some(conn);
                    }
                }
                Err(err) if concerns_one_client(&err) => {
                    debug!("a client disconnected before it was accepted: {err}")
                }
                // Go: exits here, with all clients, because one accept failed. Ours waits and tries again,
                // because an error such as too many open files is temporary.
                Err(err) => {
                    if delay.is_none() {
                        warn!("cannot accept: {err}; trying again until it works");
                    }
                    let next = next_delay(delay);
                    delay = Some(next);
                    let _ = self.stopping.recv_timeout(next);
                }
            }
        }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        if let Some((serving, watcher)) = self.watcher.take() {
            drop(serving);
            let _ = watcher.join();
        }
    }
}

/// Waits for the shutdown, or for the loop to be dropped, and then ends every connection.
fn watch(
    shutdown: &Done,
    served: &Receiver<Infallible>,
    running: Sender<Infallible>,
    listener: &TcpListener,
    registry: &Registry,
    shutdown_half: Option<Shutdown>,
) {
    select! {
        recv(shutdown) -> _ => info!("stopping"),
        recv(served) -> _ => {}
    }
    drop(running);
    wake(listener);
    if let Some(half) = shutdown_half {
        registry.shut(half);
    }
    registry.wait_until_empty(GRACE);
    registry.shut(Shutdown::Both);
    // Their connections are closed, so they wait for something else.
    let left = registry.wait_until_empty(3 * GRACE);
    if left > 0 {
        warn!(
            "still waiting for {left} clients: standard output is full, or the disk is slow; a second signal exits at once"
        );
    }
}

/// Wakes a blocked `accept`: on Linux by shutting the listener down, elsewhere by a connection to it.
fn wake(listener: &TcpListener) {
    if SockRef::from(listener).shutdown(Shutdown::Both).is_err()
        && let Ok(addr) = listener.local_addr()
    {
        let _ = TcpStream::connect_timeout(&net::loopback(addr), GRACE);
    }
}

/// Sends a client the reason why it is rejected. Never blocks: the send buffer of a new connection has room for a
/// line. Reads pending input first: closing a socket with unread data sends RST, and the client may lose the line.
fn reject(mut stream: &TcpStream, line: &str) {
    let sent = stream.set_nonblocking(true).and_then(|()| {
        stream.write_all(line.as_bytes())?;
        stream.shutdown(Shutdown::Write)?;
        stream.read(&mut [0; 4096])
    });
    debug!("rejected: {sent:?}");
}

/// Whether an error of `accept` concerns only the connection that it would have returned.
fn concerns_one_client(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::Interrupted
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
    )
}

/// Exponential backoff: 1 ms, doubled each time, up to 1 s.
fn next_delay(last: Option<Duration>) -> Duration {
    last.map_or(Duration::from_millis(1), |last| {
        (last * 2).min(Duration::from_secs(1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_a_second() {
        let mut delays = vec![next_delay(None)];
        for _ in 0..11 {
            delays.push(next_delay(delays.last().copied()));
        }
        assert_eq!(delays[..3], [1, 2, 4].map(Duration::from_millis));
        assert_eq!(delays[11], Duration::from_secs(1));
    }

    #[test]
    fn rejected_client_gets_the_message_not_a_reset() {
        let limit = Some(Duration::from_secs(20));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(limit).unwrap();
        client.write_all(b"hello").unwrap();
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(limit).unwrap();
        // Wait until its data has arrived, and leave it unread.
        stream.peek(&mut [0]).unwrap();
        reject(&stream, "no room\r\n");
        drop(stream);
        let mut received = String::new();
        client.read_to_string(&mut received).unwrap();
        assert_eq!(received, "no room\r\n");
        // On Linux the client would get the line despite a reset, so the reset is checked too.
        let err = client.take_error().unwrap();
        assert!(err.is_none(), "{err:?}");
    }
}
