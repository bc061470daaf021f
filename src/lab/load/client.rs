//! One client's socket.

use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};

use mio::net::TcpStream;
use rustix::io::Errno;
use socket2::{Domain, Socket, Type};

use crate::lab::load::protocol::{self, Lines};
use crate::system::descriptor_limit;

/// The receive buffer of a client that never reads, in bytes.
const SMALL: usize = 4096;

/// One of the [`Clients`](crate::lab::load::clients::Clients).
#[derive(Debug)]
pub struct Client {
    /// What stands before the text of its messages: its own address, which is its first name, too.
    pub prefix: Vec<u8>,
    /// Where its reading stands.
    pub lines: Lines,
    /// Whether the server has let it in.
    pub is_in: bool,
    /// The last line that it got while it was not.
    pub told: Vec<u8>,
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
            prefix: protocol::prefix(addr),
            lines: Lines::default(),
            is_in: false,
            told: Vec::new(),
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

    /// Disconnects it; `Event::Closed` follows.
    pub fn disconnect(&mut self) {
        if let Some(stream) = &self.stream {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

/// Starts a connection and does not wait for it.
pub(crate) fn connect(to: SocketAddr, from: Option<IpAddr>, reads: bool) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if !reads {
        // With the system's buffers, megabytes have to come before the server notices.
        socket.set_recv_buffer_size(SMALL)?;
    }
    if let Some(from) = from {
        socket.bind(&SocketAddr::new(from, 0).into())?;
    }
    match socket.connect(&to.into()) {
        // It is writable when it is done.
        Err(err) if Errno::from_io_error(&err) == Some(Errno::INPROGRESS) => {}
        result => result?,
    }
    Ok(TcpStream::from_std(socket.into()))
}

/// `connect` and `bind` report it differently.
pub fn is_out_of_ports(err: &io::Error) -> bool {
    [ErrorKind::AddrNotAvailable, ErrorKind::AddrInUse].contains(&err.kind())
}

/// Says which limit was reached, where it is one of this machine, and how to raise it.
pub fn explain(err: io::Error, target: SocketAddr) -> io::Error {
    let why = if Errno::from_io_error(&err) == Some(Errno::MFILE) {
        let limit = descriptor_limit().unwrap_or(u64::MAX);
        format!("all {limit} descriptors are in use (RLIMIT_NOFILE; raise it: ulimit -n 1000000)")
    } else if is_out_of_ports(&err) {
        "all ports are in use (net.ipv4.ip_local_port_range; raise it: sysctl -w \
         net.ipv4.ip_local_port_range='1024 65535')"
            .to_owned()
    } else {
        err.to_string()
    };
    io::Error::new(err.kind(), format!("cannot connect to {target}: {why}"))
}
