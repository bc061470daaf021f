//! The chat room as a script sees it: a program, ours or Go's, and users who tell what they receive.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::common::program::{Program, text};
use crate::common::wait::DEADLINE;
use crate::golang;
use crate::side::Side;

/// After how long an idle user is kicked, in the last stage. Until it comes to that in the script,
/// nobody may be silent for so long, however busy the machine is.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);

/// What our program is given as the timeout in the stages that have none.
pub(crate) const NO_TIMEOUT: Duration = Duration::from_secs(1);

/// A room that runs, and its users in the order of their coming.
pub(crate) struct Room {
    side: Side,
    stage: &'static str,
    pub(crate) server: Program,
    pub(crate) users: Vec<User>,
    /// What all users heard last.
    last: Vec<u8>,
}

/// One user: a connection, and what the room should call it.
pub(crate) struct User {
    addr: String,
    pub(crate) name: String,
    pub(crate) conn: TcpStream,
}

impl User {
    /// The line that says `msg` in this user's name.
    pub(crate) fn line(&self, msg: &[u8]) -> Vec<u8> {
        [
            format!("[{}]{}: ", self.addr, self.name).as_bytes(),
            msg,
            b"\r\n",
        ]
        .concat()
    }
}

impl Room {
    /// Opens a room; nobody is in it.
    pub(crate) fn open(side: Side, stage: &'static str) -> Room {
        let mut command = match side {
            Side::Go => Command::new(golang::chat(stage, TIMEOUT)),
            Side::Ours => side.command("chat_server"),
        };
        if side == Side::Ours {
            let timeout = if stage == "timeout" {
                TIMEOUT
            } else {
                NO_TIMEOUT
            };
            let timeout = format!("{}ms", timeout.as_millis());
            command.args(["--stage", stage, "--timeout", &timeout]);
        }
        let server = Program::serve(&mut command);
        Room {
            side,
            stage,
            server,
            users: Vec::new(),
            last: Vec::new(),
        }
    }

    /// A user comes, and everyone, the user included, is told so.
    pub(crate) fn enter(&mut self) {
        let conn = TcpStream::connect(self.server.addr()).expect("cannot connect");
        conn.set_nodelay(true).expect("cannot send at once");
        let addr = conn
            .local_addr()
            .expect("a connection has an address")
            .to_string();
        self.users.push(User {
            name: addr.clone(),
            addr,
            conn,
        });
        let newest = self.users.last().expect("there is one now");
        let line = match self.stage {
            "login" => format!("[{0}]{0} login!!!\r\n", newest.addr).into_bytes(),
            _ => newest.line(b"login!!!"),
        };
        let newest = self.users.len() - 1;
        (0..newest).for_each(|user| self.receive(user, &line));
        let mut heard = self.read_line(newest);
        // Go's Manager may still be on its way through the map when a user is put there, and then
        // hands it what was said before it came.
        if self.side == Side::Go && heard == self.last {
            heard = self.read_line(newest);
        }
        self.compare(newest, &heard, &line);
        self.last = line;
    }

    /// A user sends these bytes, which are one message.
    pub(crate) fn send(&mut self, user: usize, bytes: &[u8]) {
        let sent = self.users[user].conn.write_all(bytes);
        sent.unwrap_or_else(|err| self.fail(user, &format!("cannot send {}: {err}", text(bytes))));
    }

    /// A user says something, and everyone hears it.
    pub(crate) fn say(&mut self, user: usize, msg: &[u8]) {
        self.send(user, msg);
        let line = self.users[user].line(msg);
        self.all_receive(&line);
    }

    /// A user asks who is there, and is told of these, in any order: Go's map has none.
    pub(crate) fn ask_who(&mut self, user: usize, users: &[String]) {
        self.send(user, b"who");
        let heading = "online user list: \n";
        let length = heading.len() + users.iter().map(String::len).sum::<usize>();
        let list = text(&self.read(user, length));
        let mut lines: Vec<_> = list.split_inclusive('\n').collect();
        let first = lines.remove(0);
        lines.sort_unstable();
        let mut expected = users.to_vec();
        expected.sort_unstable();
        if first != heading || lines != expected {
            self.fail(
                user,
                &format!("expected a list of {expected:?} but got {list:?}"),
            );
        }
    }

