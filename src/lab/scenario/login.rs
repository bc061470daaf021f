//! Everyone in: connects the clients and waits until each has seen that it is in, which is its own login
//! in the chat and the first echo.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::protocol::{self, Lines, Protocol};
use crate::lab::scenario::session::Session;

/// Connections that may be under way at one time: well under the longest backlog.
const UNDER_WAY: usize = 1024;

/// Connections that are started between two looks at what the others got.
const AT_ONCE: usize = 32;

/// How long to wait for sockets at most before looking at the clock.
pub const TURN: Duration = Duration::from_millis(50);

/// How long no client may be admitted while one is waiting.
pub const SILENCE: Duration = Duration::from_secs(10);

/// The room counts as quiet when nothing has come for this long.
const QUIET: Duration = Duration::from_millis(30);

/// The clients on their way in.
#[derive(Debug)]
pub struct Login {
    protocol: Protocol,
    /// One per client.
    pub seats: Vec<Seat>,
    /// How many are in.
    pub inside: usize,
    /// How many were disconnected, or answered wrong, before they were in.
    pub refused: usize,
    /// How many were in, and were disconnected.
    pub dropped: u64,
    /// The last line that a client got before it was refused.
    pub told: Vec<u8>,
    connecting: usize,
    /// When the last of them came nearer to being in or out.
    pub moved: Instant,
    start: Instant,
    last_in: Instant,
}

/// A client's place.
#[derive(Debug, Default)]
pub struct Seat {
    /// Where its reading stands.
    pub lines: Lines,
    /// Whether it is in.
    pub is_in: bool,
    /// What stands before the text of its messages.
    pub prefix: Vec<u8>,
    /// The line by which it knows that it is in.
    welcome: Vec<u8>,
    told: Vec<u8>,
}

impl Login {
    /// Nobody yet.
    pub fn new(protocol: Protocol) -> Login {
        let now = Instant::now();
        Login {
            protocol,
            seats: Vec::new(),
            inside: 0,
            refused: 0,
            dropped: 0,
            told: Vec::new(),
            connecting: 0,
            moved: now,
            start: now,
            last_in: now,
        }
    }

    /// Lets `count` clients in. Some may be refused; those are closed.
    ///
    /// # Errors
    /// Nobody gets in and stays, or as for [`Session::tick`].
    pub fn everyone(
        protocol: Protocol,
        count: usize,
        clients: &mut Clients,
        session: &mut Session<'_>,
    ) -> io::Result<Login> {
        let mut login = Login::new(protocol);
        let mut refusal = None;
        loop {
            for _ in 0..AT_ONCE {
                if login.seats.len() < count && login.connecting < UNDER_WAY && refusal.is_none() {
                    // No descriptor, no port: it will not be better for those that follow.
                    refusal = login.connect(clients).err();
                }
            }
            let more = login.seats.len() < count && refusal.is_none();
            if !more && login.undecided() == 0 || login.moved.elapsed() > SILENCE {
                break;
            }
            let at_once = more && login.connecting < UNDER_WAY;
            login.poll(clients, if at_once { Duration::ZERO } else { TURN })?;
            session.tick(Instant::now(), login.inside, 0)?;
        }
        match (login.inside, refusal) {
            (0, refusal) => return Err(refusal.unwrap_or_else(|| login.nobody(session))),
            (_, refusal) => session.notes.extend(refusal.map(generator_itself)),
        }
        for (seat, client) in login.seats.iter().zip(clients.all()) {
            if !seat.is_in {
                client.close();
            }
        }
        if protocol == Protocol::Chat {
            login.settle(clients, session)?;
        }
        Ok(login)
    }

    /// The failure of a server that lets nobody in.
    fn nobody(&self, session: &mut Session<'_>) -> io::Error {
        let is_silent = self.undecided() > 0;
        match self.protocol {
            _ if self.dropped > 0 => nobody_left(session),
            Protocol::Echo if is_silent || !self.told.is_empty() => session.error(NO_ANSWER),
            Protocol::Chat if is_silent => session.error(&format!(
                "let nobody into the room: no client saw its own login in {} s (does it speak the chat \
                 protocol?)",
                SILENCE.as_secs()
            )),
            _ => session.error("closed every connection at once"),
        }
    }

    /// Starts to connect one more client.
    ///
    /// # Errors
    /// As for [`Clients::connect`].
    pub fn connect(&mut self, clients: &mut Clients) -> io::Result<()> {
        clients.connect()?;
        self.seats.push(Seat::default());
        self.connecting += 1;
        Ok(())
    }

    /// Clients that are neither in nor out.
    pub fn undecided(&self) -> usize {
        self.seats.len() - self.inside - self.refused - self.dropped as usize
    }

