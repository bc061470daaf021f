//! What every scenario has at hand in a round: the server, Ctrl-C, the progress bar, and what the round
//! costs the server.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::lab::progress::Progress;
use crate::lab::results::record::{Cost, Round};
use crate::lab::target::proc::{self, Usage};
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
    server: &'a mut Site,
    shutdown: &'a Done,
    progress: &'a Progress,
    ticked: Instant,
    /// What makes the round doubtful, a sentence each.
    pub notes: Vec<String>,
    idle: Option<Usage>,
    start: Option<Moment>,
    end: Option<Moment>,
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
    /// Begins a round: no client is there yet.
    pub fn new<'a>(
        server: &'a mut Site,
        shutdown: &'a Done,
        progress: &'a Progress,
    ) -> Session<'a> {
        Session {
            idle: when_still(server),
            server,
            shutdown,
            progress,
            ticked: Instant::now(),
            notes: Vec::new(),
            start: None,
            end: None,
            peak: None,
        }
    }

    /// What the server uses now, as `look` sees it.
    pub fn usage(&self, look: fn(i32) -> io::Result<Usage>) -> Option<Usage> {
        self.server.usage(look)
    }

    /// What the server is called, or each of several.
    pub fn names(&self) -> Vec<String> {
        self.server.names()
    }

    /// Where the server listens, or each of several.
    pub fn addrs(&self) -> Vec<SocketAddr> {
        self.server.addrs()
    }

    /// Whether Ctrl-C was pressed.
    pub fn is_interrupted(&self) -> bool {
        is_closed(self.shutdown)
    }

    /// To be called again and again while a round runs, with what the progress bar is to show.
    ///
    /// # Errors
    /// The server has died, or Ctrl-C was pressed (`Interrupted`).
    pub fn tick(&mut self, now: Instant, clients: usize, deliveries: u64) -> io::Result<()> {
        if now < self.ticked + TICK {
            return Ok(());
        }
        self.ticked = now;
        self.progress.show(now, clients, deliveries);
        if self.peak.is_some_and(|(most, _)| clients > most)
            && let Some(usage) = self.server.usage(Usage::with_mappings)
        {
            self.peak = Some((clients, usage));
        }
        // First, since Ctrl-C may have ended the server as well.
        if self.is_interrupted() {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"));
        }
        self.server.check()
    }

    /// The measurement starts; all clients are there.
    pub fn begin(&mut self) {
        self.start = Some(self.moment());
    }

    /// The clients will come and go: what the server uses with them is what it used when the most of
    /// them were in.
    pub fn watch_peak(&mut self) {
        self.peak = self.idle.map(|idle| (0, idle));
    }

    /// The measurement ends; `clients` are still there.
    pub fn end(&mut self, clients: usize) {
        let end = self.moment();
        self.end = Some(end);
        self.peak = match (self.peak, end.server) {
            (None, Some(usage)) => Some((clients, usage)),
            (peak, _) => peak,
        };
    }

    fn moment(&self) -> Moment {
        let own = Usage::quick(std::process::id() as i32);
        Moment {
            at: Instant::now(),
            generator: own.map_or(0.0, |own| own.cpu_seconds),
            machine: proc::machine_cpu_seconds().unwrap_or(0.0),
            server: self.server.usage(Usage::of),
        }
    }

    /// Adds to the figures of a round what it cost, when the clients have left: waits a while for the
    /// server to notice.
    pub fn finish(&mut self, round: Round) -> Round {
        let (Some(start), Some(end)) = (self.start, self.end) else {
            return round;
        };
        let generator = end.generator - start.generator;
        let mut round = Round {
            wall_seconds: (end.at - start.at).as_secs_f64(),
            generator_cpu_seconds: generator,
            ..round
        };
        if let (Some(idle), Some(begin), Some(last), Some((clients, with))) =
            (self.idle, start.server, end.server, self.peak)
        {
            let cpu = last.cpu_seconds - begin.cpu_seconds;
            let others = end.machine - start.machine - cpu - generator;
            round.other_cpu_seconds = Some(others.max(0.0));
            self.wait_until_left(idle);
            let after = self.server.usage(Usage::of);
            if after.is_none() {
                self.death_within(DEAD);
            }
            round.server = after.map(|after| Cost {
                cpu_seconds: cpu,
                context_switches: last.context_switches.saturating_sub(begin.context_switches),
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
        }
        round
    }

    /// Waits until the server has as little as before the clients came, or has closed their
    /// connections and keeps the rest: the Go runtime, for one, never ends a thread.
    fn wait_until_left(&mut self, idle: Usage) {
        let mut moved = Instant::now();
        let deadline = moved + AFTER;
        let (mut last, mut was_done) = (None, false);
        while let Some(seen) = self.server.usage(Usage::quick) {
            let now = Instant::now();
            // Ctrl-C, or the server has died.
            if self.tick(now, 0, 0).is_err() {
                break;
            }
            let held = (seen.threads, seen.descriptors);
            if last.replace(held) != Some(held) {
                moved = now;
            }
            let closed = seen.descriptors <= idle.descriptors;
            let still = now > moved + STILL;
            let is_done = closed && (still || seen.threads <= idle.threads);
            // A dying server looks like that for a moment.
            if is_done && was_done || now > deadline {
                break;
            }
            was_done = is_done;
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Makes an error of what the server did.
    pub fn error(&mut self, what: &str) -> io::Error {
        // If it has died, or is about to, that is the cause to report.
        let death = self.death_within(DYING);
        death.unwrap_or_else(|| self.server.error(io::ErrorKind::Other, what))
    }

    fn death_within(&mut self, limit: Duration) -> Option<io::Error> {
        let deadline = Instant::now() + limit;
        loop {
            match self.server.check() {
                Ok(()) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                result => return result.err(),
            }
        }
    }
}

/// What a server uses once its threads and descriptors no longer change.
fn when_still(server: &Site) -> Option<Usage> {
    let deadline = Instant::now() + STARTING;
    let mut last = None;
    loop {
        let seen = server.usage(Usage::quick)?;
        let held = Some((seen.threads, seen.descriptors));
        if std::mem::replace(&mut last, held) == held || Instant::now() > deadline {
            return server.usage(Usage::of);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
