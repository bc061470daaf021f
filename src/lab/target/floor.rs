//! The floor: a server that speaks the course's protocols with as little as can be done, one thread
//! and one non-blocking write for each client and burst. What it reaches is what the kernel and the
//! load generator allow; no server that does a write for each client can pass it by much.

use std::io::{self, ErrorKind, Read};
use std::net;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use crate::lab::load::client::Client;
use crate::lab::load::protocol::{self, Lines, Protocol};
use crate::system::raise_descriptor_limit;

const LISTENER: Token = Token(usize::MAX - 1);

/// Bytes that one read takes at most.
const READ: usize = 64 * 1024;

/// Bytes that may wait for a client that does not read, before it is disconnected.
const UNSENT: usize = 1024 * 1024;

struct Floor {
    protocol: Protocol,
    poll: Poll,
    listener: TcpListener,
    clients: Vec<Option<Guest>>,
    /// Places in `clients` that are free.
    free: Vec<usize>,
    buffer: Vec<u8>,
    /// Messages since the last wait, for all clients.
    burst: Vec<u8>,
}

struct Guest {
    client: Client,
    prefix: Vec<u8>,
    lines: Lines,
}

/// Serves until the process is stopped.
///
/// # Errors
/// The kernel gives no more descriptors.
pub fn run(listener: net::TcpListener, protocol: Protocol) -> io::Result<()> {
    raise_descriptor_limit()?;
    listener.set_nonblocking(true)?;
    let mut floor = Floor {
        protocol,
        poll: Poll::new()?,
        listener: TcpListener::from_std(listener),
        clients: Vec::new(),
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
            let number = event.token().0;
            if event.is_writable() {
                floor.clients[number]
                    .iter_mut()
                    .for_each(|guest| guest.client.flush());
            }
            if event.is_readable() {
                floor.read(number, event.is_read_closed());
            }
        }
        floor.send_burst();
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
            let number = self.free.pop().unwrap_or_else(|| {
                self.clients.push(None);
                self.clients.len() - 1
            });
            self.poll.registry().register(
                &mut stream,
                Token(number),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            if self.protocol == Protocol::Chat {
                self.burst.extend_from_slice(&protocol::login(addr));
                self.burst.extend_from_slice(b"\r\n");
            }
            self.clients[number] = Some(Guest {
                client: Client::new(addr, stream, false),
                prefix: protocol::prefix(addr),
                lines: Lines::default(),
            });
        }
    }

    fn read(&mut self, number: usize, closed: bool) {
        // A client may have been disconnected since the event was made.
        while let Some(guest) = &mut self.clients[number]
            && let Some(stream) = &mut guest.client.stream
        {
            match stream.read(&mut self.buffer) {
                Ok(0) => self.leave(number),
                Ok(n) => {
                    let bytes = &mut self.buffer[..n];
                    match self.protocol {
                        Protocol::Echo => {
                            bytes.make_ascii_uppercase();
                            guest.client.send(bytes);
                            if guest.client.unsent.len() > UNSENT {
                                self.leave(number);
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
                Err(_) => self.leave(number),
            }
        }
    }

    fn leave(&mut self, number: usize) {
        if let Some(guest) = self.clients[number].take() {
            self.free.push(number);
            if self.protocol == Protocol::Chat {
                self.burst.extend_from_slice(&guest.prefix);
                self.burst.extend_from_slice(b"logout\r\n");
            }
        }
    }

    fn send_burst(&mut self) {
        // A client whose queue is full leaves, and the others see that as well.
        while !self.burst.is_empty() {
            let burst = std::mem::take(&mut self.burst);
            for number in 0..self.clients.len() {
                let Some(Guest { client, .. }) = &mut self.clients[number] else {
                    continue;
                };
                client.send(&burst);
                if client.unsent.len() > UNSENT {
                    self.leave(number);
                }
            }
            if self.burst.is_empty() {
                self.burst = burst;
                self.burst.clear();
            }
        }
    }
}
