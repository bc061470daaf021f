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

/// Lets `count` clients in. Some may be refused; those are closed.
///
/// # Errors
/// Nobody gets in and stays, or as for [`Session::tick`].
pub fn everyone(protocol: Protocol, count: usize, session: &mut Session<'_>) -> io::Result<()> {
    let refusal = admit(protocol, count, session)?;
    if session.clients.inside == 0 {
        return Err(refusal.unwrap_or_else(|| nobody(protocol, session)));
    }
    session.notes.extend(refusal.map(generator_itself));
    for client in session.clients.all() {
        if !client.is_in {
            client.close();
        }
    }
    Ok(())
}

/// Connects `count` more clients and waits until each is in or refused, or nothing comes of them any more.
/// Returns what kept this program from connecting them all.
///
/// # Errors
/// As for [`Session::tick`].
pub fn admit(
    protocol: Protocol,
    count: usize,
    session: &mut Session<'_>,
) -> io::Result<Option<io::Error>> {
    let all = session.clients.all().len() + count;
    let start = Instant::now();
    let (mut moved, mut refusal) = (start, None);
    loop {
        let clients = &mut session.clients;
        let mut at_once = true;
        for _ in 0..AT_ONCE {
            let number = clients.all().len();
            at_once = number < all && refusal.is_none() && clients.undecided() < UNDER_WAY;
            if !at_once {
                break;
            }
            // No descriptor, no port: it will not be better for those that follow.
            refusal = clients.connect(number).err();
        }
        let (undecided, inside) = (clients.undecided(), clients.inside);
        if !at_once && undecided == 0 || moved.elapsed() > SILENCE {
            return Ok(refusal);
        }
        let timeout = if at_once { Duration::ZERO } else { TURN };
        clients.poll(Some(timeout), |_, client, event| {
            welcome(protocol, client, event);
        })?;
        let now = Instant::now();
        if clients.inside > inside {
            session.connect_seconds = (now - start).as_secs_f64();
        }
        if clients.undecided() < undecided {
            moved = now;
        }
        session.tick(now, 0)?;
    }
}

/// Something happened to a client on its way in.
pub fn welcome(protocol: Protocol, client: &mut Client, event: Event<'_>) {
    match event {
        Event::Connected if protocol == Protocol::Echo => client.send(b"x\n"),
        Event::Bytes(bytes) => {
            let mut is_wrong = false;
            client.lines.cut(bytes, |line| {
                if client.is_in || is_wrong {
                } else if protocol.is_welcome(line, &client.prefix) {
                    client.is_in = true;
                    client.told.clear();
                } else {
                    // Messages to others are no sign that this client will be admitted.
                    client.told.clear();
                    client.told.extend_from_slice(line);
                    is_wrong = protocol == Protocol::Echo;
                }
            });
            if is_wrong {
                client.disconnect();
            }
        }
        _ => {}
    }
}

/// The last line that a client got which was refused, if it got one.
pub fn told(clients: &mut Clients) -> &[u8] {
    let refused = clients.all().iter().filter(|client| !client.is_open());
    let mut told = refused.map(|client| &client.told[..]);
    told.find(|told| !told.is_empty()).unwrap_or_default()
}

/// Waits until the others have seen the clients that never read, and the room is quiet: the last logins
/// are still on their way.
///
/// # Errors
/// They are not let in, nobody stays, or as for [`Session::tick`].
pub fn settle(stalled: &mut Clients, session: &mut Session<'_>) -> io::Result<()> {
    let logins = stalled.all().iter();
    let mut awaited: HashSet<_> = logins
        .map(|client| [&client.prefix, LOGIN].concat())
        .collect();
    let start = Instant::now();
    let mut came = true;
    while (came || !awaited.is_empty()) && start.elapsed() < SILENCE {
        came = session.clients.poll(Some(QUIET), |_, client, event| {
            if let Event::Bytes(bytes) = event {
                client.lines.cut(bytes, |line| {
                    awaited.remove(line);
                });
            }
        })?;
        session.tick(Instant::now(), 0)?;
    }
    match (session.clients.inside, awaited.len()) {
        (0, _) => Err(nobody_left(session)),
        (_, 0) => Ok(()),
        _ => Err(session.error("did not let in the clients that never read")),
    }
}

/// The failure of a server that lets nobody in.
fn nobody(protocol: Protocol, session: &mut Session<'_>) -> io::Error {
    let is_silent = session.clients.undecided() > 0;
    let is_told = !told(&mut session.clients).is_empty();
    match protocol {
        _ if session.clients.dropped > 0 => nobody_left(session),
        Protocol::Echo if is_silent || is_told => session.error(NO_ANSWER),
        Protocol::Chat if is_silent => session.error(&format!(
            "let nobody into the room: no client saw its own login in {} s (does it speak the chat \
             protocol?)",
            SILENCE.as_secs()
        )),
        _ => session.error("closed every connection at once"),
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
    session.error(match session.clients.dropped {
        0 => "left a request of every client in the warm-up unanswered",
        _ => "disconnected everyone whom it had let in",
    })
}
