//! Everyone in: connects the clients and waits until each has seen that it is in, which is its own login
//! in the chat and the first echo.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::protocol::{LOGIN, Protocol};
use crate::lab::scenario::session::Session;

/// Clients that may be on their way in at one time: well under the longest backlog.
const UNDER_WAY: usize = 1024;

/// Connections that are started between two looks at what the others got.
const AT_ONCE: usize = 32;

/// How long to wait for sockets at most before looking at the clock.
pub const TURN: Duration = Duration::from_millis(50);

/// How long no client may be admitted while one is waiting.
pub const SILENCE: Duration = Duration::from_secs(10);

/// The room counts as quiet when nothing has come for this long.
const QUIET: Duration = Duration::from_millis(30);

/// Who came in.
#[derive(Debug)]
pub struct Login {
    protocol: Protocol,
    /// How many are in.
    pub inside: usize,
    /// How many were disconnected, or answered wrong, before they were in.
    pub refused: u64,
    /// How many were in, and were disconnected.
    pub dropped: u64,
    /// The last line that a client got before it was refused.
    pub told: Vec<u8>,
    /// Seconds from the start until the last came in.
    pub seconds: f64,
    start: Instant,
    /// When the last of them came nearer to being in or out.
    moved: Instant,
    /// Logins of clients that do not read, which the others have not seen yet.
    awaited: HashSet<Vec<u8>>,
}

impl Login {
    /// Nobody yet.
    pub fn new(protocol: Protocol) -> Login {
        Login {
            protocol,
            inside: 0,
            refused: 0,
            dropped: 0,
            told: Vec::new(),
            seconds: 0.0,
            start: Instant::now(),
            moved: Instant::now(),
            awaited: HashSet::new(),
        }
    }

    /// Lets `count` clients in. Some may be refused; those are closed.
    ///
    /// # Errors
    /// Nobody gets in and stays, or as for [`Session::tick`].
    pub fn everyone(
        protocol: Protocol,
        count: usize,
        session: &mut Session<'_>,
    ) -> io::Result<Login> {
        let mut login = Login::new(protocol);
        match (login.admit(count, session)?, login.inside) {
            (refusal, 0) => return Err(refusal.unwrap_or_else(|| login.nobody(session))),
            (refusal, _) => session.notes.extend(refusal.map(generator_itself)),
        }
        for client in session.clients.all() {
            if !client.is_in {
                client.close();
            }
        }
        Ok(login)
    }

    /// Connects `count` more clients and waits until each is in or refused, or nothing comes of them any
    /// more. Returns what kept this program from connecting them all.
    ///
    /// # Errors
    /// As for [`Session::tick`].
    pub fn admit(
        &mut self,
        count: usize,
        session: &mut Session<'_>,
    ) -> io::Result<Option<io::Error>> {
        let mut refusal = None;
        let all = session.clients.all().len() + count;
        self.moved = Instant::now();
        loop {
            let mut at_once = true;
            for _ in 0..AT_ONCE {
                let number = session.clients.all().len();
                at_once = number < all && refusal.is_none() && self.undecided(session) < UNDER_WAY;
                if !at_once {
                    break;
                }
                // No descriptor, no port: it will not be better for those that follow.
                refusal = session.clients.connect(number).err();
            }
            let is_done = !at_once && self.undecided(session) == 0;
            if is_done || self.moved.elapsed() > SILENCE {
                return Ok(refusal);
            }
            self.turn(if at_once { Duration::ZERO } else { TURN }, session)?;
        }
    }

    /// Clients that are neither in nor out.
    pub fn undecided(&self, session: &mut Session<'_>) -> usize {
        session.clients.all().len() - self.inside - (self.refused + self.dropped) as usize
    }

    /// The failure of a server that lets nobody in.
    fn nobody(&self, session: &mut Session<'_>) -> io::Error {
        let is_silent = self.undecided(session) > 0;
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

    /// Something happened to a client that comes in or is in.
    pub fn handle(&mut self, client: &mut Client, event: Event<'_>) {
        match event {
            Event::Connected => {
                self.moved = Instant::now();
                if self.protocol == Protocol::Echo {
                    client.send(b"x\n");
                }
            }
            Event::Bytes(bytes) => self.read(client, bytes),
            Event::Closed => self.leave(client),
            Event::Writable => {}
        }
    }

    fn read(&mut self, client: &mut Client, bytes: &[u8]) {
        let mut is_wrong = false;
        client.lines.cut(bytes, |line| {
            if client.is_in {
                if !self.awaited.is_empty() {
                    self.awaited.remove(line);
                }
            } else if self.protocol.is_welcome(line, &client.prefix) && !is_wrong {
                client.is_in = true;
                self.inside += 1;
                self.moved = Instant::now();
                self.seconds = (self.moved - self.start).as_secs_f64();
            } else {
                // Messages to others are no sign that this client will be admitted.
                client.told.clear();
                client.told.extend_from_slice(line);
                is_wrong = self.protocol == Protocol::Echo;
            }
        });
        if is_wrong {
            client.close();
            self.leave(client);
        }
    }

    /// A client has been disconnected.
    pub fn leave(&mut self, client: &mut Client) {
        self.moved = Instant::now();
        if std::mem::take(&mut client.is_in) {
            self.inside -= 1;
            self.dropped += 1;
        } else {
            self.refused += 1;
            if self.told.is_empty() {
                self.told = std::mem::take(&mut client.told);
            }
        }
    }

    /// Waits until the others have seen the clients that never read, and the room is quiet: the last
    /// logins are still on their way.
    ///
    /// # Errors
    /// They are not let in, nobody stays, or as for [`Session::tick`].
    pub fn settle(&mut self, stalled: &mut Clients, session: &mut Session<'_>) -> io::Result<()> {
        let logins = stalled.all().iter();
        self.awaited = logins
            .map(|client| [&client.prefix, LOGIN].concat())
            .collect();
        let start = Instant::now();
        while (self.turn(QUIET, session)? || !self.awaited.is_empty()) && start.elapsed() < SILENCE
        {
        }
        match (self.inside, self.awaited.len()) {
            (0, _) => Err(nobody_left(session)),
            (_, 0) => Ok(()),
            _ => Err(session.error("did not let in the clients that never read")),
        }
    }

    /// Waits for what comes next, and returns whether something came.
    fn turn(&mut self, timeout: Duration, session: &mut Session<'_>) -> io::Result<bool> {
        let mut came = false;
        session.clients.poll(Some(timeout), |_, client, event| {
            came = true;
            self.handle(client, event);
        })?;
        session.tick(Instant::now(), self.inside, 0)?;
        Ok(came)
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
