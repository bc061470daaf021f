//! What every scenario has at hand in a round: the server and its clients, Ctrl-C, the progress bar, and
//! what the round costs the server.

use std::io::{self, ErrorKind};
use std::mem;
use std::thread;
use std::time::{Duration, Instant};

use crate::lab::load::clients::Clients;
use crate::lab::progress::Progress;
use crate::lab::results::record::{Cost, Round};
use crate::lab::target::contender::Contender;
use crate::lab::target::proc::{self, Look, Usage};
use crate::lab::target::site::Site;
use crate::server::shutdown::{Done, is_closed};

/// How often a round checks that the server is alive and Ctrl-C was not pressed.
const TICK: Duration = Duration::from_millis(100);

/// How long a server may take to give back what its clients took.
const AFTER: Duration = Duration::from_secs(2);

/// How long nothing may change until it counts as what the server keeps.
const STILL: Duration = Duration::from_millis(300);

/// How long to wait for the exit status of a server that has no process any more.
const DEAD: Duration = Duration::from_secs(5);

/// How long a server that listens already may take to finish its start.
const STARTING: Duration = Duration::from_millis(200);

/// How long a server that disconnects its clients may take to exit.
const DYING: Duration = Duration::from_millis(300);

/// One round against one server.
#[derive(Debug)]
pub struct Session<'a> {
    pub server: Site,
    pub clients: Clients,
    shutdown: &'a Done,
    progress: &'a Progress,
    ticked: Instant,
    /// When it is over in any case.
    pub deadline: Option<Instant>,
    /// Until the last client came in.
    pub connect_seconds: f64,
    /// What makes the round doubtful, a sentence each.
    pub notes: Vec<String>,
    /// What was used before the clients came, and at the ends of the measurement.
    idle: Moment,
    begin: Moment,
    end: Moment,
    /// The most clients that were seen in, and what the server used then.
    peak: Option<(usize, Usage)>,
}

/// What was used until a moment.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Instant,
    generator: f64,
    machine: f64,
    server: Option<Usage>,
}

