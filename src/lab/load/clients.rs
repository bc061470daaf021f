//! Many client sockets on one thread, by readiness: the load generator must not be what slows the
//! servers under test down, and one thread per client is to be theirs alone.

use std::io::{self, ErrorKind, Read};
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, event::Source};
use rustix::io::Errno;
use socket2::SockRef;

use crate::error::context;
use crate::lab::load::client::{Client, connect, explain, is_out_of_ports};
#[cfg(target_os = "linux")]
use crate::lab::load::timer::Timer;
use crate::system::descriptor_limit;

/// Bytes that one read takes at most. All clients read into the same buffer.
const READ: usize = 256 * 1024;

/// Reads after which a client that always fills the buffer has to let the others have their turn.
const FULL_READS: usize = 16;

/// The last source address: 127.0.0.200.
const LAST_SOURCE: u8 = 200;

/// Descriptors that are left for everything but clients: reading `/proc`, writing results.
const SPARE: u64 = 48;

const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE);

const LISTENER: Token = Token(usize::MAX - 1);

#[cfg(target_os = "linux")]
const TIMER: Token = Token(usize::MAX - 2);

/// What happened to a client.
#[derive(Debug)]
pub enum Event<'a> {
    /// It is connected.
    Connected,
    /// The socket, which was full, takes the next message.
    Writable,
    /// It has read these bytes.
    Bytes(&'a [u8]),
    /// The other end closed the connection, or it failed.
    Closed,
}

/// The clients, or at the other end those of the floor.
#[derive(Debug)]
pub struct Clients {
    poll: Poll,
    #[cfg(target_os = "linux")]
    timer: Timer,
    events: Events,
    buffer: Box<[u8]>,
    targets: Vec<SocketAddr>,
    /// Whether they read from the start.
    reads: bool,
    /// In the order in which they were started; those that are gone stay until their place is taken.
    all: Vec<Client>,
    /// Numbers of clients that went while they were waited for.
    pub free: Vec<usize>,
    /// How many are in, and the most that were.
    pub inside: usize,
    pub most_inside: usize,
    /// How many were disconnected before they were in, or before they were measured.
    pub refused: u64,
    /// How many were in, and were disconnected.
    pub dropped: u64,
    /// The last byte of the source address, when the ports of those before it are used up.
    source: u8,
    listener: Option<TcpListener>,
}

impl Clients {
    /// None yet; they will connect to each of `targets` in turn.
    ///
    /// # Errors
    /// The kernel gives no more descriptors.
    pub fn new(targets: Vec<SocketAddr>) -> io::Result<Clients> {
        let poll = Poll::new().map_err(context("cannot wait for sockets"))?;
        Ok(Clients {
            #[cfg(target_os = "linux")]
            timer: Timer::new(poll.registry(), TIMER)?,
            poll,
            events: Events::with_capacity(1024),
            buffer: vec![0; READ].into_boxed_slice(),
            targets,
            reads: true,
            all: Vec::new(),
            free: Vec::new(),
            inside: 0,
            most_inside: 0,
            refused: 0,
            dropped: 0,
            source: 1,
            listener: None,
        })
    }

    /// So many that connect and do not read until [`Clients::read_at_last`].
    ///
    /// # Errors
    /// As for [`Clients::connect`].
    pub fn stalled(targets: Vec<SocketAddr>, count: usize) -> io::Result<Clients> {
        let mut clients = Clients::new(targets)?;
        clients.reads = false;
        (0..count).try_for_each(|number| clients.connect(number))?;
        Ok(clients)
    }

    /// Those who connect to `listener`, as a server has them.
    ///
    /// # Errors
    /// The kernel gives no more descriptors.
    pub fn of(listener: std::net::TcpListener) -> io::Result<Clients> {
        let mut clients = Clients::new(Vec::new())?;
        listener.set_nonblocking(true)?;
        let mut listener = TcpListener::from_std(listener);
        listener.register(clients.poll.registry(), LISTENER, Interest::READABLE)?;
        clients.listener = Some(listener);
        Ok(clients)
    }

    /// Clients that were started, in the order in which they were; those that are gone stay in it.
    pub fn all(&mut self) -> &mut [Client] {
        &mut self.all
    }

    /// Starts to connect client `number`: one more, or anew one that is gone.
    ///
    /// # Errors
    /// The server refused, or this machine has no descriptor or port left.
    pub fn connect(&mut self, number: usize) -> io::Result<()> {
        let target = self.targets[number % self.targets.len()];
        // Connecting would work, and then nothing else.
        if descriptor_limit().is_some_and(|limit| number as u64 + SPARE >= limit) {
            return Err(explain(Errno::MFILE.into(), target));
        }
        let mut stream = loop {
            match connect(target, self.source(target), self.reads) {
                Err(err)
                    if is_out_of_ports(&err) && self.has_sources() && self.source < LAST_SOURCE =>
                {
                    self.source += 1;
                }
                connected => break connected.map_err(|err| explain(err, target))?,
            }
        };
        if self.reads {
            // mio is edge-triggered: one registration serves for all that comes, without a system
            // call to ask again after each event.
            stream.register(self.poll.registry(), Token(number), INTEREST)?;
        }
        self.put(number, Client::new(stream.local_addr()?, stream, true));
        Ok(())
    }

    /// Clients that are neither in nor out, if none left of itself.
    pub fn undecided(&self) -> usize {
        self.all.len() - self.inside - (self.refused + self.dropped) as usize
    }

