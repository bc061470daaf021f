//! A program of this package, run as a user would, with deadlines instead of sleeps.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this"
)]

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for what must come, on a slow and busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// What a program has printed so far, and whether that is all.
type Output = (Vec<u8>, bool);

/// What a program has printed so far, to be waited for.
#[derive(Clone, Default)]
struct Printed(Arc<(Mutex<Output>, Condvar)>);

impl Printed {
    fn collect(mut from: impl Read + Send + 'static) -> Printed {
        let printed = Printed::default();
        let all = printed.clone();
        thread::spawn(move || {
            let mut buf = [0; 4096];
            loop {
                let n = from.read(&mut buf).unwrap_or(0);
                let mut state = all.0.0.lock().unwrap();
                state.0.extend_from_slice(&buf[..n]);
                state.1 = n == 0;
                all.0.1.notify_all();
                if n == 0 {
                    return;
                }
            }
        });
        printed
    }

    /// Waits until `seen` finds something in what was printed, or nothing more can come.
    fn wait<T>(&self, mut seen: impl FnMut(&[u8]) -> Option<T>) -> Result<T, Vec<u8>> {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.0.0.lock().unwrap();
        loop {
            if let Some(found) = seen(&state.0) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.1 || left.is_zero() {
                return Err(state.0.clone());
            }
            state = self.0.1.wait_timeout(state, left).unwrap().0;
        }
    }

    fn all(&self) -> Vec<u8> {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.0.0.lock().unwrap();
        while !state.1 {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the program still holds its output open");
            state = self.0.1.wait_timeout(state, left).unwrap().0;
        }
        state.0.clone()
    }
}

/// A running program. Dropped, it is killed.
pub struct Program {
    child: Child,
    pub stdin: Option<ChildStdin>,
    stdout: Printed,
    stderr: Printed,
}

/// How a program has ended.
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Program {
    pub fn start(program: &str, args: &[&dyn AsRef<OsStr>]) -> Program {
        let mut command = Command::new(program);
        command.args(args.iter().map(|arg| arg.as_ref()));
        Program::spawn(command)
    }

    pub fn spawn(mut command: Command) -> Program {
        let mut child = command
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|err| panic!("{command:?}: {err}"));
        Program {
            stdin: child.stdin.take(),
            stdout: Printed::collect(child.stdout.take().unwrap()),
            stderr: Printed::collect(child.stderr.take().unwrap()),
            child,
        }
    }

    /// Runs a program with this standard input until it ends.
    pub fn run(program: &str, args: &[&dyn AsRef<OsStr>], stdin: &[u8]) -> Ended {
        let mut program = Program::start(program, args);
        // It may end without having read it all.
        let _ = program.stdin.take().unwrap().write_all(stdin);
        program.ended()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address that a server logs when it listens.
    pub fn addr(&self) -> SocketAddr {
        self.wait_for_log("listening on ", |rest| {
            rest.split_once('\n').map(|(addr, _)| addr.parse().unwrap())
        })
    }

    /// Waits until standard error shows `text`.
    pub fn wait_for_stderr(&self, text: &str) {
        self.wait_for_log(text, |_| Some(()));
    }

    fn wait_for_log<T>(&self, text: &str, found: impl Fn(&str) -> Option<T>) -> T {
        self.stderr
            .wait(|all| {
                let all = String::from_utf8_lossy(all);
                all.find(text).and_then(|at| found(&all[at + text.len()..]))
            })
            .unwrap_or_else(|all| panic!("no {text:?} in {:?}", String::from_utf8_lossy(&all)))
    }

    /// Waits until standard output is these bytes, or begins with them.
    pub fn wait_for_stdout(&self, bytes: &[u8]) {
        self.stdout
            .wait(|all| all.starts_with(bytes).then_some(()))
            .unwrap_or_else(|all| panic!("standard output is {:?}", String::from_utf8_lossy(&all)));
    }

    /// Sends a signal, such as `TERM` or `KILL`.
    pub fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.unwrap().success(), "{kill} failed");
    }

    /// Waits until the program ends by itself.
    pub fn ended(&mut self) -> Ended {
        drop(self.stdin.take());
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let (out, err) = (self.stdout.all(), self.stderr.all());
                panic!(
                    "still running: {:?} {:?}",
                    String::from_utf8_lossy(&out),
                    String::from_utf8_lossy(&err)
                );
            }
            thread::sleep(Duration::from_millis(5));
        };
        Ended {
            status,
            stdout: self.stdout.all(),
            stderr: String::from_utf8_lossy(&self.stderr.all()).into_owned(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Asserts the exit status and standard output, and returns standard error.
    #[track_caller]
    pub fn expect(self, code: i32, stdout: impl AsRef<[u8]>) -> String {
        let (out, expected) = (
            String::from_utf8_lossy(&self.stdout),
            String::from_utf8_lossy(stdout.as_ref()),
        );
        assert_eq!(
            (self.status.code(), &*out),
            (Some(code), &*expected),
            "standard error: {}",
            self.stderr
        );
        self.stderr
    }

    /// Asserts exit status 1 with nothing on standard output, and exactly one line on standard
    /// error, which holds `text`.
    #[track_caller]
    pub fn expect_one_error(self, text: &str) {
        let stderr = self.expect(1, "");
        assert!(
            stderr.lines().count() == 1 && stderr.starts_with("error: ") && stderr.contains(text),
            "expected one line with {text:?}: {stderr:?}"
        );
    }
}
