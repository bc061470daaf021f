//! Everyone into the room: connects the clients at once and waits until each has seen itself log in.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Crowd, Happening};
use crate::lab::load::protocol::{self, Lines};
use crate::lab::scenario::session::Session;

/// Connections that may be under way at one time: well under the longest backlog.
const UNDER_WAY: usize = 1024;

/// Connections that are started between two looks at what the others got.
const AT_ONCE: usize = 32;

/// How long nobody may come in while someone waits to be let in.
const SILENCE: Duration = Duration::from_secs(10);

/// The room counts as quiet when nothing has come for this long.
const QUIET: Duration = Duration::from_millis(30);

/// A client's place in the room.
#[derive(Debug, Default)]
pub struct Seat {
    /// Where its reading stands.
    pub lines: Lines,
    /// Whether it has seen itself log in.
    pub is_in: bool,
    /// What stands before the text of its messages.
    pub prefix: Vec<u8>,
    login: Vec<u8>,
}

/// Who came in, and how long it took.
#[derive(Debug)]
pub struct Entered {
    /// One for each client of the crowd.
    pub seats: Vec<Seat>,
    /// How many are in.
    pub connected: usize,
    /// How many were in, and were disconnected.
    pub dropped: u64,
    /// From the first connection that was started to the last login that was seen by its own client.
    pub seconds: f64,
}

/// Lets `clients` connect to the room. Some may be refused; those are closed.
///
/// # Errors
/// Nobody gets in and stays, or as for [`Session::look`].
pub fn enter(crowd: &mut Crowd, clients: usize, session: &mut Session<'_>) -> io::Result<Entered> {
    let start = Instant::now();
    let mut seats: Vec<Seat> = Vec::new();
    seats.resize_with(clients, Seat::default);
    let (mut started, mut connecting, mut refused, mut entered) = (0, 0, 0, 0);
    let mut refusal = None;
    let (mut moved, mut last_in) = (start, start);

    while entered + refused < clients {
        while started < clients && connecting < UNDER_WAY {
            if let Err(err) = crowd.connect() {
                // No descriptor, no port: it will not be better for those that follow.
                refused += clients - started;
                started = clients;
                refusal = Some(err);
                break;
            }
            started += 1;
            connecting += 1;
            if started % AT_ONCE == 0 {
                break;
            }
        }
        let timeout = if started < clients && connecting < UNDER_WAY {
            Duration::ZERO
        } else {
            Duration::from_millis(100)
        };
        let now = Instant::now();
        crowd.turn(Some(timeout), |number, client, happening| {
            let seat = &mut seats[number];
            match happening {
                Happening::Connected => {
                    moved = now;
                    connecting -= 1;
                    let addr = client.addr()?;
                    seat.prefix = protocol::prefix(addr);
                    seat.login = protocol::login(addr);
                }
                Happening::Bytes(bytes) => {
                    let Seat {
                        lines,
                        login,
                        is_in,
                        ..
                    } = seat;
                    lines.cut(bytes, |line| {
                        if !*is_in && line == login {
                            *is_in = true;
                            entered += 1;
                            last_in = Instant::now();
                            moved = last_in;
                        }
                    });
                }
                Happening::Closed => {
                    if seat.prefix.is_empty() {
                        connecting -= 1;
                    }
                    moved = now;
                    if !std::mem::take(&mut seat.is_in) {
                        refused += 1;
                    }
                }
            }
            Ok(())
        })?;
        session.look(now, entered, 0)?;
        // What others are told is no sign that the next will be let in.
        if now > moved + SILENCE {
            break;
        }
    }
    if let (Some(err), 1..) = (&refusal, entered) {
        log::warn!("the load generator itself {err}");
    }
    if entered == 0 {
        return Err(match refusal {
            Some(err) => err,
            None if refused == clients => session.error("closed every connection at once"),
            None => session.error(&format!(
                "let nobody into the room: no client saw its own login in {} s (does it speak the \
                 chat protocol?)",
                SILENCE.as_secs()
            )),
        });
    }
    for (seat, client) in seats.iter().zip(crowd.clients()) {
        if !seat.is_in {
            client.close();
        }
    }
    let mut entered = Entered {
        seats,
        connected: entered,
        dropped: 0,
        seconds: (last_in - start).as_secs_f64(),
    };
    entered.settle(crowd, session)?;
    Ok(entered)
}

/// Lets `count` more clients in that nobody will read for, and waits until the others see them.
///
/// # Errors
/// They are not let in, or as for [`Session::look`].
pub fn enter_unread(
    crowd: &mut Crowd,
    entered: &mut Entered,
    count: usize,
    session: &mut Session<'_>,
) -> io::Result<Vec<Client>> {
    let mut clients = Vec::new();
    let mut awaited = HashSet::new();
    for _ in 0..count {
        let client = crowd.connect_unread()?;
        awaited.insert(protocol::login(client.addr()?));
        clients.push(client);
    }
    let deadline = Instant::now() + SILENCE;
    while !awaited.is_empty() {
        let now = Instant::now();
        crowd.turn(Some(QUIET), |number, _, happening| {
            let seat = &mut entered.seats[number];
            seat.hear(happening, |line| {
                awaited.remove(line);
            });
            Ok(())
        })?;
        session.look(now, entered.connected, 0)?;
        if now > deadline {
            return Err(session.error("did not let in the clients that never read"));
        }
    }
    entered.settle(crowd, session)?;
    Ok(clients)
}

/// The failure of a server that leaves nobody in the room to measure.
pub fn nobody_left(session: &mut Session<'_>) -> io::Error {
    session.error("disconnected everyone whom it had let into the room")
}

impl Seat {
    fn hear(&mut self, happening: Happening<'_>, each: impl FnMut(&[u8])) {
        match happening {
            Happening::Bytes(bytes) => self.lines.cut(bytes, each),
            Happening::Closed => self.is_in = false,
            Happening::Connected => {}
        }
    }
}

impl Entered {
    /// Waits until the room is quiet, and counts who is still there.
    fn settle(&mut self, crowd: &mut Crowd, session: &mut Session<'_>) -> io::Result<()> {
        wait_for_quiet(crowd, &mut self.seats, session)?;
        let connected = self.seats.iter().filter(|seat| seat.is_in).count();
        self.dropped += (self.connected - connected) as u64;
        self.connected = connected;
        match connected {
            0 => Err(nobody_left(session)),
            _ => Ok(()),
        }
    }
}

/// Reads until nothing more comes: the last logins are still on their way to the others.
fn wait_for_quiet(
    crowd: &mut Crowd,
    seats: &mut [Seat],
    session: &mut Session<'_>,
) -> io::Result<()> {
    let deadline = Instant::now() + SILENCE;
    let mut heard = Instant::now();
    loop {
        let now = Instant::now();
        if now > heard + QUIET || now > deadline {
            return Ok(());
        }
        crowd.turn(Some(QUIET), |number, _, happening| {
            seats[number].hear(happening, |_| {});
            heard = now;
            Ok(())
        })?;
        session.look(now, seats.len(), 0)?;
    }
}
