//! An engine of the test's own: Valkey or Redis on a free port of the loopback, with its data in a folder.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use redis::{Connection, FromRedisValue};
use tempfile::TempDir;

use crate::common::signal;
use crate::common::wait::DEADLINE;

/// How long to sleep between two looks.
const PAUSE: Duration = Duration::from_millis(10);

pub(crate) struct Engine {
    pub(crate) port: u16,
    options: Vec<String>,
    folder: TempDir,
    child: Child,
}

impl Engine {
    /// An engine that writes down what it does each second.
    pub(crate) fn start() -> Engine {
        Engine::with(&["--appendonly", "yes"])
    }

    /// An engine with these options.
    #[track_caller]
    pub(crate) fn with(options: &[&str]) -> Engine {
        let folder = tempfile::tempdir().unwrap();
        let options: Vec<_> = options.iter().map(|&option| option.to_owned()).collect();
        // Somebody else may take the port in between.
        for _ in 0..10 {
            let port = free_port();
            let mut child = spawn(port, folder.path(), &options);
            if answers(port, &mut child) {
                return Engine {
                    port,
                    options,
                    folder,
                    child,
                };
            }
        }
        panic!("no engine could be started: {options:?}");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Asks it something, as the user `default`.
    #[track_caller]
    pub(crate) fn ask<T: FromRedisValue>(&self, command: &str) -> T {
        let answer = connect(self.port).and_then(|mut con| cmd(command).query(&mut con));
        answer.unwrap_or_else(|err| panic!("{command}: {err}"))
    }

    /// Asks one that has a password.
    #[track_caller]
    pub(crate) fn ask_as<T: FromRedisValue>(&self, password: &str, command: &str) -> T {
        let client = redis::Client::open(format!("redis://:{password}@127.0.0.1:{}", self.port));
        let answer = cmd(command).query(&mut client.unwrap().get_connection().unwrap());
        answer.unwrap_or_else(|err| panic!("{command}: {err}"))
    }

    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        assert!(signal::send(self.child.id(), name), "kill -{name}");
    }

    /// Kills it at once.
    #[track_caller]
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after [`Engine::kill`], with what it has written down.
    #[track_caller]
    pub(crate) fn restart(&mut self) {
        self.child = spawn(self.port, self.folder.path(), &self.options);
        assert!(answers(self.port, &mut self.child), "it starts again");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cmd(command: &str) -> redis::Cmd {
    let mut words = command.split_whitespace();
    let mut cmd = redis::cmd(words.next().unwrap());
    words.for_each(|word| {
        cmd.arg(word);
    });
    cmd
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts the engine that is installed.
fn spawn(port: u16, folder: &std::path::Path, options: &[String]) -> Child {
    let mut failed = Vec::new();
    for program in ["valkey-server", "redis-server"] {
        let child = Command::new(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--daemonize", "no"])
            .arg("--dir")
            .arg(folder)
            .args(options)
            .stdout(Stdio::null())
            .spawn();
        match child {
            Ok(child) => return child,
            Err(err) => failed.push(format!("{program}: {err}")),
        }
    }
    panic!("{}", failed.join("; "));
}

/// Waits until it answers; false if it ends instead.
fn answers(port: u16, child: &mut Child) -> bool {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        let pong: redis::RedisResult<String> =
            connect(port).and_then(|mut con| redis::cmd("PING").query(&mut con));
        match pong {
            Ok(_) => return true,
            // One with a password answers too.
            Err(err) if err.to_string().contains("NOAUTH") => return true,
            Err(_) => {}
        }
        assert!(start.elapsed() < DEADLINE, "the engine does not answer");
        thread::sleep(PAUSE);
    }
    false
}

fn connect(port: u16) -> redis::RedisResult<Connection> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}"))?;
    let con = client.get_connection_with_timeout(DEADLINE)?;
    con.set_read_timeout(Some(DEADLINE))?;
    Ok(con)
}
