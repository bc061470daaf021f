//! One client's socket.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};

use mio::net::TcpStream;
use rustix::io::Errno;
use socket2::{Domain, SockRef, Socket, Type};

use crate::error::context;
use crate::system::descriptor_limit;

/// The receive buffer of a client that never reads, in bytes.
const SMALL: usize = 4096;

/// One of the [`Clients`](crate::lab::load::clients::Clients).
#[derive(Debug)]
pub struct Client {
    /// Its own address, which is its first name in the room.
    pub addr: SocketAddr,
    /// None when it has left or was disconnected.
    pub(crate) stream: Option<TcpStream>,
    pub(crate) connecting: bool,
    /// The end of a message that the socket has taken in part.
    pub(crate) unsent: Vec<u8>,
}

impl Client {
    /// A client with this own address.
    pub fn new(addr: SocketAddr, stream: TcpStream, connecting: bool) -> Client {
        Client {
            addr,
            stream: Some(stream),
            connecting,
            unsent: Vec::new(),
        }
    }

    /// Whether it is connected and the server has not closed the connection.
    pub fn is_open(&self) -> bool {
        self.stream.is_some() && !self.connecting
    }

    /// Whether the socket takes another message. If not, `Event::Writable` follows.
    pub fn is_writable(&self) -> bool {
        self.is_open() && self.unsent.is_empty()
    }

    /// Sends a message; what the socket does not take is kept. A failure shows as `Event::Closed`,
    /// since reading fails as well.
    pub fn send(&mut self, message: &[u8]) {
        let taken = match &mut self.stream {
            Some(stream) if self.unsent.is_empty() => stream.write(message).unwrap_or(0),
            _ => 0,
        };
        if taken < message.len() {
            self.unsent.extend_from_slice(&message[taken..]);
            self.flush();
        }
    }

    /// Sends what was kept, as far as the socket takes it.
    pub(crate) fn flush(&mut self) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        while !self.unsent.is_empty() {
            match stream.write(&self.unsent) {
                Ok(n) => drop(self.unsent.drain(..n)),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    /// Leaves, if it is there.
    pub fn close(&mut self) {
        self.stream = None;
    }

    /// Reads and throws away what is there: how many bytes, or none if the server has closed the
    /// connection.
    pub fn discard(&mut self) -> Option<usize> {
        let mut bin = [0; 64 * 1024];
        let stream = self.stream.as_mut()?;
        // The small buffer of one that never reads lets little through at a time.
        SockRef::from(&*stream)
            .set_recv_buffer_size(1024 * 1024)
            .ok();
        let mut discarded = 0;
        loop {
            match stream.read(&mut bin) {
                Ok(0) => return None,
                Ok(n) => discarded += n,
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) if err.kind() == ErrorKind::WouldBlock => return Some(discarded),
                Err(_) => return None,
            }
        }
    }
}

/// Starts a connection and does not wait for it.
pub(crate) fn connect(to: SocketAddr, from: Option<IpAddr>, unread: bool) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if unread {
        // With the system's buffers, megabytes have to come before the server notices.
        socket.set_recv_buffer_size(SMALL)?;
    }
    if let Some(from) = from {
        socket.bind(&SocketAddr::new(from, 0).into())?;
    }
    match socket.connect(&to.into()) {
        // EINPROGRESS: writable when it is done. EINTR on a non-blocking socket is the same.
        Err(err)
            if ![Errno::INPROGRESS, Errno::INTR]
                .iter()
                .any(|going_on| err.raw_os_error() == Some(going_on.raw_os_error())) =>
        {
            return Err(err);
        }
        _ => {}
    }
    Ok(TcpStream::from_std(socket.into()))
}

/// `connect` and `bind` report it differently.
pub fn is_out_of_ports(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse
    )
}

/// Says which limit was reached, where it is one of this machine, and how to raise it.
pub fn explain(err: io::Error, target: SocketAddr) -> io::Error {
    let no_descriptors = Errno::MFILE.raw_os_error();
    let why = if err.raw_os_error() == Some(no_descriptors) {
        let limit = descriptor_limit().unwrap_or(u64::MAX);
        format!("all {limit} descriptors are in use (RLIMIT_NOFILE; raise it: ulimit -n 1000000)")
    } else if is_out_of_ports(&err) {
        "all ports are in use (net.ipv4.ip_local_port_range; raise it: sysctl -w \
         net.ipv4.ip_local_port_range='1024 65535')"
            .to_owned()
    } else {
        return context(format_args!("cannot connect to {target}"))(err);
    };
    io::Error::new(err.kind(), format!("cannot connect to {target}: {why}"))
}
