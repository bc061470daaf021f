//! A server under test: started, watched, stopped.

use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::Child;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded, never};
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::context;
use crate::lab::target::contender::Contender;
use crate::lab::target::proc;
use crate::lab::target::supervise;
use crate::server::shutdown::{Done, closes_within, is_closed};
use crate::text::is_unsafe;

/// How long a connection to a server that is running already may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a server may take to exit when it is asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// How long the last words of a server that has died may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The longest line of a server's standard error that is repeated.
const LONGEST_LINE: usize = 200;

/// A server that listens. It is stopped when this is dropped, unless it was running already.
#[derive(Debug)]
pub struct Server {
    name: String,
    addr: SocketAddr,
    child: Option<Started>,
    pid: Option<i32>,
    /// What it wrote last to its standard error, or rather the first line of an error there.
    last_words: Arc<Mutex<Option<String>>>,
    /// Closed at the end of its standard error.
    silent: Done,
}

/// A server that was started.
#[derive(Debug)]
struct Started {
    supervisor: Child,
    /// The server's first process, and its process group.
    group: Pid,
    /// How it ended.
    ended: Receiver<String>,
    died: Option<String>,
}

/// Why a server is not measured.
#[derive(Clone, Debug)]
pub struct ServerError {
    /// Its name.
    pub server: String,
    /// What happened, such as `died (exit status 2)`.
    pub what: String,
    /// What it wrote last to its standard error.
    pub last_words: Option<String>,
}

impl Server {
    /// Starts the server, if it is one to be started, and waits until it listens.
    ///
    /// # Errors
    /// It cannot be started, does not listen in `time`, exits, or its address is taken; or Ctrl-C was
    /// pressed.
    pub fn start(contender: &Contender, time: Duration, shutdown: &Done) -> io::Result<Server> {
        let addrs = contender.next_addrs()?;
        let mut server = Server {
            name: contender.name.clone(),
            addr: addrs[0],
            child: None,
            pid: None,
            last_words: Arc::default(),
            silent: never(),
        };
        match contender.words(addrs[0]) {
            Some(words) => {
                server.spawn(&words, &addrs)?;
                server.wait_until_listening(&addrs, time, shutdown)?;
            }
            None => {
                server.addr = first_that_answers(&addrs).map_err(context(format!(
                    "nobody answers at --addr {} (is the server started?)",
                    contender.name
                )))?;
                server.pid = proc::listener_pid(server.addr, None);
            }
        }
        Ok(server)
    }