    fn put(&mut self, number: usize, client: Client) {
        match self.all.get_mut(number) {
            Some(place) => *place = client,
            None => self.all.push(client),
        }
    }

    /// Whether there are several source addresses: all of 127.0.0.0/8 is this machine.
    fn has_sources(&self) -> bool {
        let is_local = |target: &SocketAddr| target.ip().is_loopback() && target.is_ipv4();
        self.targets.iter().all(is_local)
    }

    /// 127.0.0.2, 127.0.0.3 and so on, when the ports of the first address do not suffice. With several
    /// servers there always is one: the system may give out a port again for another server, and in one
    /// room that would be two users of one address.
    fn source(&self, target: SocketAddr) -> Option<IpAddr> {
        match target {
            _ if self.targets.len() == 1 && self.source == 1 => None,
            _ if self.has_sources() => Some(Ipv4Addr::new(127, 0, 0, self.source).into()),
            SocketAddr::V4(_) => Some(Ipv4Addr::UNSPECIFIED.into()),
            SocketAddr::V6(_) => Some(Ipv6Addr::UNSPECIFIED.into()),
        }
    }

    /// Has those read that did not until now.
    ///
    /// # Errors
    /// The kernel has no memory left.
    pub fn read_at_last(&mut self) -> io::Result<()> {
        for (number, client) in self.all.iter_mut().enumerate() {
            let Some(stream) = &mut client.stream else {
                continue;
            };
            // The small buffer lets little through at a time.
            let socket = SockRef::from(&*stream);
            socket.set_recv_buffer_size(1024 * 1024).ok();
            stream.register(self.poll.registry(), Token(number), INTEREST)?;
        }
        Ok(())
    }

    /// Disconnects all and forgets them, and what became of them.
    pub fn clear(&mut self) {
        self.all.clear();
        self.free.clear();
        (self.inside, self.most_inside) = (0, 0);
        (self.refused, self.dropped) = (0, 0);
    }

    /// Disconnects a client that is in, as one that was refused.
    pub fn refuse(&mut self, number: usize) {
        self.all[number].close();
        self.all[number].is_in = false;
        self.inside -= 1;
        self.refused += 1;
    }

    /// Waits until something happens, for `timeout` at most (for ever is `None`), and passes it to
    /// `each`, which may send on the client. Returns whether something has happened.
    ///
    /// # Errors
    /// Waiting failed.
    pub fn poll(
        &mut self,
        timeout: Option<Duration>,
        mut each: impl FnMut(usize, &mut Client, Event<'_>),
    ) -> io::Result<bool> {
        #[cfg(target_os = "linux")]
        if let Some(timeout) = timeout.filter(|timeout| timeout.subsec_nanos() % 1_000_000 > 0) {
            self.timer.set(timeout)?;
        }
        match self.poll.poll(&mut self.events, timeout) {
            Err(err) if err.kind() == ErrorKind::Interrupted => return Ok(true),
            result => result.map_err(context("cannot wait for sockets"))?,
        }
        let mut somebody_waits = false;
        for event in &self.events {
            somebody_waits |= event.token() == LISTENER;
            let number = event.token().0;
            let is_there = |client: &&mut Client| client.stream.is_some();
            let Some(client) = self.all.get_mut(number).filter(is_there) else {
                continue;
            };
            let was_in = client.is_in;
            let mut is_over = client.connecting && event.is_error();
            if event.is_writable() && mem::take(&mut client.connecting) && !is_over {
                each(number, client, Event::Connected);
            }
            if event.is_writable() && !client.unsent.is_empty() {
                client.flush();
                if client.is_writable() {
                    each(number, client, Event::Writable);
                }
            }
            let mut full = 0;
            while event.is_readable()
                && !is_over
                && let Some(stream) = &mut client.stream
            {
                if full == FULL_READS {
                    // Registered anew, it is reported again that there is more.
                    stream.reregister(self.poll.registry(), Token(number), INTEREST)?;
                    break;
                }
                match stream.read(&mut self.buffer) {
                    Ok(n) if n > 0 => {
                        each(number, client, Event::Bytes(&self.buffer[..n]));
                        // A read that did not fill the buffer has emptied the socket; only the
                        // end of the stream could still be behind it.
                        if n < READ && !event.is_read_closed() {
                            break;
                        }
                        full += usize::from(n == READ);
                    }
                    Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                    Err(err) if err.kind() == ErrorKind::Interrupted => {}
                    _ => is_over = true,
                }
            }
            if is_over {
                client.close();
                each(number, client, Event::Closed);
                match mem::take(&mut client.is_in) {
                    true => self.dropped += 1,
                    false => self.refused += 1,
                }
            }
            if client.stream.is_none() {
                self.free.push(number);
            }
            self.inside = self.inside + usize::from(client.is_in) - usize::from(was_in);
            self.most_inside = self.most_inside.max(self.inside);
        }
        if somebody_waits {
            self.accept(&mut each)?;
        }
        Ok(!self.events.is_empty())
    }

    fn accept(&mut self, each: &mut impl FnMut(usize, &mut Client, Event<'_>)) -> io::Result<()> {
        while let Some(listener) = &self.listener {
            let (mut stream, addr) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                Err(err) if err.kind() == ErrorKind::ConnectionAborted => continue,
                Err(err) => return Err(err),
            };
            stream.set_nodelay(true)?;
            let number = self.free.pop().unwrap_or(self.all.len());
            stream.register(self.poll.registry(), Token(number), INTEREST)?;
            self.put(number, Client::new(addr, stream, false));
            each(number, &mut self.all[number], Event::Connected);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
