//! Scenario `idle`: everyone is in the room and says nothing; what does that take?

use std::io;
use std::time::{Duration, Instant};

use crate::lab::load::clients::{Crowd, Happening};
use crate::lab::results::record::Round;
use crate::lab::scenario::chat::TURN;
use crate::lab::scenario::login::enter;
use crate::lab::scenario::session::Session;

/// Lets `clients` in and watches them be silent for `duration`.
///
/// # Errors
/// Nobody gets in and stays, the server dies, or the program is to end.
pub fn round(session: &mut Session<'_>, clients: usize, duration: Duration) -> io::Result<Round> {
    let mut crowd = Crowd::new(session.addr())?;
    let entered = enter(&mut crowd, clients, session)?;

    session.begin();
    let start = Instant::now();
    let mut dropped = 0;
    while start.elapsed() < duration {
        let rest = duration.saturating_sub(start.elapsed()).min(TURN);
        crowd.turn(Some(rest), |number, _, happening| {
            let was_in = entered.seats[number].is_in;
            if matches!(happening, Happening::Closed) && was_in {
                dropped += 1;
            }
            Ok(())
        })?;
        session.look(Instant::now(), entered.connected - dropped as usize, 0)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    session.end();

    drop(crowd);
    Ok(Round {
        connected: entered.connected,
        connect_seconds: entered.seconds,
        seconds,
        dropped: entered.dropped + dropped,
        server: session.cost()?,
        wall_seconds: session.wall_seconds(),
        generator_cpu_seconds: session.generator_cpu_seconds(),
        other_cpu_seconds: session.other_cpu_seconds(),
        ..Round::default()
    })
}
