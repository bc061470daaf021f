//! Runs a program, ours or Go's, and waits on what it prints, never longer than [`DEADLINE`].

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::golang;

/// How long a test waits for what must come.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Whose program it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Side {
    Go,
    Ours,
}

impl Side {
    /// The program of this name; the first argument is the address, where it has one.
    pub(crate) fn command(self, name: &str) -> Command {
        match self {
            Side::Go => Command::new(golang::original(name)),
            Side::Ours => Command::new(ours(name)),
        }
    }
}

fn ours(name: &str) -> &'static str {
    match name {
        "tcp_server" => env!("CARGO_BIN_EXE_tcp_server"),
        "tcp_client" => env!("CARGO_BIN_EXE_tcp_client"),
        "tcp_concurrent_server" => env!("CARGO_BIN_EXE_tcp_concurrent_server"),
        "tcp_concurrent_client" => env!("CARGO_BIN_EXE_tcp_concurrent_client"),
        "udp_server" => env!("CARGO_BIN_EXE_udp_server"),
        "udp_client" => env!("CARGO_BIN_EXE_udp_client"),
        "udp_concurrent_server" => env!("CARGO_BIN_EXE_udp_concurrent_server"),
        "udp_concurrent_client" => env!("CARGO_BIN_EXE_udp_concurrent_client"),
        "file_stat" => env!("CARGO_BIN_EXE_file_stat"),
        "file_client" => env!("CARGO_BIN_EXE_file_client"),
        "file_server" => env!("CARGO_BIN_EXE_file_server"),
        "chat_server" => env!("CARGO_BIN_EXE_chat_server"),
        _ => panic!("no program of ours is called {name}"),
    }
}

/// A program that runs, with all that it has printed so far. Dropping it kills it.
pub(crate) struct Program {
    path: String,
    child: Child,
    stdin: Option<ChildStdin>,
    printed: Arc<(Mutex<Printed>, Condvar)>,
}

/// What came through a program's two pipes, and how many of them have not ended.
#[derive(Default)]
struct Printed {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    open: usize,
}

/// How much has come: it changes with every byte and with the end of a pipe.
#[derive(PartialEq)]
struct Size {
    stdout: usize,
    stderr: usize,
    open: usize,
}

impl Printed {
    fn size(&self) -> Size {
        Size {
            stdout: self.stdout.len(),
            stderr: self.stderr.len(),
            open: self.open,
        }
    }
}

