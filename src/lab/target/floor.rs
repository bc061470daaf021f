//! The floor: a server that speaks the course's protocols with as little as can be done, one thread
//! and one non-blocking write for each client and burst. What it reaches is what the kernel and the
//! load generator allow; no server that does a write for each client can pass it by much.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::thread;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::go::net;
use crate::lab::load::protocol::{self, Lines};
use crate::lab::target::contender::Protocol;
use crate::server::system_limits::raise_descriptor_limit;

const LISTENER: Token = Token(usize::MAX - 1);

/// Bytes that one read takes at most.
const READ: usize = 64 * 1024;

/// Bytes that may wait for a guest that does not read, before it is disconnected.
const UNSENT: usize = 1024 * 1024;

struct Floor {
    protocol: Protocol,
    poll: Poll,
    listener: TcpListener,
    guests: Vec<Option<Guest>>,
    /// Places in `guests` that are free.
    free: Vec<usize>,
    buffer: Vec<u8>,
    /// What was said since the last wait, for everyone.
    burst: Vec<u8>,
}

struct Guest {
    stream: TcpStream,
    addr: SocketAddr,
    prefix: Vec<u8>,
    lines: Lines,
    unsent: Vec<u8>,
}

/// Serves on `addr` until standard input ends, so that the server does not outlive who started it.
///
/// # Errors
/// It cannot listen there, or the kernel gives no more descriptors.
pub fn run(addr: SocketAddr, protocol: Protocol) -> io::Result<()> {
    raise_descriptor_limit()?;
    thread::Builder::new().spawn(|| {
        io::copy(&mut io::stdin(), &mut io::sink()).ok();
        std::process::exit(0);
    })?;

    let listener = net::listen(&addr.to_string())?;
    listener.set_nonblocking(true)?;
    let mut floor = Floor {
        protocol,
        poll: Poll::new()?,
        listener: TcpListener::from_std(listener),
        guests: Vec::new(),
        free: Vec::new(),
        buffer: vec![0; READ],
        burst: Vec::new(),
    };
    floor
        .poll
        .registry()
        .register(&mut floor.listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    loop {
        match floor.poll.poll(&mut events, None) {
            Err(err) if err.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            if event.token() == LISTENER {
                floor.accept()?;
                continue;
            }
            let seat = event.token().0;
            if event.is_writable() {
                floor.flush(seat);
            }
            if event.is_readable() {
                floor.read(seat, event.is_read_closed());
            }
        }
        floor.tell_everyone();
    }
}

impl Floor {
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let (mut stream, addr) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(err) if err.kind() == ErrorKind::ConnectionAborted => continue,
                Err(err) => return Err(err),
            };
            stream.set_nodelay(true)?;
            let seat = self.free.pop().unwrap_or_else(|| {
                self.guests.push(None);
                self.guests.len() - 1
            });
            self.poll.registry().register(
                &mut stream,
                Token(seat),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            if self.protocol == Protocol::Chat {
                self.burst.extend_from_slice(&protocol::login(addr));
                self.burst.extend_from_slice(b"\r\n");
            }
            self.guests[seat] = Some(Guest {
                stream,
                addr,
                prefix: protocol::prefix(addr),
                lines: Lines::default(),
                unsent: Vec::new(),
            });
        }
    }

    fn read(&mut self, seat: usize, closed: bool) {
        // A guest may have been disconnected since the event was made.
        while let Some(guest) = &mut self.guests[seat] {
            match guest.stream.read(&mut self.buffer) {
                Ok(0) => self.leave(seat),
                Ok(n) => {
                    let bytes = &mut self.buffer[..n];
                    match self.protocol {
                        Protocol::Echo => {
                            bytes.make_ascii_uppercase();
                            if !guest.write(bytes) {
                                self.leave(seat);
                            }
                        }
                        Protocol::Chat => guest.lines.cut(bytes, |line| {
                            self.burst.extend_from_slice(&guest.prefix);
                            self.burst.extend_from_slice(line);
                            self.burst.extend_from_slice(b"\r\n");
                        }),
                    }
                    if n < READ && !closed {
                        return;
                    }
                }
                Err(err) if err.kind() == ErrorKind::WouldBlock => return,
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.leave(seat),
            }
        }
    }

    fn flush(&mut self, seat: usize) {
        if let Some(guest) = &mut self.guests[seat]
            && !guest.unsent.is_empty()
        {
            let unsent = std::mem::take(&mut guest.unsent);
            if !guest.write(&unsent) {
                self.leave(seat);
            }
        }
    }

    fn leave(&mut self, seat: usize) {
        if let Some(guest) = self.guests[seat].take() {
            self.free.push(seat);
            if self.protocol == Protocol::Chat {
                self.burst.extend_from_slice(&guest.prefix);
                self.burst.extend_from_slice(b"logout\r\n");
            }
            log::debug!("{} left", guest.addr);
        }
    }

    fn tell_everyone(&mut self) {
        // Whoever cannot be written to leaves, and that is told as well.
        while !self.burst.is_empty() {
            let burst = std::mem::take(&mut self.burst);
            for seat in 0..self.guests.len() {
                if let Some(guest) = &mut self.guests[seat]
                    && !guest.write(&burst)
                {
                    self.leave(seat);
                }
            }
            if self.burst.is_empty() {
                self.burst = burst;
                self.burst.clear();
            }
        }
    }
}

impl Guest {
    /// Writes once and keeps what the socket does not take; false if the guest is to be disconnected.
    fn write(&mut self, bytes: &[u8]) -> bool {
        let taken = if self.unsent.is_empty() {
            match self.stream.write(bytes) {
                Ok(n) => n,
                Err(err) if err.kind() == ErrorKind::WouldBlock => 0,
                Err(err) if err.kind() == ErrorKind::Interrupted => 0,
                Err(_) => return false,
            }
        } else {
            0
        };
        self.unsent.extend_from_slice(&bytes[taken..]);
        self.unsent.len() <= UNSENT
    }
}
