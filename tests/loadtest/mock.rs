//! A server with scripted faults, the judge of what `loadtest` reports. It counts the faults that it
//! makes.
//!
//! A script is a protocol and faults, each at the message of that number, counted from 1 over all
//! clients: `chat drop@10 double@20`. With `every@50` the numbers start anew every 50 messages. With
//! `refuse@3` every connection after the third is closed at once; with `die-at-end@0` it dies when the
//! last client has left.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What goes wrong. It meets one client only, the victim: in the echo the one that sent, in the chat
/// another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The victim does not get the message.
    Drop,
    /// It gets the message twice.
    Double,
    /// It gets the message after the next one.
    Reorder,
    /// It gets a message with one wrong letter.
    Damage,
    /// It gets the first half of the message, and goes on with the next.
    Half,
    /// It is disconnected.
    Kick,
    /// Everyone is disconnected.
    Close,
    /// The server stops for 1.5 seconds.
    Freeze,
    /// The server stops for good.
    Hang,
    /// The server exits with status 2 and some last words.
    Die,
}

/// What the server says when it dies.
pub(crate) const LAST_WORDS: &str = "fatal error: all goroutines are asleep";

/// How often each fault was made.
pub(crate) type Made = BTreeMap<Fault, u64>;

#[derive(Clone, Debug)]
struct Script {
    is_chat: bool,
    faults: Vec<(Fault, u64)>,
    every: u64,
    connections: u64,
    dies_at_end: bool,
}

impl Script {
    fn parse(text: &str) -> Script {
        let mut words = text.split(' ');
        let mut script = Script {
            is_chat: words.next() == Some("chat"),
            faults: Vec::new(),
            every: u64::MAX,
            connections: u64::MAX,
            dies_at_end: false,
        };
        for word in words {
            let (name, number) = word.split_once('@').expect("FAULT@NUMBER");
            let number = number.parse().expect("a number after the @");
            let fault = match name {
                "drop" => Fault::Drop,
                "double" => Fault::Double,
                "reorder" => Fault::Reorder,
                "damage" => Fault::Damage,
                "half" => Fault::Half,
                "kick" => Fault::Kick,
                "close" => Fault::Close,
                "freeze" => Fault::Freeze,
                "hang" => Fault::Hang,
                "die" => Fault::Die,
                "every" => {
                    script.every = number;
                    continue;
                }
                "refuse" => {
                    script.connections = number;
                    continue;
                }
                "die-at-end" => {
                    script.dies_at_end = true;
                    continue;
                }
                other => panic!("no fault is called {other}"),
            };
            script.faults.push((fault, number));
        }
        script
    }

    fn at(&self, number: u64) -> Option<Fault> {
        let fits = |&&(_, at): &&(Fault, u64)| number % self.every == at;
        self.faults.iter().find(fits).map(|&(fault, _)| fault)
    }
}

#[derive(Default)]
struct State {
    users: Vec<(SocketAddr, TcpStream)>,
    /// What the victim gets after the next message, instead of before it.
    held: Option<Vec<u8>>,
    made: Made,
}

/// The server, to be asked afterwards what it did.
#[derive(Clone)]
pub(crate) struct Mock {
    script: Arc<Script>,
    /// Counted beside the state, which a frozen server keeps locked.
    messages: Arc<AtomicU64>,
    state: Arc<Mutex<State>>,
}

/// Starts it on a free port, on threads of this program.
pub(crate) fn start(script: &str) -> (SocketAddr, Mock) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    (addr, serve(listener, script))
}

/// Starts it on this listener.
pub(crate) fn serve(listener: TcpListener, script: &str) -> Mock {
    let mock = Mock::new(script);
    let shared = mock.clone();
    thread::spawn(move || shared.serve(&listener));
    mock
}

/// Starts one room that listens on two addresses, as two servers of one room would.
pub(crate) fn start_two(script: &str) -> ([SocketAddr; 2], Mock) {
    let (first, mock) = start(script);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let second = listener.local_addr().unwrap();
    let shared = mock.clone();
    thread::spawn(move || shared.serve(&listener));
    ([first, second], mock)
}

/// A value for `--server` that starts it as a process of its own.
pub(crate) fn command(name: &str, script: &str) -> String {
    let exe = env::current_exe().unwrap();
    let exe = exe.to_str().unwrap();
    format!(
        "{name}=env MOCK_ADDR={{addr}} 'MOCK_SCRIPT={script}' '{exe}' --ignored --exact \
         mock::serve_as_a_process --nocapture"
    )
}

#[test]
#[ignore = "it is the mock server itself, which other tests start"]
fn serve_as_a_process() {
    if let (Ok(addr), Ok(script)) = (env::var("MOCK_ADDR"), env::var("MOCK_SCRIPT")) {
        Mock::new(&script).serve(&TcpListener::bind(addr).unwrap());
    }
}

