//! What every scenario has at hand in a round: the server, the way out, the progress bar.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crossbeam_channel::TryRecvError;

use crate::lab::progress::Progress;
use crate::lab::results::record::Cost;
use crate::lab::target::proc::{self, Presence, Snapshot};
use crate::lab::target::process::Server;
use crate::server::shutdown::Done;

/// How often a round looks whether the server lives and Ctrl-C was pressed.
const LOOK: Duration = Duration::from_millis(100);

/// How long a server may take to give back what its clients took.
const AFTER: Duration = Duration::from_secs(2);

/// How long nothing may change until it counts as what the server keeps.
const STILL: Duration = Duration::from_millis(300);

/// How long a server that lets its clients down may take to end.
const DYING: Duration = Duration::from_millis(300);

/// One round against one server.
#[derive(Debug)]
pub struct Session<'a> {
    server: &'a mut Server,
    shutdown: &'a Done,
    progress: &'a Progress,
    looked: Instant,
    idle: Option<Snapshot>,
    start: Option<Snapshot>,
    end: Option<Snapshot>,
    began: Instant,
    wall: Duration,
    generator: [f64; 2],
    machine: [f64; 2],
}

impl Session<'_> {
    /// Begins a round: no client is there yet.
    pub fn new<'a>(
        server: &'a mut Server,
        shutdown: &'a Done,
        progress: &'a Progress,
    ) -> Session<'a> {
        let idle = snapshot(server);
        Session {
            server,
            shutdown,
            progress,
            looked: Instant::now(),
            idle,
            start: None,
            end: None,
            began: Instant::now(),
            wall: Duration::ZERO,
            generator: [0.0; 2],
            machine: [0.0; 2],
        }
    }

    /// Where the server listens.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// To be called again and again while a round runs, with what the progress bar is to show.
    ///
    /// # Errors
    /// The server has died, or the program is to end.
    pub fn look(&mut self, now: Instant, clients: usize, deliveries: u64) -> io::Result<()> {
        if now < self.looked + LOOK {
            return Ok(());
        }
        self.looked = now;
        self.progress.show(now, clients, deliveries);
        // First, since Ctrl-C may have ended the server as well.
        if self.shutdown.try_recv() == Err(TryRecvError::Disconnected) {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"));
        }
        self.server.check()
    }

    /// All clients are there, and the measuring begins.
    pub fn begin(&mut self) {
        self.start = snapshot(self.server);
        self.began = Instant::now();
        self.generator[0] = own_cpu_seconds();
        self.machine[0] = proc::machine_cpu_seconds().unwrap_or(0.0);
    }

    /// The measuring ends; all clients are still there.
    pub fn end(&mut self) {
        self.generator[1] = own_cpu_seconds();
        self.machine[1] = proc::machine_cpu_seconds().unwrap_or(0.0);
        self.wall = self.began.elapsed();
        self.end = snapshot(self.server);
    }

    /// Seconds between [`Session::begin`] and [`Session::end`].
    pub fn wall_seconds(&self) -> f64 {
        self.wall.as_secs_f64()
    }

    /// CPU seconds of this program between [`Session::begin`] and [`Session::end`].
    pub fn generator_cpu_seconds(&self) -> f64 {
        self.generator[1] - self.generator[0]
    }

    /// CPU seconds of other programs in that time, where the server's are known.
    pub fn other_cpu_seconds(&self) -> Option<f64> {
        let server = self.end?.cpu_seconds - self.start?.cpu_seconds;
        let all = self.machine[1] - self.machine[0];
        Some((all - server - self.generator_cpu_seconds()).max(0.0))
    }

    /// What the round cost the server, when the clients have left: waits a while for it to notice.
    ///
    /// # Errors
    /// As for [`Session::look`].
    pub fn cost(&mut self) -> io::Result<Option<Cost>> {
        let (Some(idle), Some(start), Some(end)) = (self.idle, self.start, self.end) else {
            return Ok(None);
        };
        self.wait_until_left(idle)?;
        let after = snapshot(self.server);
        Ok(after.map(|after| proc::cost(idle, start, end, after)))
    }

    /// Waits until the server has as little as before the clients came, or has closed their
    /// connections and keeps the rest: the Go runtime, for one, never ends a thread.
    fn wait_until_left(&mut self, idle: Snapshot) -> io::Result<()> {
        let Some(pid) = self.server.pid() else {
            return Ok(());
        };
        let mut moved = Instant::now();
        let deadline = moved + AFTER;
        let mut last = None;
        loop {
            let now = Instant::now();
            self.look(now, 0, 0)?;
            let Ok(seen) = Presence::of(pid) else {
                return Ok(());
            };
            if last.replace(seen) != Some(seen) {
                moved = now;
            }
            let closed = seen.descriptors <= idle.descriptors;
            let still = now > moved + STILL;
            if closed && (still || seen.threads <= idle.threads) || now > deadline {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Makes an error that names the server and repeats what it said last.
    pub fn error(&mut self, what: &str) -> io::Error {
        // That it has died says more than anything that followed from it; it may be about to.
        let deadline = Instant::now() + DYING;
        while Instant::now() < deadline {
            if let Err(err) = self.server.check() {
                return err;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let (name, said) = (self.server.name(), self.server.said());
        io::Error::other(format!("server {name} {what}{said}"))
    }
}

fn snapshot(server: &Server) -> Option<Snapshot> {
    // A process of another user cannot be looked into; the round is worth something without it.
    Snapshot::of(server.pid()?).ok()
}

fn own_cpu_seconds() -> f64 {
    proc::cpu_seconds(std::process::id() as i32).unwrap_or(0.0)
}
