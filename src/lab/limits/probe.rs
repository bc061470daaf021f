//! `limits --probe`: connects clients until no more are let in.

use std::fmt::{self, Display};
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use crate::lab::load::clients::{Crowd, Happening};
use crate::lab::load::protocol::{self, Lines};
use crate::lab::options::Limits;
use crate::lab::progress::Progress;
use crate::lab::run;
use crate::lab::scenario::chat::TURN;
use crate::lab::scenario::session::Session;
use crate::lab::target::contender::{Contender, Protocol};
use crate::lab::target::proc::Uses;
use crate::lab::target::process::Server;
use crate::server::shutdown::Done;
use crate::server::system_limits::{SystemLimit, system_limits};

/// Clients that come between two looks at the server, so that it is known how near it was to which
/// limit when it let in no more.
const STEP: usize = 100;

/// How long a step may take with nobody let in.
const SILENCE: Duration = Duration::from_secs(10);

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
    run::contenders(&limits.servers, false, protocol(limits))
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
/// The server does not start, or the program is to end. That it dies under load is no error, but the
/// result.
pub fn probe(limits: &Limits, contender: &Contender, shutdown: &Done) -> io::Result<Probed> {
    let progress = Progress::new(1);
    progress.begin(&contender.name, limits.clients);
    let mut server = Server::start(contender)?;
    let pid = server.pid();
    let mut session = Session::new(&mut server, shutdown, &progress);
    let mut ramp = Ramp {
        crowd: Crowd::new(session.addr())?,
        protocol: protocol(limits),
        guests: Vec::new(),
        inside: 0,
        refused: 0,
        stopped: None,
        uses: None,
    };
    let result = ramp.climb(limits, &mut session, pid);
    progress.finish();
    let stopped = match result {
        Err(err) if err.kind() == ErrorKind::Interrupted => return Err(err),
        Err(err) => err.to_string(),
        Ok(stopped) => stopped,
    };
    Ok(Probed {
        name: contender.name.clone(),
        clients: ramp.inside,
        stopped,
        nearest: ramp.uses.and_then(|uses| nearest(limits.threads, uses)),
    })
}

struct Ramp {
    crowd: Crowd,
    protocol: Protocol,
    guests: Vec<Guest>,
    inside: usize,
    /// Clients whose connection the server closed.
    refused: usize,
    stopped: Option<String>,
    /// What the server used after the last step.
    uses: Option<Uses>,
}

#[derive(Debug, Default)]
struct Guest {
    lines: Lines,
    login: Vec<u8>,
    is_in: bool,
    /// The last line that it was told while it was not in.
    told: String,
}

impl Ramp {
    /// Returns what stopped it.
    fn climb(
        &mut self,
        limits: &Limits,
        session: &mut Session<'_>,
        pid: Option<i32>,
    ) -> io::Result<String> {
        let deadline = Instant::now() + limits.duration;
        while self.inside < limits.clients {
            let step = STEP.min(limits.clients - self.inside);
            for _ in 0..step {
                // It is this program that has no descriptor or port left then.
                if let Err(err) = self.crowd.connect() {
                    return Ok(format!("the load generator itself {err}"));
                }
                self.guests.push(Guest::default());
            }
            let mut moved = Instant::now();
            let mut undecided = step;
            while undecided > 0 {
                self.turn()?;
                let now = Instant::now();
                session.look(now, self.inside, 0)?;
                let rest = self.guests.len() - self.inside - self.refused;
                if rest < undecided {
                    (undecided, moved) = (rest, now);
                }
                let why = match &self.stopped {
                    // The others of this step may still get in.
                    Some(why) if now > moved + AFTER => why.clone(),
                    None if now > moved + SILENCE => {
                        format!("nobody was let in for {} s", SILENCE.as_secs())
                    }
                    None if now > deadline => "the time was over (--duration)".to_owned(),
                    _ => continue,
                };
                return Ok(why);
            }
            if let Some(why) = self.stopped.take() {
                return Ok(why);
            }
            self.uses = pid.and_then(|pid| Uses::of(pid).ok());
        }
        Ok("all that were asked for were let in (--clients)".to_owned())
    }

    fn turn(&mut self) -> io::Result<()> {
        let Ramp {
            crowd,
            guests,
            inside,
            refused,
            stopped,
            protocol,
            ..
        } = self;
        crowd.turn(Some(TURN), |number, client, happening| {
            let guest = &mut guests[number];
            match happening {
                Happening::Connected => match protocol {
                    Protocol::Chat => guest.login = protocol::login(client.addr()?),
                    Protocol::Echo => {
                        guest.login = b"X".to_vec();
                        client.send(b"x\n");
                    }
                },
                Happening::Bytes(bytes) => {
                    let Guest {
                        lines,
                        login,
                        is_in,
                        told,
                    } = guest;
                    lines.cut(bytes, |line| {
                        if *is_in {
                        } else if line == login {
                            *is_in = true;
                            *inside += 1;
                        } else {
                            *told = String::from_utf8_lossy(line).into_owned();
                        }
                    });
                }
                Happening::Closed => {
                    *refused += 1;
                    if std::mem::take(&mut guest.is_in) {
                        *inside -= 1;
                    }
                    stopped.get_or_insert_with(|| match guest.told.as_str() {
                        "" => "the server closed a connection".to_owned(),
                        told => format!("the server told the next: {told}"),
                    });
                }
            }
            Ok(())
        })
    }
}

/// The limit of which the largest part is in use.
fn nearest(threads: usize, uses: Uses) -> Option<SystemLimit> {
    let part = |limit: &SystemLimit| limit.in_use as f64 / limit.value as f64;
    system_limits(threads, 1)
        .into_iter()
        .map(|mut limit| {
            // These two are each process's own; the others are the machine's.
            match limit.name {
                "RLIMIT_NOFILE" => limit.in_use = uses.descriptors,
                "vm.max_map_count" => limit.in_use = uses.mappings,
                _ => {}
            }
            limit
        })
        .max_by(|a, b| part(a).total_cmp(&part(b)))
}

impl Display for Probed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} held {} clients, then: {}",
            self.name, self.clients, self.stopped
        )?;
        if let Some(nearest) = &self.nearest {
            writeln!(
                f,
                "The nearest limit is {}: {} of {} are in use; to raise it: {}",
                nearest.name,
                nearest.in_use,
                nearest.value,
                nearest.how_to_raise()
            )?;
        }
        Ok(())
    }
}