    /// The lines that `who` has for these users.
    pub(crate) fn list(&self, users: &[usize]) -> Vec<String> {
        let users = users.iter().map(|user| &self.users[*user]);
        users
            .map(|user| format!("{}:{}\n", user.addr, user.name))
            .collect()
    }

    /// A user takes a new name.
    pub(crate) fn rename(&mut self, user: usize, name: &str) {
        self.send(user, format!("rename|{name}").as_bytes());
        self.receive(user, b"rename successful!!");
        self.users[user].name = name.to_owned();
    }

    pub(crate) fn all_receive(&mut self, expected: &[u8]) {
        self.last = expected.to_vec();
        for user in 0..self.users.len() {
            self.receive(user, expected);
        }
    }

    /// A user receives exactly these bytes next.
    pub(crate) fn receive(&mut self, user: usize, expected: &[u8]) {
        let received = self.read(user, expected.len());
        self.compare(user, &received, expected);
    }

    fn compare(&mut self, user: usize, received: &[u8], expected: &[u8]) {
        if received != expected {
            self.fail(
                user,
                &format!("expected {:?} but got {:?}", text(expected), text(received)),
            );
        }
    }

    /// A user receives nothing for so long.
    pub(crate) fn hear_nothing(&mut self, user: usize, wait: Duration) {
        let conn = &mut self.users[user].conn;
        conn.set_read_timeout(Some(wait))
            .expect("cannot set a deadline");
        match conn.read(&mut [0]) {
            Err(err) if err.kind() == ErrorKind::WouldBlock => {}
            other => self.fail(
                user,
                &format!("expected nothing for {wait:?} but got {other:?}"),
            ),
        }
    }

    /// A user's connection ends, and nothing comes before that.
    pub(crate) fn end(&mut self, user: usize) {
        let received = self.read(user, 1);
        if !received.is_empty() {
            self.fail(
                user,
                &format!("expected the end but got {:?} ...", text(&received)),
            );
        }
    }

    /// The next bytes up to a line end, or to the end of the connection.
    fn read_line(&mut self, user: usize) -> Vec<u8> {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            let byte = self.read(user, 1);
            if byte.is_empty() {
                break;
            }
            line.extend(byte);
        }
        line
    }

    /// The next `length` bytes, or fewer if the connection ends or the deadline comes.
    fn read(&mut self, user: usize, length: usize) -> Vec<u8> {
        let conn = &mut self.users[user].conn;
        conn.set_read_timeout(Some(DEADLINE))
            .expect("cannot set a deadline");
        let mut received = vec![0; length];
        let mut so_far = 0;
        while so_far < length {
            match conn.read(&mut received[so_far..]) {
                Ok(0) => break,
                Ok(n) => so_far += n,
                Err(err) => {
                    let message = format!("after {:?}: {err}", text(&received[..so_far]));
                    self.fail(user, &message)
                }
            }
        }
        received.truncate(so_far);
        received
    }

    fn fail(&mut self, user: usize, message: &str) -> ! {
        panic!(
            "{:?}'s {}, user {user} ({}): {message}\n{}",
            self.side,
            self.stage,
            self.users[user].addr,
            self.server.seen()
        )
    }

    /// Ends the room and checks all that it printed on standard output: its opening and who left.
    pub(crate) fn close(self, left: &[&str]) {
        let left: Vec<_> = left
            .iter()
            .map(|name| format!("检测到客户端:{name}退出!!!\n"))
            .collect();
        for line in &left {
            self.server.wait_for_stdout(line, 1);
        }
        if self.side.ends_at_sigterm() {
            self.server.signal("TERM");
            // Nothing that it still had to print is lost.
            let status = self.server.wait_end();
            assert!(status.success(), "{}", self.server.seen());
        } else {
            self.server.kill();
        }
        let expected = format!("聊天室启动...\n{}", left.concat());
        assert_eq!(
            self.server.stdout(),
            expected,
            "{:?}'s {}",
            self.side,
            self.stage
        );
    }
}