    /// Seconds from the start until the last came in.
    pub fn seconds(&self) -> f64 {
        (self.last_in - self.start).as_secs_f64()
    }

    /// Waits for what comes next.
    ///
    /// # Errors
    /// As for [`Clients::poll`].
    pub fn poll(&mut self, clients: &mut Clients, timeout: Duration) -> io::Result<()> {
        clients.poll(Some(timeout), |number, client, event| match event {
            Event::Connected => {
                self.moved = Instant::now();
                self.connecting -= 1;
                let seat = &mut self.seats[number];
                if self.protocol == Protocol::Echo {
                    seat.welcome = b"X".to_vec();
                    client.send(b"x\n");
                } else {
                    seat.welcome = protocol::login(client.addr);
                    seat.prefix = protocol::prefix(client.addr);
                }
            }
            Event::Bytes(bytes) => self.read(number, client, bytes),
            Event::Closed => self.leave(number),
            Event::Writable => {}
        })
    }

    fn read(&mut self, number: usize, client: &mut Client, bytes: &[u8]) {
        let mut is_wrong = false;
        let seat = &mut self.seats[number];
        seat.lines.cut(bytes, |line| {
            if seat.is_in {
            } else if line == seat.welcome && !is_wrong {
                seat.is_in = true;
                self.inside += 1;
                self.last_in = Instant::now();
                self.moved = self.last_in;
            } else {
                // Messages to others are no sign that this client will be admitted.
                seat.told.clear();
                seat.told.extend_from_slice(line);
                is_wrong = self.protocol == Protocol::Echo;
            }
        });
        if is_wrong {
            client.close();
            self.leave(number);
        }
    }

    fn leave(&mut self, number: usize) {
        let seat = &mut self.seats[number];
        self.connecting -= usize::from(seat.welcome.is_empty());
        self.moved = Instant::now();
        if std::mem::take(&mut seat.is_in) {
            self.inside -= 1;
            self.dropped += 1;
        } else {
            self.refused += 1;
            if self.told.is_empty() {
                self.told = std::mem::take(&mut seat.told);
            }
        }
    }

    /// Lets `count` more clients in that never read, and waits until the others see them.
    ///
    /// # Errors
    /// They are not let in, or as for [`Session::tick`].
    pub fn enter_stalled(
        &mut self,
        count: usize,
        clients: &mut Clients,
        session: &mut Session<'_>,
    ) -> io::Result<Vec<Client>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let stalled: io::Result<Vec<_>> = (0..count).map(|_| clients.connect_stalled()).collect();
        let stalled = stalled?;
        let logins = stalled.iter().map(|client| protocol::login(client.addr));
        let mut awaited: HashSet<Vec<u8>> = logins.collect();
        let deadline = Instant::now() + SILENCE;
        while !awaited.is_empty() {
            self.listen(clients, session, |line| {
                awaited.remove(line);
            })?;
            if Instant::now() > deadline {
                return Err(session.error("did not let in the clients that never read"));
            }
        }
        self.settle(clients, session)?;
        Ok(stalled)
    }

    /// Waits until the room is quiet: the last logins are still on their way to the others.
    fn settle(&mut self, clients: &mut Clients, session: &mut Session<'_>) -> io::Result<()> {
        let deadline = Instant::now() + SILENCE;
        while self.listen(clients, session, |_| {})? && Instant::now() < deadline {}
        match self.inside {
            0 => Err(nobody_left(session)),
            _ => Ok(()),
        }
    }

    /// Reads what comes next, and returns whether something came.
    fn listen(
        &mut self,
        clients: &mut Clients,
        session: &mut Session<'_>,
        mut each: impl FnMut(&[u8]),
    ) -> io::Result<bool> {
        let mut heard = false;
        clients.poll(Some(QUIET), |number, _, event| {
            heard = true;
            match event {
                Event::Bytes(bytes) => self.seats[number].lines.cut(bytes, &mut each),
                Event::Closed => self.leave(number),
                Event::Connected | Event::Writable => {}
            }
        })?;
        session.tick(Instant::now(), self.inside, 0)?;
        Ok(heard)
    }
}

/// Says that it was not the server that refused a client.
pub fn generator_itself(err: io::Error) -> String {
    format!("the load generator itself {err}")
}

/// The failure of an echo server of which nobody gets what was asked for.
pub const NO_ANSWER: &str = "gave nobody a right answer (does it speak the echo protocol?)";

/// The failure of a server that leaves nobody in to measure.
pub fn nobody_left(session: &mut Session<'_>) -> io::Error {
    session.error("disconnected everyone whom it had let in")
}