impl Session<'_> {
    /// Starts the server and waits until its threads and descriptors no longer change; no client is
    /// there yet.
    ///
    /// # Errors
    /// As for [`Site::start`] and [`Clients::new`].
    pub fn start<'a>(
        contender: &Contender,
        time: Duration,
        shutdown: &'a Done,
        progress: &'a Progress,
    ) -> io::Result<Session<'a>> {
        let server = Site::start(contender, time, shutdown)?;
        let mut last = None;
        wait(STARTING, || {
            let seen = server.usage(Look::Quick).map(held);
            (mem::replace(&mut last, seen) == seen).then_some(())
        });
        let idle = moment(&server);
        Ok(Session {
            clients: Clients::new(server.addrs())?,
            server,
            shutdown,
            progress,
            ticked: Instant::now(),
            deadline: None,
            connect_seconds: 0.0,
            notes: Vec::new(),
            idle,
            begin: idle,
            end: idle,
            peak: None,
        })
    }

    /// Whether Ctrl-C was pressed.
    pub fn is_interrupted(&self) -> bool {
        is_closed(self.shutdown)
    }

    /// To be called again and again while a round runs, with what the progress bar is to show.
    ///
    /// # Errors
    /// The server has died, the time is over, or Ctrl-C was pressed (`Interrupted`).
    pub fn tick(&mut self, now: Instant, deliveries: u64) -> io::Result<()> {
        if now < self.ticked + TICK {
            return Ok(());
        }
        self.ticked = now;
        let clients = self.clients.inside;
        self.progress.show(now, clients, deliveries);
        if self.peak.is_some_and(|(most, _)| clients > most)
            && let Some(usage) = self.server.usage(Look::Mappings)
        {
            self.peak = Some((clients, usage));
        }
        // First, since Ctrl-C may have ended the server as well.
        if self.is_interrupted() {
            return Err(io::Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        if self.deadline.is_some_and(|deadline| now > deadline) {
            let what = "the time was over (--duration)";
            return Err(io::Error::new(ErrorKind::TimedOut, what));
        }
        self.server.check()
    }

    /// The measurement starts; all clients are there.
    pub fn begin(&mut self) {
        self.begin = moment(&self.server);
        // Those of the warm-up do not count.
        if self.peak.is_some() {
            self.watch_peak();
        }
    }

    /// The clients will come and go: what the server uses with them is what it used when the most of
    /// them were in, from now on.
    pub fn watch_peak(&mut self) {
        self.peak = self.idle.server.map(|idle| (0, idle));
    }

    /// The measurement ends.
    pub fn end(&mut self) {
        self.end = moment(&self.server);
        let inside = self.clients.inside;
        self.peak = (self.peak).or(self.end.server.map(|usage| (inside, usage)));
    }

    /// Adds to the figures of a round what it cost, when the clients have left: waits a while for the
    /// server to notice.
    pub fn finish(&mut self, mut round: Round) -> Round {
        self.clients.clear();
        let (begin, end) = (self.begin, self.end);
        round.connect_seconds = self.connect_seconds;
        round.wall_seconds = (end.at - begin.at).as_secs_f64();
        round.generator_cpu_seconds = end.generator - begin.generator;
        let (Some(idle), Some(first), Some(last), Some((clients, with))) =
            (self.idle.server, begin.server, end.server, self.peak)
        else {
            return round;
        };
        let cpu_seconds = last.cpu_seconds - first.cpu_seconds;
        let others = end.machine - begin.machine - cpu_seconds - round.generator_cpu_seconds;
        round.other_cpu_seconds = Some(others.max(0.0));
        self.wait_until_left(idle);
        let after = self.server.usage(Look::Everything);
        if after.is_none() {
            self.death_within(DEAD);
        }
        round.server = after.map(|after| Cost {
            cpu_seconds,
            context_switches: last.context_switches.saturating_sub(first.context_switches),
            clients,
            rss_before: idle.rss,
            rss: with.rss,
            rss_after: after.rss,
            virtual_before: idle.virtual_bytes,
            virtual_bytes: with.virtual_bytes,
            threads: [idle.threads, with.threads, after.threads],
            mappings: [idle.mappings, with.mappings, after.mappings],
            descriptors: [idle.descriptors, with.descriptors, after.descriptors],
        });
        round
    }

    /// Waits until the server has as little as before the clients came, or has closed their
    /// connections and keeps the rest: the Go runtime, for one, never ends a thread.
    fn wait_until_left(&mut self, idle: Usage) {
        let (mut last, mut moved, mut was_done) = (None, Instant::now(), false);
        wait(AFTER, || {
            let now = Instant::now();
            let seen = self.server.usage(Look::Quick);
            // Ctrl-C, or the server has died.
            let Some(seen) = seen.filter(|_| self.tick(now, 0).is_ok()) else {
                return Some(());
            };
            if last.replace(held(seen)) != Some(held(seen)) {
                moved = now;
            }
            let is_still = now > moved + STILL || seen.threads <= idle.threads;
            let is_done = is_still && seen.descriptors <= idle.descriptors;
            // A dying server looks like that for a moment.
            (mem::replace(&mut was_done, is_done) && is_done).then_some(())
        });
    }

    /// Makes an error of what the server did.
    pub fn error(&mut self, what: &str) -> io::Error {
        // If it has died, or is about to, that is the cause to report.
        let death = self.death_within(DYING);
        death.unwrap_or_else(|| self.server.error(what))
    }

    fn death_within(&mut self, limit: Duration) -> Option<io::Error> {
        wait(limit, || self.server.check().err())
    }
}

fn moment(server: &Site) -> Moment {
    let own = Usage::of(&[std::process::id() as i32], Look::Quick);
    Moment {
        at: Instant::now(),
        generator: own.map_or(0.0, |own| own.cpu_seconds),
        machine: proc::machine_cpu_seconds(),
        server: server.usage(Look::Everything),
    }
}

/// What a server holds for its clients.
fn held(usage: Usage) -> (u64, u64) {
    (usage.threads, usage.descriptors)
}

/// Looks again and again until something is seen, for `limit` at most.
fn wait<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        match look() {
            None if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
            seen => return seen,
        }
    }
}
