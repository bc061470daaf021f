//! A server under test: started, watched, stopped.

use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::context;
use crate::go::net;
use crate::lab::target::contender::Source;
use crate::lab::target::{proc, supervise};
use crate::server::shutdown::{Done, closes_within};
use crate::text::is_unsafe;

/// How long a connection to a server that is running already may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long the last words of a server that has died may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The longest line of a server's standard error that is repeated.
const LONGEST_LINE: usize = 200;

/// A server that listens. It is stopped when this is dropped, unless it was running already.
#[derive(Debug)]
pub struct Server {
    /// What errors call it.
    pub name: String,
    /// Where it listens.
    pub addr: SocketAddr,
    /// The process that listens, where it could be found out.
    pub pid: Option<i32>,
    started: Option<Started>,
}

/// A server that was started.
#[derive(Debug)]
struct Started {
    supervisor: Child,
    /// The server's first process, and its process group.
    group: Pid,
    /// How it ended.
    died: Arc<OnceLock<String>>,
    /// What it wrote last to its standard error, or rather the first line of an error there.
    last_words: Arc<Mutex<Option<String>>>,
    /// Closed at the end of its standard error.
    silent: Done,
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
    pub fn start(source: &Source, time: Duration, shutdown: &Done) -> io::Result<Server> {
        let addrs = source.next_addrs()?;
        let name = &source.name;
        let mut server = Server {
            name: name.clone(),
            addr: addrs[0],
            pid: None,
            started: None,
        };
        if source.words.is_empty() {
            server.addr = net::one_by_one(&addrs, answer).map_err(context(format!(
                "nobody answers at --addr {name} (is the server started?)"
            )))?;
            server.pid = proc::listener_pid(server.addr, None);
            return Ok(server);
        }
        check_free(name, &addrs)?;
        let started = Started::new(&source.words_at(server.addr))
            .map_err(context(format!("server {name}")))?;
        let group = started.group.as_raw_pid();
        server.started = Some(started);
        let deadline = Instant::now() + time;
        loop {
            if let Some(&addr) = addrs.iter().find(|addr| listens(**addr)) {
                server.addr = addr;
                server.pid = proc::listener_pid(addr, Some(group));
                return Ok(server);
            }
            server.check()?;
            if closes_within(shutdown, Duration::from_millis(2)) {
                return Err(io::Error::new(ErrorKind::Interrupted, "interrupted"));
            }
            if Instant::now() > deadline {
                let addr = server.addr;
                return Err(server.error(&format!(
                    "was started but does not listen on {addr} after {time:?} (--start-timeout)"
                )));
            }
        }
    }

    /// Fails if the server has exited, with what it wrote last.
    ///
    /// # Errors
    /// It has.
    pub fn check(&self) -> io::Result<()> {
        if let Some(started) = &self.started
            && let Some(how) = started.died.get()
        {
            // What it wrote in its last moment may still be in the pipe, which a child of its own may hold.
            closes_within(&started.silent, LAST_WORDS);
            return Err(self.error(how));
        }
        Ok(())
    }

    fn error(&self, what: &str) -> io::Error {
        ServerError::of(&self.name, what, self.last_words())
    }

    /// What the server wrote last to its standard error, or rather the first line of an error there.
    pub fn last_words(&self) -> Option<String> {
        self.started.as_ref()?.last_words.lock().clone()
    }
}

impl Started {
    fn new(words: &[String]) -> io::Result<Started> {
        let mut supervisor = supervise::command(words)
            .spawn()
            .map_err(context("cannot start this program itself"))?;
        let stdout = supervisor.stdout.take().expect("it is piped");
        let stderr = supervisor.stderr.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).lines();
        // The server's process id, or why there is none.
        let first = lines.next().transpose()?.unwrap_or_default();
        let Some(group) = first.parse().ok().and_then(Pid::from_raw) else {
            supervisor.wait()?;
            return Err(io::Error::other(first));
        };
        let (speaking, silent) = bounded::<Infallible>(0);
        let started = Started {
            supervisor,
            group,
            died: Arc::default(),
            last_words: Arc::default(),
            silent,
        };
        let last_words = Arc::clone(&started.last_words);
        thread::Builder::new().spawn(move || {
            listen(BufReader::new(stderr), &last_words);
            drop(speaking);
        })?;
        let died = Arc::clone(&started.died);
        thread::Builder::new().spawn(move || {
            let how = lines.find_map(Result::ok);
            died.set(how.unwrap_or_else(|| "died (with its supervisor)".to_owned()))
        })?;
        Ok(started)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(stdin) = &mut self.supervisor.stdin {
            stdin.write_all(b"\n").ok();
        }
        let ended = self.supervisor.wait();
        // What was killed itself has not stopped the server.
        if ended.is_ok_and(|status| status.signal().is_some()) {
            kill_process_group(self.group, Signal::KILL).ok();
        }
    }
}

/// Fails if one of the addresses on which a server is to listen is taken.
///
/// # Errors
/// It is.
pub fn check_free(name: &str, addrs: &[SocketAddr]) -> io::Result<()> {
    let Some(addr) = addrs.iter().find(|addr| listens(**addr)) else {
        return Ok(());
    };
    let what = format!(
        "cannot be started: something listens on {addr} already (stop it, or measure it with --addr {addr})"
    );
    Err(ServerError::of(name, &what, None))
}

fn listens(addr: SocketAddr) -> bool {
    let answers = || TcpStream::connect_timeout(&addr, Duration::from_secs(1)).is_ok();
    proc::is_listening(addr) || !proc::is_here(addr) && answers()
}

/// Fails if no server is running there. It may be on another machine, or hidden from the kernel's list.
fn answer(addr: SocketAddr) -> io::Result<SocketAddr> {
    if !proc::is_listening(addr) {
        TcpStream::connect_timeout(&addr, CONNECT)?;
    }
    Ok(addr)
}

impl ServerError {
    /// Makes an error of what a server did.
    pub fn of(server: &str, what: &str, last_words: Option<String>) -> io::Error {
        io::Error::other(ServerError {
            server: server.to_owned(),
            what: what.to_owned(),
            last_words,
        })
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