    fn spawn(&mut self, words: &[String], addrs: &[SocketAddr]) -> io::Result<()> {
        for &addr in addrs {
            if listens(addr)? {
                let what = format!(
                    "cannot be started: something listens on {addr} already (stop it, or measure it \
                     with --addr {addr})"
                );
                return Err(self.error(ErrorKind::AddrInUse, &what));
            }
        }
        let mut supervisor = supervise::command(words)?
            .spawn()
            .map_err(context("cannot start this program itself"))?;
        let stdout = supervisor.stdout.take().expect("it is piped");
        let stderr = supervisor.stderr.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).lines();
        // The server's process id, or why there is none.
        let first = lines.next().transpose()?.unwrap_or_default();
        let Some(group) = first.parse().ok().and_then(Pid::from_raw) else {
            supervisor.wait()?;
            return Err(io::Error::other(format!("server {}: {first}", self.name)));
        };
        let (end, ended) = bounded(1);
        self.child = Some(Started {
            supervisor,
            group,
            ended,
            died: None,
        });
        let last_words = Arc::clone(&self.last_words);
        let (speaking, silent) = bounded::<Infallible>(0);
        self.silent = silent;
        thread::Builder::new().spawn(move || {
            listen(BufReader::new(stderr), &last_words);
            drop(speaking);
        })?;
        thread::Builder::new().spawn(move || {
            let how = lines.find_map(Result::ok);
            let how = how.unwrap_or_else(|| "died (with its supervisor)".to_owned());
            end.send(how).ok();
        })?;
        Ok(())
    }

    fn wait_until_listening(
        &mut self,
        addrs: &[SocketAddr],
        time: Duration,
        shutdown: &Done,
    ) -> io::Result<()> {
        let deadline = Instant::now() + time;
        loop {
            for &addr in addrs {
                if listens(addr)? {
                    self.addr = addr;
                    let group = self.child.as_ref().map(|child| child.group.as_raw_pid());
                    self.pid = proc::listener_pid(addr, group);
                    return Ok(());
                }
            }
            self.check()?;
            if is_closed(shutdown) {
                return Err(io::Error::new(ErrorKind::Interrupted, "interrupted"));
            }
            if Instant::now() > deadline {
                let what = format!(
                    "was started but does not listen on {} after {time:?} (--start-timeout)",
                    self.addr
                );
                return Err(self.error(ErrorKind::TimedOut, &what));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The process that listens, where it could be found out.
    pub fn pid(&self) -> Option<i32> {
        self.pid
    }

    /// Fails if the server has exited, with what it wrote last.
    ///
    /// # Errors
    /// It has.
    pub fn check(&mut self) -> io::Result<()> {
        let Some(child) = &mut self.child else {
            return Ok(());
        };
        child.died = child.died.take().or_else(|| child.ended.try_recv().ok());
        let Some(how) = child.died.clone() else {
            return Ok(());
        };
        // What it wrote in its last moment may still be in the pipe, which a child of its own may hold.
        closes_within(&self.silent, LAST_WORDS);
        Err(self.error(ErrorKind::BrokenPipe, &how))
    }

    /// Makes an error of what the server did.
    pub fn error(&self, kind: ErrorKind, what: &str) -> io::Error {
        let error = ServerError {
            server: self.name.clone(),
            what: what.to_owned(),
            last_words: self.last_words(),
        };
        io::Error::new(kind, error)
    }

    /// What the server wrote last to its standard error, or rather the first line of an error there.
    pub fn last_words(&self) -> Option<String> {
        self.last_words.lock().clone()
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            kill_process_group(child.group, Signal::TERM).ok();
            // The first process of the group, and what it has started, which may outlive it.
            if child.died.is_none() {
                child.ended.recv_timeout(GRACE).ok();
            }
            closes_within(&self.silent, GRACE);
            // Closes the supervisor's standard input, and so kills what is left.
            child.supervisor.wait().ok();
        }
    }
}

/// Whether something listens on `addr`. On this machine that is read from the kernel: a connection to
/// try it would be a client of the room before the first one comes.
fn listens(addr: SocketAddr) -> io::Result<bool> {
    if proc::is_here(addr) {
        return proc::is_listening(addr);
    }
    Ok(TcpStream::connect_timeout(&addr, Duration::from_secs(1)).is_ok())
}

fn first_that_answers(addrs: &[SocketAddr]) -> io::Result<SocketAddr> {
    for &addr in addrs {
        if proc::is_here(addr) && proc::is_listening(addr).unwrap_or(false) {
            return Ok(addr);
        }
    }
    // It may be on another machine, or hidden from the kernel's list.
    let mut failure = ErrorKind::AddrNotAvailable.into();
    for &addr in addrs {
        match TcpStream::connect_timeout(&addr, CONNECT) {
            Ok(_) => return Ok(addr),
            Err(err) => failure = err,
        }
    }
    Err(failure)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server {} {}", self.server, self.what)?;
        match &self.last_words {
            Some(words) => write!(f, ": {words}"),
            None => Ok(()),
        }
    }
}

impl Error for ServerError {}

/// Reads a server's standard error to its end.
fn listen(mut stderr: impl BufRead, last_words: &Mutex<Option<String>>) {
    // A line may have no end: what is read at once is bounded.
    const PIECE: u64 = 64 * 1024;
    let (mut is_telling, mut line) = (false, Vec::new());
    while matches!(
        stderr.by_ref().take(PIECE).read_until(b'\n', &mut line),
        Ok(1..)
    ) {
        let line = std::mem::take(&mut line);
        let line: String = String::from_utf8_lossy(&line)
            .chars()
            .filter(|&c| !is_unsafe(c))
            .take(LONGEST_LINE)
            .collect();
        if !is_telling && !line.is_empty() {
            let lower = line.to_lowercase();
            let signs = ["fatal", "panic", "error"];
            is_telling = signs.iter().any(|sign| lower.contains(sign));
            *last_words.lock() = Some(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_explains_an_error_is_kept() {
        let kept = |text: &[u8]| {
            let last_words = Mutex::default();
            listen(text, &last_words);
            last_words.into_inner()
        };
        let text = b"listening\nfatal error: concurrent map writes\n\ngoroutine 7 [running]:\n";
        assert_eq!(kept(text).unwrap(), "fatal error: concurrent map writes");
        assert_eq!(kept(b"one\ntwo \x1b[31m\n").unwrap(), "two [31m");
        assert_eq!(kept("a\u{202e}b\u{2028}c".as_bytes()).unwrap(), "abc");
        assert_eq!(kept(b""), None);
        let endless = kept(&[b'x'; 1 << 20]).unwrap();
        assert_eq!(endless.len(), LONGEST_LINE);
    }
}
