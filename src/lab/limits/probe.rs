//! `limits --probe`: connects clients until no more are let in.

use std::io;
use std::time::Instant;

use crate::lab::limits::{Limits, count, line};
use crate::lab::load::protocol::Protocol;
use crate::lab::progress::Progress;
use crate::lab::scenario::login::{self, SILENCE, generator_itself};
use crate::lab::scenario::session::Session;
use crate::lab::target::contender::Contender;
use crate::lab::target::proc::{Look, Usage};
use crate::server::shutdown::Done;
use crate::server::system_limits::{SystemLimit, system_limits};
use crate::text::printable;

/// Clients that come between two looks at the server, so that it is known how near it was to which
/// limit when it let in no more.
const STEP: usize = 100;

/// Bytes of what a server told a client that are printed at most.
const LONGEST: usize = 200;

/// Connects clients step by step until one is not let in, and says how many were, what stopped the next,
/// and which limit was nearest.
///
/// # Errors
/// The server does not start. That it dies under load is no error, but the result.
pub fn probe(
    limits: &Limits,
    protocol: Protocol,
    contender: &Contender,
    shutdown: &Done,
) -> io::Result<String> {
    let progress = Progress::new(1);
    progress.begin(&contender.name, limits.clients);
    let time = limits.servers.start_timeout;
    let mut session = Session::start(contender, time, shutdown, &progress)?;
    session.deadline = Some(Instant::now() + limits.duration);
    // What the server used after the last step.
    let mut usage = None;
    let stopped = loop {
        let step = STEP.min(limits.clients - session.clients.inside);
        if step == 0 {
            break "all that were asked for were let in (--clients)".to_owned();
        }
        match login::admit(protocol, step, &mut session) {
            Err(err) => break err.to_string(),
            Ok(Some(err)) => break generator_itself(err),
            Ok(None) if session.clients.refused + session.clients.dropped > 0 => {
                break match login::told(&mut session.clients) {
                    b"" => "the server closed a connection".to_owned(),
                    told => {
                        let told = printable(&told[..told.len().min(LONGEST)]);
                        format!("the server told the next: {told}")
                    }
                };
            }
            Ok(None) if session.clients.undecided() > 0 => {
                break format!("nobody was let in for {} s", SILENCE.as_secs());
            }
            Ok(None) => usage = session.server.usage(Look::Mappings),
        }
    };
    progress.finish();
    let held = format!(
        "{} held {}, then: {stopped}",
        contender.name,
        count(session.clients.inside, "client")
    );
    let mut text = line(&held);
    if let Some(nearest) = usage.and_then(|usage| nearest(limits.threads, usage)) {
        let (name, in_use, value) = (nearest.name, nearest.in_use, nearest.value);
        text += &format!(
            "The nearest limit is {name}: {in_use} of {value} are in use.\nTo raise it: {}\n",
            nearest.how_to_raise()
        );
    }
    Ok(text)
}

/// The limit of which the largest part is in use.
fn nearest(threads: usize, usage: Usage) -> Option<SystemLimit> {
    let part = |limit: &SystemLimit| limit.in_use as f64 / limit.value as f64;
    system_limits(threads, 1)
        .into_iter()
        .map(|mut limit| {
            // These two are each process's own; the others are the machine's.
            match limit.name {
                "RLIMIT_NOFILE" => limit.in_use = usage.descriptors,
                "vm.max_map_count" => limit.in_use = usage.mappings,
                _ => {}
            }
            limit
        })
        .max_by(|a, b| part(a).total_cmp(&part(b)))
}