impl Program {
    /// Starts the command with pipes for its three streams.
    pub(crate) fn start(command: &mut Command) -> Program {
        let mut child = command
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|err| panic!("cannot start {command:?}: {err}"));
        let printed = Arc::new((
            Mutex::new(Printed {
                open: 2,
                ..Printed::default()
            }),
            Condvar::new(),
        ));
        collect(child.stdout.take(), &printed, |printed| &mut printed.stdout);
        collect(child.stderr.take(), &printed, |printed| &mut printed.stderr);
        let path = command.get_program().to_string_lossy().into_owned();
        Program {
            path,
            stdin: child.stdin.take(),
            child,
            printed,
        }
    }

    /// Starts a server on a free port of the loopback and returns it with its address.
    pub(crate) fn serve(command: &mut Command) -> (Program, String) {
        let mut program = Program::start(command.arg("127.0.0.1:0"));
        program.wait("say where it listens", |program| {
            program.address().is_some()
        });
        let address = program.address().expect("it has just said so");
        (program, address)
    }

    fn address(&self) -> Option<String> {
        let stderr = self.stderr();
        let (line, _) = stderr.split_once("listening on ")?.1.split_once('\n')?;
        Some(line.split_whitespace().next()?.to_owned())
    }

    /// Feeds the program's standard input.
    pub(crate) fn input(&mut self, bytes: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("the input has not ended yet");
        if let Err(err) = stdin.write_all(bytes.as_ref()) {
            panic!("it no longer reads its input ({err}): {}", self.seen());
        }
    }

    /// Ends the program's standard input.
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Waits until something holds for what the program has printed.
    ///
    /// # Panics
    /// It does not hold at the deadline, or when the program has ended.
    pub(crate) fn wait(&mut self, what: &str, holds: impl Fn(&Program) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            // Looked at first, so that what comes while `holds` looks is not waited for in vain.
            let size = self.printed.0.lock().size();
            if holds(self) {
                return;
            }
            assert!(
                size.open > 0,
                "it ended and did not {what}: {}",
                self.seen()
            );
            assert!(
                Instant::now() < deadline,
                "it did not {what}: {}",
                self.seen()
            );
            self.wait_for_more(size, deadline);
        }
    }

    /// Waits until the program has printed `text` on standard output, `times` times.
    pub(crate) fn wait_printed(&mut self, text: &str, times: usize) {
        let what = format!("print {text:?} {times} times");
        self.wait(&what, |program| {
            program.stdout().matches(text).count() >= times
        });
    }

    /// Waits until the program ends by itself.
    pub(crate) fn wait_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let size = self.printed.0.lock().size();
            if size.open == 0 {
                break;
            }
            assert!(Instant::now() < deadline, "it did not end: {}", self.seen());
            self.wait_for_more(size, deadline);
        }
        self.child.wait().expect("cannot wait for it")
    }

    /// Kills the program, and returns when all that it had printed is here.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("cannot kill it");
        self.wait_end();
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What was printed on standard output.
    pub(crate) fn stdout(&self) -> String {
        text(&self.printed.0.lock().stdout)
    }

    /// What was printed on standard error.
    pub(crate) fn stderr(&self) -> String {
        text(&self.printed.0.lock().stderr)
    }

    /// All that is known of the program, for a test that fails.
    pub(crate) fn seen(&mut self) -> String {
        let state = match self.child.try_wait() {
            Ok(Some(status)) => format!("ended with {status}"),
            _ => "runs".to_owned(),
        };
        format!(
            "{} {state}\n--- standard output:\n{}\n--- standard error:\n{}",
            self.path,
            self.stdout(),
            self.stderr()
        )
    }

    /// Sleeps until more has come than `size`, or the deadline.
    fn wait_for_more(&self, size: Size, deadline: Instant) {
        let (printed, changed) = &*self.printed;
        changed.wait_while_until(
            &mut printed.lock(),
            |printed| printed.size() == size,
            deadline,
        );
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended long ago.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn collect(
    pipe: Option<impl Read + Send + 'static>,
    printed: &Arc<(Mutex<Printed>, Condvar)>,
    stream: fn(&mut Printed) -> &mut Vec<u8>,
) {
    let mut pipe = pipe.expect("it was asked for");
    let printed = Arc::clone(printed);
    thread::spawn(move || {
        let mut buf = [0; 4096];
        let (printed, changed) = &*printed;
        while let Ok(n @ 1..) = pipe.read(&mut buf) {
            stream(&mut printed.lock()).extend_from_slice(&buf[..n]);
            changed.notify_all();
        }
        printed.lock().open -= 1;
        changed.notify_all();
    });
}

/// Bytes as text to read and to compare: what is not UTF-8 becomes `\xNN`.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.utf8_chunks().fold(String::new(), |text, chunk| {
        format!("{text}{}{}", chunk.valid(), chunk.invalid().escape_ascii())
    })
}

/// Text with the ports of the loopback made symbolic.
pub(crate) fn without_ports(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        format!(
            "{text}127.0.0.1:PORT{}",
            part.trim_start_matches(|c: char| c.is_ascii_digit())
        )
    })
}

#[test]
fn text_shows_every_byte_and_no_port() {
    assert_eq!(text(b"\xe4\xb8\x8d \xe4\xb8\xff"), "不 \\xe4\\xb8\\xff");
    let line = "[127.0.0.1:40]127.0.0.1:4000: 127.0.0.1";
    assert_eq!(
        without_ports(line),
        "[127.0.0.1:PORT]127.0.0.1:PORT: 127.0.0.1"
    );
}
