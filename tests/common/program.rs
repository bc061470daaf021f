//! Runs a program as a user would. Everything it prints or does is waited for with a deadline, and a failing test
//! shows all of its output.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::ended::Ended;
use super::signal;
use super::wait::{DEADLINE, PAUSE};

/// A running program. It is killed when it is dropped.
pub(crate) struct Program {
    command: String,
    // Behind a lock, because even `try_wait` needs a mutable reference.
    child: Mutex<Child>,
    stdin: Option<ChildStdin>,
    printed: Arc<Mutex<Printed>>,
}

/// What was read from a program's two pipes, and how many of them are still open.
struct Printed {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    open: usize,
}

impl Program {
    pub(crate) fn start(program: &str, args: &[&dyn AsRef<OsStr>]) -> Program {
        let mut command = Command::new(program);
        Program::spawn(command.args(args.iter().map(|arg| arg.as_ref())))
    }

    /// Starts a server on a free port of the loopback interface, and waits until it listens.
    #[track_caller]
    pub(crate) fn serve(command: &mut Command) -> Program {
        let program = Program::spawn(command.arg("127.0.0.1:0"));
        program.addr();
        program
    }

    /// Starts the command with pipes for its three streams.
    pub(crate) fn spawn(command: &mut Command) -> Program {
        let shown = format!("{command:?}");
        let mut child = signal::prepare(command)
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|err| panic!("cannot start {shown}: {err}"));
        let printed = Arc::new(Mutex::new(Printed {
            stdout: Vec::new(),
            stderr: Vec::new(),
            open: 2,
        }));
        collect(child.stdout.take(), &printed, |printed| &mut printed.stdout);
        collect(child.stderr.take(), &printed, |printed| &mut printed.stderr);
        Program {
            command: shown,
            stdin: child.stdin.take(),
            child: Mutex::new(child),
            printed,
        }
    }

    /// Runs a program with this standard input until it ends.
    #[track_caller]
    pub(crate) fn run(program: &str, args: &[&dyn AsRef<OsStr>], stdin: &[u8]) -> Ended {
        let mut program = Program::start(program, args);
        // It may exit without having read everything.
        let _ = program.stdin.take().unwrap().write_all(stdin);
        program.ended()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.lock().id()
    }

    /// Waits until a server logs its address, and returns it.
    #[track_caller]
    pub(crate) fn addr(&self) -> SocketAddr {
        self.wait("log its address", |program| program.said_addr().is_some());
        self.said_addr().unwrap()
    }

    fn said_addr(&self) -> Option<SocketAddr> {
        let stderr = self.stderr();
        let (addr, _) = stderr.split_once("listening on ")?.1.split_once('\n')?;
        addr.parse().ok()
    }

    /// Writes to its standard input.
    #[track_caller]
    pub(crate) fn input(&mut self, bytes: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("the input has not ended yet");
        if let Err(err) = stdin.write_all(bytes.as_ref()) {
            panic!("it no longer reads its input ({err}): {}", self.seen());
        }
    }

    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Waits until something holds for what the program has printed.
    ///
    /// # Panics
    /// It does not hold at the deadline, or when the program has exited.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, holds: impl Fn(&Program) -> bool) {
        let start = Instant::now();
        loop {
            // Checked before `holds` is called, so that the last output is not missed.
            let over = self.printed.lock().open == 0;
            if holds(self) {
                return;
            }
            assert!(!over, "it ended and did not {what}: {}", self.seen());
            assert!(
                start.elapsed() < DEADLINE,
                "it did not {what} within {DEADLINE:?}: {}",
                self.seen()
            );
            thread::sleep(PAUSE);
        }
    }

    /// Waits until standard output has `text` so many times.
    #[track_caller]
    pub(crate) fn wait_for_stdout(&self, text: &str, times: usize) {
        let what = format!("print {text:?} {times} times");
        self.wait(&what, |program| {
            program.stdout().matches(text).count() >= times
        });
    }

    /// Waits until standard error has `text`.
    #[track_caller]
    pub(crate) fn wait_for_stderr(&self, text: &str) {
        self.wait(&format!("say {text:?}"), |program| {
            program.stderr().contains(text)
        });
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub(crate) fn wait_end(&self) -> ExitStatus {
        self.wait_end_within(DEADLINE)
    }

    /// Waits until it ends by itself, with another deadline.
    #[track_caller]
    pub(crate) fn wait_end_within(&self, deadline: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            // The last output may still be in the pipes when the program has exited.
            if let (Some(status), 0) = (self.status(), self.printed.lock().open) {
                return status;
            }
            assert!(
                start.elapsed() < deadline,
                "it did not end within {deadline:?}: {}",
                self.seen()
            );
            thread::sleep(PAUSE);
        }
    }

    /// Ends its input, and waits until it ends by itself.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> Ended {
        self.end_input();
        let status = self.wait_end();
        let printed = self.printed.lock();
        Ended {
            status,
            stdout: printed.stdout.clone(),
            stderr: text(&printed.stderr),
        }
    }

    /// Sends a signal, such as `TERM` or `KILL`.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        if name == "KILL" {
            self.child.lock().kill().expect("it can be killed");
        } else {
            assert!(signal::send(self.id(), name), "{name}: {}", self.seen());
        }
    }

    /// Stops it as Ctrl-C does, and checks that it exits with status 0.
    #[track_caller]
    pub(crate) fn stop(&self) {
        self.signal("INT");
        if cfg!(windows) {
            // Wine wakes no read that waits when its connection is shut down, so that a server with
            // clients is only seen to begin its end.
            self.wait_for_stderr("stopping");
            return self.kill();
        }
        let status = self.wait_end();
        assert!(status.success(), "{}", self.seen());
    }

    /// Kills it, and returns when all of its output has been read.
    #[track_caller]
    pub(crate) fn kill(&self) {
        self.child.lock().kill().expect("it can be killed");
        self.wait_end();
    }

    /// Its exit status, if it has ended.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        let status = self.child.lock().try_wait();
        status.expect("it can be waited for")
    }

    /// What it has printed on standard output so far.
    pub(crate) fn stdout(&self) -> String {
        text(&self.printed.lock().stdout)
    }

    /// What it has printed on standard error so far.
    pub(crate) fn stderr(&self) -> String {
        text(&self.printed.lock().stderr)
    }

    /// Everything that is known about it, for a failing test.
    pub(crate) fn seen(&self) -> String {
        let open = self.printed.lock().open > 0;
        let state = match self.status() {
            None => "runs".to_owned(),
            Some(status) if open => format!("ended with {status}, and another holds its output"),
            Some(status) => format!("ended with {status}"),
        };
        format!(
            "{} {state}\n--- standard output:\n{}\n--- standard error:\n{}",
            self.command,
            self.stdout(),
            self.stderr()
        )
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let child = self.child.get_mut();
        // It may have exited already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Reads a pipe to its end in the background.
fn collect(
    pipe: Option<impl Read + Send + 'static>,
    printed: &Arc<Mutex<Printed>>,
    stream: fn(&mut Printed) -> &mut Vec<u8>,
) {
    let mut pipe = pipe.expect("it was asked for");
    let printed = Arc::clone(printed);
    thread::spawn(move || {
        let mut buf = [0; 4096];
        while let Ok(n @ 1..) = pipe.read(&mut buf) {
            stream(&mut printed.lock()).extend_from_slice(&buf[..n]);
        }
        printed.lock().open -= 1;
    });
}

/// Converts bytes to text: bytes that are not UTF-8 become `\xNN`.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.utf8_chunks().fold(String::new(), |text, chunk| {
        text + chunk.valid() + &chunk.invalid().escape_ascii().to_string()
    })
}
