//! `limits --probe`: connects clients until no more are let in.

use std::fmt::{self, Display};
use std::io;
use std::time::{Duration, Instant};

use crate::lab::limits::{Limits, advice::clients};
use crate::lab::load::clients::Clients;
use crate::lab::load::protocol::Protocol;
use crate::lab::progress::Progress;
use crate::lab::scenario::login::{Login, SILENCE, TURN};
use crate::lab::scenario::session::Session;
use crate::lab::target::contender::Contender;
use crate::lab::target::proc::Usage;
use crate::lab::target::site::Site;
use crate::server::shutdown::Done;
use crate::server::system_limits::{SystemLimit, system_limits};
use crate::text::{printable, wrap};

/// Clients that come between two looks at the server, so that it is known how near it was to which
/// limit when it let in no more.
const STEP: usize = 100;

/// How long to wait for the rest of a step once a client was refused.
const AFTER: Duration = Duration::from_millis(500);

/// How a probe ended.
#[derive(Debug)]
pub struct Probed {
    /// The server.
    pub name: String,
    /// Clients that it held.
    pub clients: usize,
    /// What stopped the next.
    pub stopped: String,
    /// The limit that was nearest, as it stood then: `in_use` is the server's.
    pub nearest: Option<SystemLimit>,
}

/// The servers that are probed, one after the other.
///
/// # Errors
/// Our own server is not there, two have one name, or one is not on this machine.
pub fn contenders(limits: &Limits) -> io::Result<Vec<Contender>> {
    limits.servers.contenders(None, false, protocol(limits))
}

fn protocol(limits: &Limits) -> Protocol {
    match limits.echo {
        true => Protocol::Echo,
        false => Protocol::Chat,
    }
}

/// Connects clients step by step until one is not let in.
///
/// # Errors
/// The server does not start, or Ctrl-C was pressed. That it dies under load is no error, but the
/// result.
pub fn probe(limits: &Limits, contender: &Contender, shutdown: &Done) -> io::Result<Probed> {
    let progress = Progress::new(1);
    progress.begin(&contender.name, limits.clients);
    let mut server = Site::start(contender, limits.servers.start_timeout, shutdown)?;
    let mut session = Session::new(&mut server, shutdown, &progress);
    let mut login = Login::new(protocol(limits));
    let mut usage = None;
    let result = climb(limits, &mut login, &mut session, &mut usage);
    progress.finish();
    let stopped = result.unwrap_or_else(|err| err.to_string());
    Ok(Probed {
        name: contender.name.clone(),
        clients: login.inside,
        stopped,
        nearest: usage.and_then(|usage| nearest(limits.threads, usage)),
    })
}

/// Returns what stopped it, and in `usage` what the server used after the last step.
fn climb(
    limits: &Limits,
    login: &mut Login,
    session: &mut Session<'_>,
    usage: &mut Option<Usage>,
) -> io::Result<String> {
    let deadline = Instant::now() + limits.duration;
    let mut clients = Clients::new(session.addrs())?;
    while login.inside < limits.clients {
        for _ in 0..STEP.min(limits.clients - login.inside) {
            // It is this program that has no descriptor or port left then.
            if let Err(err) = login.connect(&mut clients) {
                return Ok(format!("the load generator itself {err}"));
            }
        }
        login.moved = Instant::now();
        while login.undecided() > 0 {
            login.poll(&mut clients, TURN)?;
            session.tick(Instant::now(), login.inside, 0)?;
            let waited = login.moved.elapsed();
            let is_stopped = login.refused > 0 || login.dropped > 0;
            // The others of this step may still get in.
            if is_stopped && waited > AFTER {
                break;
            }
            if waited > SILENCE {
                return Ok(format!("nobody was let in for {} s", SILENCE.as_secs()));
            }
            if Instant::now() > deadline {
                return Ok("the time was over (--duration)".to_owned());
            }
        }
        if login.refused > 0 || login.dropped > 0 {
            const LONGEST: usize = 200;
            let told = &login.told[..login.told.len().min(LONGEST)];
            return Ok(match told {
                b"" => "the server closed a connection".to_owned(),
                told => format!("the server told the next: {}", printable(told)),
            });
        }
        *usage = session.usage(Usage::with_mappings);
    }
    Ok("all that were asked for were let in (--clients)".to_owned())
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

impl Display for Probed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = format!(
            "{} held {}, then: {}",
            self.name,
            clients(self.clients),
            self.stopped
        );
        write!(f, "{}", wrap(&held, 80, "", "  "))?;
        if let Some(nearest) = &self.nearest {
            let (name, in_use, value) = (nearest.name, nearest.in_use, nearest.value);
            writeln!(
                f,
                "The nearest limit is {name}: {in_use} of {value} are in use."
            )?;
            writeln!(f, "To raise it: {}", nearest.how_to_raise())?;
        }
        Ok(())
    }
}
