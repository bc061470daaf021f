//! `limits`: how many clients this machine carries, and what stops the next.

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
use crate::lab::target::contender::Protocol;
use crate::lab::target::proc::Uses;
use crate::lab::target::process::Server;
use crate::server::ceilings::{Ceiling, ceilings};
use crate::server::shutdown::Done;
use crate::text::columns;

/// The ceilings as a table, and which comes first.
pub fn table(threads: usize, ceilings: &[Ceiling]) -> String {
    let mut rows = vec![
        ["clients", "ceiling", "limit", "in use", "to raise it"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for ceiling in ceilings {
        rows.push(vec![
            ceiling.clients.to_string(),
            ceiling.name.to_owned(),
            ceiling.limit.to_string(),
            ceiling.in_use.to_string(),
            ceiling.remedy.clone(),
        ]);
    }
    let mut text =
        format!("A server with {threads} threads a client can have this many clients:\n");
    text.push_str(&columns(&rows, &[1, 4]));
    if let Some(first) = ceilings.first() {
        text.push_str(&format!(
            "{} comes first, at {} clients.\n",
            first.name, first.clients
        ));
    }
    text
}

/// Clients that come between two looks at the server, so that it is known how near it was to which
/// ceiling when it let in no more.
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
    /// The ceiling that was nearest, as it stood then: `in_use` is the server's.
    pub nearest: Option<Ceiling>,
}

/// Connects clients step by step until one is not let in.
///
/// # Errors
/// The server does not start, or the program is to end. That it dies under load is no error, but the
/// result.
pub fn probe(limits: &Limits, shutdown: &Done) -> io::Result<Probed> {
    let protocol = if limits.echo {
        Protocol::Echo
    } else {
        Protocol::Chat
    };
    let contenders = run::contenders(&limits.servers, false, protocol)?;
    // The last named: a --server goes before our own.
    let contender = contenders.last().expect("there is at least one");
    let progress = Progress::new(1);
    progress.begin(&contender.name, limits.clients);
    let mut server = Server::start(contender)?;
    let pid = server.pid();
    let mut session = Session::new(&mut server, shutdown, &progress);
    let mut ramp = Ramp {
        crowd: Crowd::new(session.addr())?,
        protocol,
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

/// The ceiling of which the largest part is used.
fn nearest(threads: usize, uses: Uses) -> Option<Ceiling> {
    let part = |ceiling: &Ceiling| ceiling.in_use as f64 / ceiling.limit as f64;
    ceilings(threads, 1)
        .into_iter()
        .map(|mut ceiling| {
            // These two are each process's own; the others are the machine's.
            match ceiling.name {
                "RLIMIT_NOFILE" => ceiling.in_use = uses.descriptors,
                "vm.max_map_count" => ceiling.in_use = uses.mappings,
                _ => {}
            }
            ceiling
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
                "The nearest ceiling is {}, of which {} of {} are in use; to raise it: {}",
                nearest.name, nearest.in_use, nearest.limit, nearest.remedy
            )?;
        }
        Ok(())
    }
}
