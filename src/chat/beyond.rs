//! The sixth stage, for which the course has no listing: private messages, `help`, and `exit`.

use std::time::Duration;

use crossbeam_channel::Sender;

use crate::chat::activity::Activity;
use crate::chat::message::{Message, Recipient};
use crate::chat::name::trim;
use crate::chat::online_map::Client;
use crate::chat::presence::Presence;
use crate::server::conn::Conn;

const HELP: &[u8] = b"who - list the users\r\n\
    rename|NAME - change your name\r\n\
    to|NAME|TEXT - send a private message\r\n\
    help - list the commands\r\n\
    exit - leave the room (quit does the same)\r\n\
    anything else is sent to everyone\r\n";

/// What the commands of this stage need, for one user.
pub struct Beyond<'a> {
    pub id: u64,
    pub conn: &'a Conn,
    pub activity: &'a Activity<'a>,
    pub presence: &'a Presence,
    pub message: &'a Sender<Message>,
}

impl Beyond<'_> {
    /// Runs a command of this stage. Returns false if it is not one.
    pub fn run(&self, clnt: &Client, command: &[u8]) -> bool {
        match command {
            b"help" => {
                self.conn.write(HELP).ok();
            }
            b"exit" | b"quit" => self.activity.stop_reading(),
            _ => match command.strip_prefix(b"to|") {
                Some(rest) => self.tell(clnt, rest),
                None => return false,
            },
        }
        true
    }

    /// `NAME|TEXT` goes to the user of that name, and back to the speaker.
    fn tell(&self, clnt: &Client, rest: &[u8]) {
        let (name, text) = match rest.iter().position(|&byte| byte == b'|') {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, &b""[..]),
        };
        let refusal = match self.presence.find(trim(name)) {
            Err(refusal) => refusal,
            Ok(_) if text.trim_ascii().is_empty() => "to failed: the text is empty\r\n",
            Ok((to, user)) => {
                let own = Recipient::Here(self.id);
                // One after the other: a user may write to themselves, and the name has a lock.
                let mut line = [b"[", clnt.addr.as_bytes(), b"]", &clnt.name()].concat();
                line.extend([b" -> ", &user.name()[..], b": ", text].concat());
                if to != own {
                    self.message.send(Message::To(to, line.clone())).ok();
                }
                self.message.send(Message::To(own, line)).ok();
                return;
            }
        };
        self.conn.write(refusal.as_bytes()).ok();
    }
}

/// The line for a client that is disconnected because it sent nothing.
pub fn farewell(id: u64, timeout: Duration) -> Message {
    let line = format!("disconnected: you sent nothing for {timeout:?}");
    Message::To(Recipient::Here(id), line.into_bytes())
}
