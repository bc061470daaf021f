//! One script for each stage of the chat, in which every byte that every user receives is written
//! down. Go's program and ours must both keep to it; ours is held to it without Go as well.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::golang;
use crate::process::{DEADLINE, Program, Side, text};

/// After how long an idle user is kicked, in the last stage. Until it comes to that in the script,
/// nobody may be silent for so long, however busy the machine is.
const TIMEOUT: Duration = Duration::from_secs(3);

/// What our program is given as the timeout in the stages that have none.
const NO_TIMEOUT: Duration = Duration::from_secs(1);

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn gos_login() {
    login(Side::Go);
}

#[test]
fn our_login() {
    login(Side::Ours);
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn gos_broadcast() {
    broadcast(Side::Go);
}

#[test]
fn our_broadcast() {
    broadcast(Side::Ours);
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn gos_who() {
    who(Side::Go);
}

#[test]
fn our_who() {
    who(Side::Ours);
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn gos_rename() {
    rename(Side::Go);
}

#[test]
fn our_rename() {
    rename(Side::Ours);
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn gos_timeout() {
    timeout(Side::Go);
}

#[test]
fn our_timeout() {
    timeout(Side::Ours);
}

/// A room with three users, which every script begins with.
struct Room {
    side: Side,
    stage: &'static str,
    server: Program,
    addr: String,
    users: Vec<User>,
    /// What all users heard last.
    last: Vec<u8>,
}

/// One user: a connection, and what the room should call it.
struct User {
    addr: String,
    name: String,
    conn: TcpStream,
}

impl User {
    /// The line that says `msg` in this user's name.
    fn line(&self, msg: &[u8]) -> Vec<u8> {
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
    fn open(side: Side, stage: &'static str) -> Room {
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
        let (server, addr) = Program::serve(&mut command);
        Room {
            side,
            stage,
            server,
            addr,
            users: Vec::new(),
            last: Vec::new(),
        }
    }

    /// A user comes, and everyone, the user included, is told so.
    fn enter(&mut self) {
        let conn = TcpStream::connect(&self.addr).expect("cannot connect");
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
    fn send(&mut self, user: usize, bytes: &[u8]) {
        let sent = self.users[user].conn.write_all(bytes);
        sent.unwrap_or_else(|err| self.fail(user, &format!("cannot send {}: {err}", text(bytes))));
    }

    /// A user says something, and everyone hears it.
    fn say(&mut self, user: usize, msg: &[u8]) {
        self.send(user, msg);
        let line = self.users[user].line(msg);
        self.all_receive(&line);
    }

    /// A user asks who is there, and is told of these, in any order: Go's map has none.
    fn ask_who(&mut self, user: usize, users: &[String]) {
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
    fn list(&self, users: &[usize]) -> Vec<String> {
        let users = users.iter().map(|user| &self.users[*user]);
        users
            .map(|user| format!("{}:{}\n", user.addr, user.name))
            .collect()
    }

    /// A user takes a new name.
    fn rename(&mut self, user: usize, name: &str) {
        self.send(user, format!("rename|{name}").as_bytes());
        self.receive(user, b"rename successful!!");
        self.users[user].name = name.to_owned();
    }

    fn all_receive(&mut self, expected: &[u8]) {
        self.last = expected.to_vec();
        for user in 0..self.users.len() {
            self.receive(user, expected);
        }
    }

    /// A user receives exactly these bytes next.
    fn receive(&mut self, user: usize, expected: &[u8]) {
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
    fn hear_nothing(&mut self, user: usize, wait: Duration) {
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
    fn end(&mut self, user: usize) {
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
    fn close(mut self, left: &[&str]) {
        let left: Vec<_> = left
            .iter()
            .map(|name| format!("检测到客户端:{name}退出!!!\n"))
            .collect();
        for line in &left {
            self.server.wait_printed(line, 1);
        }
        match self.side {
            Side::Go => self.server.kill(),
            Side::Ours => {
                let status = terminate(&mut self.server);
                assert!(status.success(), "{}", self.server.seen());
            }
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

/// Asks a program of ours to end, and waits for that: nothing that it still had to print is lost.
fn terminate(program: &mut Program) -> ExitStatus {
    let kill = Command::new("kill").arg(program.id().to_string()).status();
    assert!(
        kill.is_ok_and(|status| status.success()),
        "cannot signal {}",
        program.seen()
    );
    program.wait_end()
}

/// Nothing but logins is ever heard.
fn login(side: Side) {
    let mut room = Room::open(side, "login");
    (0..3).for_each(|_| room.enter());
    room.send(0, b"hello");
    room.send(1, b"who");
    room.enter();
    room.users.remove(2);
    room.enter();
    room.hear_nothing(0, 2 * NO_TIMEOUT);
    room.enter();
    room.close(&[]);
}

/// What all stages from the second on have in common: talk of every kind.
fn talk(room: &mut Room) {
    (0..3).for_each(|_| room.enter());
    room.say(0, b"hello");
    room.say(1, "不是 ASCII, Größe\tand a tab".as_bytes());
    room.say(2, b"\xff\xfe caf\xe9 \xe4\xb8");
    room.say(2, b"login!!!");
    room.say(1, b" who");
    room.say(1, b"Who");
    room.say(0, b"rename Bob");
    room.say(0, b"a|b||");
    // As long as one read, and longer: the rest is a message of its own.
    let long = [b'x'; 4096];
    room.say(1, &long);
    let longer = [b'y'; 5000];
    room.send(1, &longer);
    let lines = [
        room.users[1].line(&longer[..4096]),
        room.users[1].line(&longer[4096..]),
    ];
    room.all_receive(&lines.concat());
}

/// A user leaves without a word to the others; nobody is kicked.
fn leave_unnoticed(room: &mut Room) -> String {
    let left = room.users.remove(2);
    drop(left.conn);
    room.server.wait_printed("退出!!!\n", 1);
    room.say(0, b"one of us has left");
    room.hear_nothing(1, 2 * NO_TIMEOUT);
    room.say(1, b"nobody is kicked");
    left.name
}

fn broadcast(side: Side) {
    let mut room = Room::open(side, "broadcast");
    talk(&mut room);
    room.say(2, b"who");
    room.say(0, b"rename|Bob");
    room.say(0, b"not Bob");
    let left = leave_unnoticed(&mut room);
    room.close(&[&left]);
}

fn who(side: Side) {
    let mut room = Room::open(side, "who");
    talk(&mut room);
    let all = room.list(&[0, 1, 2]);
    room.ask_who(1, &all);
    room.say(1, b"whoever");
    room.say(0, b"rename|Bob");
    room.ask_who(0, &all);
    let left = leave_unnoticed(&mut room);
    // The map has the one who left for ever: nobody is taken out of it before the last stage.
    room.ask_who(0, &all);
    room.close(&[&left]);
}

fn rename(side: Side) {
    let mut room = Room::open(side, "rename");
    talk(&mut room);
    names(&mut room);
    let all = room.list(&[0, 1, 2]);
    let left = leave_unnoticed(&mut room);
    room.ask_who(0, &all);
    room.close(&[&left]);
}

/// Users take names, are listed with them and speak under them.
fn names(room: &mut Room) {
    let all = room.list(&[0, 1, 2]);
    room.ask_who(0, &all);
    room.rename(1, "Bob");
    room.say(1, b"I am Bob");
    room.rename(2, "鲍 勃");
    room.say(2, b"\xffand I");
    let all = room.list(&[0, 1, 2]);
    room.ask_who(0, &all);
    room.rename(1, "Robert");
    room.say(0, b"and I have no name");
    room.say(1, b"Bob again");
}

fn timeout(side: Side) {
    let mut room = Room::open(side, "timeout");
    talk(&mut room);
    names(&mut room);

    // One leaves: the others are told, the one who leaves is not.
    room.users[2]
        .conn
        .shutdown(Shutdown::Write)
        .expect("cannot end a connection");
    room.end(2);
    let left = room.users.remove(2);
    let logout = left.line(b"logout");
    room.all_receive(&logout);
    let rest = room.list(&[0, 1]);
    room.ask_who(0, &rest);

    // One is silent and is kicked, the other is not: whatever it sends makes the clock start anew.
    room.say(0, b"my last words");
    room.say(1, b"and mine for now");
    room.hear_nothing(0, TIMEOUT / 2);
    room.ask_who(1, &rest);
    let kicked = room.users[0].line(b"time out leaved");
    room.receive(1, &kicked);
    room.end(0);
    let alone = room.list(&[1]);
    room.ask_who(1, &alone);
    // In the end so is the other, but not before its time, and nobody is there to be told.
    let asked = Instant::now();
    room.end(1);
    assert!(
        asked.elapsed() >= TIMEOUT,
        "kicked after {:?}",
        asked.elapsed()
    );
    room.close(&[&left.name]);
}
