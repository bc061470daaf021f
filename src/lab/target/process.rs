//! A server under test: started, watched, stopped.

use std::convert::Infallible;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded, never};
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::error::context;
use crate::lab::target::contender::Contender;
use crate::lab::target::proc;
use crate::server::shutdown::{Done, closes_within};

/// How long a server may take from its start until it listens.
const START: Duration = Duration::from_secs(10);

/// How long a server may take to end when it is asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// How long the last words of a server that has died may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The longest line of a server's standard error that is repeated.
const SAID: usize = 200;

/// A server that listens. It is stopped when this is dropped, unless it was running already.
#[derive(Debug)]
pub struct Server {
    name: String,
    addr: SocketAddr,
    child: Option<Child>,
    pid: Option<i32>,
    said: Arc<Mutex<Said>>,
    /// Ends with its standard error.
    silent: Done,
}

/// What a server has written to its standard error, as far as it may tell why it died.
#[derive(Debug, Default)]
struct Said {
    /// The first line that speaks of an error.
    telling: Option<String>,
    last: Option<String>,
}

impl Server {
    /// Starts the server, if it is one to be started, and waits until it listens.
    ///
    /// # Errors
    /// It cannot be started, does not listen in time, ends, or its address is taken.
    pub fn start(contender: &Contender) -> io::Result<Server> {
        let addr = contender.next_addr()?;
        let mut server = Server {
            name: contender.name.clone(),
            addr,
            child: None,
            pid: None,
            said: Arc::default(),
            silent: never(),
        };
        match contender.words(addr) {
            Some(words) => server.spawn(&words)?,
            None => {
                // A server that is running must be seen to answer; one connection is the only way.
                TcpStream::connect_timeout(&addr, START).map_err(context(format!(
                    "nobody answers at --addr {addr} (is the server started?)"
                )))?;
                server.pid = proc::listener_pid(addr, None);
            }
        }
        Ok(server)
    }

    fn spawn(&mut self, words: &[String]) -> io::Result<()> {
        let (name, addr) = (&self.name, self.addr);
        if answers(addr)? {
            return Err(io::Error::new(
                ErrorKind::AddrInUse,
                format!(
                    "server {name} cannot be started: something listens on {addr} already (stop it, \
                     or measure it with --addr {addr})"
                ),
            ));
        }
        // A group of its own, so that what a wrapper such as `go run` starts is stopped with it.
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            // Never written to; it ends when this program does, which the floor watches.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(context(format!("server {name}: cannot run {:?}", words[0])))?;
        let stderr = child.stderr.take().expect("it is piped");
        let own = child.id() as i32;
        self.child = Some(child);
        let said = Arc::clone(&self.said);
        let (speaking, silent) = bounded(0);
        self.silent = silent;
        thread::Builder::new()
            .name("server's stderr".to_owned())
            .spawn(move || {
                let _ends_last: Sender<Infallible> = speaking;
                listen(BufReader::new(stderr), &said);
            })?;

        let deadline = Instant::now() + START;
        while !answers(addr)? {
            self.check()?;
            if Instant::now() > deadline {
                return Err(io::Error::new(
                    ErrorKind::TimedOut,
                    format!(
                        "server {} was started but does not listen on {} after {} s{}",
                        self.name,
                        self.addr,
                        START.as_secs(),
                        self.said.lock().quoted(),
                    ),
                ));
            }
            thread::sleep(Duration::from_millis(2));
        }
        self.pid = proc::listener_pid(self.addr, Some(own));
        Ok(())
    }

    /// Its name in tables.
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

    /// Fails if the server has ended, with what it said last.
    ///
    /// # Errors
    /// It has.
    pub fn check(&mut self) -> io::Result<()> {
        let Some(child) = &mut self.child else {
            return Ok(());
        };
        let Some(status) = child.try_wait()? else {
            return Ok(());
        };
        // What it wrote in its last moment may still be in the pipe, which a child of its own may hold.
        closes_within(&self.silent, LAST_WORDS);
        Err(io::Error::new(
            ErrorKind::BrokenPipe,
            format!(
                "server {} died ({}){}",
                self.name,
                describe(status),
                self.said.lock().quoted()
            ),
        ))
    }

    /// What a failure may have to do with: what the server said of an error, if anything.
    pub fn said(&self) -> String {
        self.said.lock().quoted()
    }

    fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let Some(group) = Pid::from_raw(child.id() as i32) else {
            return;
        };
        kill_process_group(group, Signal::TERM).ok();
        let deadline = Instant::now() + GRACE;
        // Once the child is reaped, the group lives only as long as something that it left behind.
        while Instant::now() < deadline {
            child.try_wait().ok();
            if test_kill_process_group(group).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
        kill_process_group(group, Signal::KILL).ok();
        child.wait().ok();
    }
}

/// Whether something listens on `addr`. On this machine that is read from the kernel: a connection to
/// try it would be a guest in the room before the first client comes.
fn answers(addr: SocketAddr) -> io::Result<bool> {
    if addr.ip().is_loopback() {
        return proc::is_listening(addr);
    }
    Ok(TcpStream::connect_timeout(&addr, Duration::from_secs(1)).is_ok())
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Said {
    fn quoted(&self) -> String {
        match self.telling.as_ref().or(self.last.as_ref()) {
            Some(line) => format!(": {line}"),
            None => String::new(),
        }
    }
}

/// Reads a server's standard error to its end.
fn listen(stderr: impl BufRead, said: &Mutex<Said>) {
    for line in stderr.split(b'\n').map_while(Result::ok) {
        let line: String = String::from_utf8_lossy(&line)
            .chars()
            .filter(|c| !c.is_control())
            .take(SAID)
            .collect();
        if line.is_empty() {
            continue;
        }
        let mut said = said.lock();
        let lower = line.to_lowercase();
        let telling = ["fatal", "panic", "error"]
            .iter()
            .any(|word| lower.contains(word));
        if telling && said.telling.is_none() {
            said.telling = Some(line.clone());
        }
        said.last = Some(line);
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_telling_line_is_kept() {
        let said = Mutex::default();
        let text = b"listening\nfatal error: concurrent map writes\n\ngoroutine 7 [running]:\n";
        listen(&text[..], &said);
        assert_eq!(said.lock().quoted(), ": fatal error: concurrent map writes");

        let said = Mutex::default();
        listen(&b"one\ntwo \x1b[31m\n"[..], &said);
        assert_eq!(said.lock().quoted(), ": two [31m");
        assert_eq!(Said::default().quoted(), "");
    }
}
