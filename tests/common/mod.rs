//! What several tests share: a server as a process of its own, and users of the chat room.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test uses its own part of this"
)]

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long anything may take before a test says what it waited for.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until `done`, and fails with what `state` says if that takes too long.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool, state: impl Fn() -> String) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < DEADLINE,
            "{what}: not within {DEADLINE:?}; {}",
            state()
        );
        thread::sleep(Duration::from_millis(2));
    }
}

/// A server on a free port, which ends with the test.
pub struct Server {
    child: Child,
    pub addr: SocketAddr,
    log: Arc<Mutex<String>>,
    out: Arc<Mutex<String>>,
}

impl Server {
    /// Starts the program with a free port of 127.0.0.1 as its address.
    pub fn start(program: &str, args: &[&str]) -> Server {
        Server::spawn(Command::new(program).arg("127.0.0.1:0").args(args))
    }

    /// Starts a server that logs the address it listens on.
    pub fn spawn(command: &mut Command) -> Server {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|err| panic!("{command:?} does not start: {err}"));
        let log = collect(child.stderr.take().unwrap());
        let out = collect(child.stdout.take().unwrap());
        let addr = || {
            let log = log.lock();
            let (_, rest) = log.split_once("listening on ")?;
            rest.split_once('\n')?.0.parse().ok()
        };
        wait_until(
            "the server listens",
            || addr().is_some(),
            || log.lock().clone(),
        );
        let addr = addr().unwrap();
        Server {
            child,
            addr,
            log,
            out,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().clone()
    }

    /// What it has printed so far.
    pub fn out(&self) -> String {
        self.out.lock().clone()
    }

    pub fn wait_for_log(&self, text: &str) {
        let what = format!("the log says {text:?}");
        wait_until(&what, || self.log().contains(text), || self.log());
    }

    pub fn threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.pid())).map_or(0, Iterator::count)
    }

    pub fn wait_for_threads(&self, threads: usize) {
        let what = format!("{threads} threads");
        wait_until(
            &what,
            || self.threads() == threads,
            || self.threads().to_string(),
        );
    }

    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).map_or(0, Iterator::count)
    }

    /// A figure in kB from /proc/PID/status, such as VmHWM.
    pub fn kilobytes(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// CPU time it has used, user and system.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<_> = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// Waits until it has as many threads and descriptors as it had at some earlier time.
    pub fn wait_for_counts(&self, threads: usize, descriptors: usize) {
        wait_until(
            &format!("{threads} threads and {descriptors} descriptors"),
            || self.threads() == threads && self.descriptors() == descriptors,
            || {
                format!(
                    "{} and {}; {}",
                    self.threads(),
                    self.descriptors(),
                    self.log()
                )
            },
        );
    }

    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                start.elapsed() < DEADLINE,
                "the server does not end; {}",
                self.log()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it as Ctrl-C does, and checks that it ends well.
    pub fn stop(mut self) {
        self.signal("-INT");
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads a stream to its end in the background.
fn collect(stream: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&text);
    thread::spawn(move || {
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            into.lock().push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
    text
}

/// A user of the chat room.
pub struct User {
    pub conn: TcpStream,
    pub addr: String,
    unread: Vec<u8>,
}

impl User {
    /// Connects, and waits until the room has told of it.
    pub fn join(room: SocketAddr) -> User {
        let mut user = User::connect(room);
        user.read_until(&format!("[{0}]{0}: login!!!\r\n", user.addr));
        user
    }

    /// Connects, and waits for nothing.
    pub fn connect(room: SocketAddr) -> User {
        let conn = TcpStream::connect(room).unwrap_or_else(|err| panic!("cannot join: {err}"));
        conn.set_read_timeout(Some(DEADLINE)).unwrap();
        conn.set_write_timeout(Some(DEADLINE)).unwrap();
        let addr = conn.local_addr().unwrap().to_string();
        User {
            conn,
            addr,
            unread: Vec::new(),
        }
    }

    pub fn say(&mut self, words: impl AsRef<[u8]>) {
        self.conn
            .write_all(words.as_ref())
            .unwrap_or_else(|err| panic!("{} cannot speak: {err}", self.addr));
    }

    /// Reads up to and with `end`, and returns all of it.
    pub fn read_until(&mut self, end: &str) -> String {
        loop {
            let found = self
                .unread
                .windows(end.len())
                .position(|part| part == end.as_bytes());
            if let Some(start) = found {
                let rest = self.unread.split_off(start + end.len());
                let read = std::mem::replace(&mut self.unread, rest);
                return String::from_utf8_lossy(&read).into_owned();
            }
            if self.fill() == 0 {
                panic!(
                    "{} waits for {end:?}: the stream ends after {:?}",
                    self.addr,
                    self.text()
                );
            }
        }
    }

    /// Reads one line that ends with `\n`, and returns it without its end.
    pub fn line(&mut self) -> String {
        self.read_until("\n")
            .trim_end_matches(['\r', '\n'])
            .to_owned()
    }

    /// Reads exactly this and nothing else.
    pub fn expect(&mut self, text: &str) {
        while self.unread.len() < text.len() && self.fill() > 0 {}
        let n = self.unread.len().min(text.len());
        let rest = self.unread.split_off(n);
        let read = std::mem::replace(&mut self.unread, rest);
        assert_eq!(
            String::from_utf8_lossy(&read),
            text,
            "what {} was sent",
            self.addr
        );
    }

    /// Reads to the end of the stream, which must be a clean one.
    pub fn read_to_end(&mut self) -> String {
        while self.fill() > 0 {}
        self.text()
    }

    /// Reads to the end of the stream, and returns all of it.
    pub fn read_all(&mut self) -> String {
        while self.fill() > 0 {}
        String::from_utf8_lossy(&self.unread).into_owned()
    }

    /// Says that it will say no more.
    pub fn close_write(&self) {
        self.conn.shutdown(Shutdown::Write).unwrap();
    }

    /// Its connection is reset when it is dropped.
    pub fn reset(self) {
        socket2::SockRef::from(&self.conn)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    }

    /// Reads something that is more, and returns how much it was; 0 at the end of the stream.
    fn fill(&mut self) -> usize {
        let mut buf = [0; 65536];
        let n = loop {
            match self.conn.read(&mut buf) {
                Ok(n) => break n,
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => panic!("{} reads: {err}, after {:?}", self.addr, self.text()),
            }
        };
        self.unread.extend_from_slice(&buf[..n]);
        n
    }

    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.unread);
        text.chars()
            .rev()
            .take(2000)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect()
    }
}

/// Random numbers from a seed (SplitMix64), the same on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }
}