impl Mock {
    fn new(script: &str) -> Mock {
        Mock {
            script: Arc::new(Script::parse(script)),
            messages: Arc::default(),
            state: Arc::default(),
        }
    }

    /// The faults that were made. What is held back for ever is lost.
    pub(crate) fn made(&self) -> Made {
        let mut state = self.state.lock().unwrap();
        if state.held.take().is_some() {
            *state.made.entry(Fault::Drop).or_default() += 1;
            *state.made.entry(Fault::Reorder).or_default() -= 1;
        }
        state.made.clone()
    }

    /// How many messages have come.
    pub(crate) fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    fn serve(&self, listener: &TcpListener) {
        for (nth, conn) in (0..).zip(listener.incoming()) {
            let (conn, mock) = (conn.unwrap(), self.clone());
            if nth < self.script.connections {
                // A client that has gone is no failure of the server.
                thread::spawn(move || mock.handle(conn).ok());
            }
        }
    }

    fn handle(&self, conn: TcpStream) -> io::Result<()> {
        let addr = conn.peer_addr()?;
        let mut reader = BufReader::new(conn.try_clone()?);
        {
            let mut state = self.state.lock().unwrap();
            state.users.push((addr, conn));
            if self.script.is_chat {
                let line = format!("[{addr}]{addr}: login!!!\r\n");
                state.send(line.as_bytes(), None, b"");
            }
        }
        // Lent, so that the connection is open until all is done.
        for line in reader.by_ref().split(b'\n').map_while(Result::ok) {
            // The echo's first request comes before the measurement.
            if line == b"x" {
                self.state.lock().unwrap().send_to(addr, b"X\n");
                continue;
            }
            self.message(addr, &line);
        }
        let mut state = self.state.lock().unwrap();
        state.users.retain(|(other, _)| *other != addr);
        if self.script.dies_at_end && state.users.is_empty() {
            die();
        }
        Ok(())
    }

    fn message(&self, from: SocketAddr, line: &[u8]) {
        let mut state = self.state.lock().unwrap();
        let number = self.messages.fetch_add(1, Ordering::Relaxed) + 1;
        let fault = self.script.at(number);
        if let Some(fault) = fault {
            *state.made.entry(fault).or_default() += 1;
        }
        let right = match self.script.is_chat {
            true => [format!("[{from}]{from}: ").as_bytes(), line, b"\r\n"].concat(),
            false => [&line.to_ascii_uppercase(), &b"\n"[..]].concat(),
        };
        let victim = match self.script.is_chat {
            true => (state.users.iter().map(|(addr, _)| *addr)).find(|addr| *addr != from),
            false => Some(from),
        };
        let mut wrong = right.clone();
        match fault {
            Some(Fault::Drop) => wrong.clear(),
            Some(Fault::Double) => wrong.extend_from_slice(&right),
            Some(Fault::Damage) => {
                let letter = wrong.len() - b"x\r\n".len();
                wrong[letter] = b'0';
            }
            Some(Fault::Half) => wrong.truncate(right.len() / 2),
            Some(Fault::Reorder) => {
                wrong.clear();
                state.held = Some(right.clone());
            }
            Some(fault @ (Fault::Kick | Fault::Close)) => {
                for (addr, user) in &state.users {
                    if fault == Fault::Close || Some(*addr) == victim {
                        user.shutdown(Shutdown::Both).ok();
                    }
                }
            }
            Some(Fault::Freeze) => thread::sleep(Duration::from_millis(1500)),
            Some(Fault::Hang) => thread::sleep(Duration::MAX),
            Some(Fault::Die) => die(),
            None => {
                if let Some(held) = state.held.take() {
                    wrong.extend_from_slice(&held);
                }
            }
        }
        if self.script.is_chat {
            state.send(&right, victim, &wrong);
        } else {
            state.send_to(from, &wrong);
        }
    }
}

fn die() -> ! {
    eprintln!("{LAST_WORDS}");
    process::exit(2)
}

impl State {
    /// Sends to everyone, and to the victim what is wrong.
    fn send(&mut self, right: &[u8], victim: Option<SocketAddr>, wrong: &[u8]) {
        for (addr, user) in &mut self.users {
            let bytes = if Some(*addr) == victim { wrong } else { right };
            user.write_all(bytes).ok();
        }
    }

    fn send_to(&mut self, to: SocketAddr, bytes: &[u8]) {
        if let Some((_, user)) = self.users.iter_mut().find(|(addr, _)| *addr == to) {
            user.write_all(bytes).ok();
        }
    }
}
