//! Questions that cannot wait for their turn in the stream: who is in the room, and whose a name is.

use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use log::debug;
use redis::{Connection, RedisResult};

use super::connection::{PATIENCE, reason};
use super::room::{Room, invoke};
use super::shared::{Outcome, Shared};
use crate::chat::message::Recipient;
use crate::chat::name::key;
use crate::chat::online_map::Client;
use crate::text::clean;

/// Questions that may wait.
pub const WAITING: usize = 128;

/// Above so many users, the answer to `who` may be a second old.
const MANY: usize = 1000;
const FRESH: Duration = Duration::from_secs(1);

/// How long to wait before a user who has just come is looked for again.
const PAUSE: Duration = Duration::from_millis(10);

/// What a user's reader asks, with the way for the answer. There is none while this server is cut off.
pub enum Question {
    Everyone(Sender<Vec<Client>>),
    Find(Vec<u8>, Sender<Option<User>>),
    Claim(u64, Vec<u8>, Sender<Answer>),
}

/// A user of the room, and what the engine calls it: `server/id`.
pub type User = (String, Client);

/// What becomes of a claim.
#[derive(Clone, Copy, PartialEq)]
pub enum Answer {
    Granted,
    Taken,
    /// The engine does not know the user.
    Absent,
}

/// Everyone on every server, if it answers.
pub fn everyone(asker: &Sender<Question>) -> Option<Vec<Client>> {
    let (answer, answered) = bounded(1);
    asker.send(Question::Everyone(answer)).ok()?;
    answered.recv().ok()
}

/// The user that has a name, or one that looks the same.
pub fn find(asker: &Sender<Question>, name: &[u8]) -> Result<(Recipient, Client), &'static str> {
    let (answer, answered) = bounded(1);
    asker.send(Question::Find(name.to_vec(), answer)).ok();
    match answered.recv() {
        Ok(Some((to, clnt))) => Ok((Recipient::There(to), clnt)),
        Ok(None) => Err("to failed: there is no user of that name\r\n"),
        Err(_) => Err("to failed: the other servers cannot be reached\r\n"),
    }
}

/// Takes a name for a user, on all servers.
pub fn claim(asker: &Sender<Question>, id: u64, name: &[u8]) -> Result<(), &'static str> {
    let start = Instant::now();
    loop {
        let (answer, answered) = bounded(1);
        asker.send(Question::Claim(id, name.to_vec(), answer)).ok();
        match answered.recv() {
            Ok(Answer::Granted) => return Ok(()),
            Ok(Answer::Taken) => return Err("rename failed: the name is taken\r\n"),
            // The login is on its way.
            Ok(Answer::Absent) if start.elapsed() < PATIENCE => thread::sleep(PAUSE),
            Ok(Answer::Absent) => return Err("rename failed: you are not in the room yet\r\n"),
            Err(_) => return Err("rename failed: the other servers cannot be reached\r\n"),
        }
    }
}

/// Answers the questions, one after the other, until nobody is left who could ask.
pub fn asker(shared: &Shared, questions: &Receiver<Question>) {
    let mut asker = Asker {
        shared,
        con: None,
        list: None,
    };
    for question in questions {
        match question {
            Question::Everyone(answer) => {
                if let Some(users) = asker.everyone() {
                    let clients = users.into_iter().map(|(_, clnt)| clnt).collect();
                    answer.send(clients).ok();
                }
            }
            Question::Find(name, answer) => {
                if let Some(found) = asker.find(&name) {
                    answer.send(found).ok();
                }
            }
            Question::Claim(id, name, answer) => {
                if let Some(claimed) = asker.claim(id, &name) {
                    answer.send(claimed).ok();
                }
            }
        }
    }
}

struct Asker<'a> {
    shared: &'a Shared,
    /// A connection, and the process that answers on it.
    con: Option<(Connection, String)>,
    /// The last long list, and when it was made.
    list: Option<(Instant, Vec<User>)>,
}

impl Asker<'_> {
    /// Calls once, and once more if the connection was an old one. While this server is cut off nobody waits.
    fn ask<T>(&mut self, call: impl Fn(&mut Connection) -> RedisResult<T>) -> Option<T> {
        let Shared { room, addrs, .. } = self.shared;
        // After a planned change of primary the old one would still answer.
        self.con.take_if(|(_, run)| addrs.is_left(run));
        loop {
            if self.shared.contact.is_cut_off() {
                return None;
            }
            let is_old = self.con.is_some();
            let asked = match &mut self.con {
                Some((con, _)) => call(con),
                None => addrs
                    .connect(room)
                    .and_then(|con| call(&mut self.con.insert(con).0)),
            };
            match asked {
                Ok(answer) => return Some(answer),
                Err(err) => {
                    debug!("the engine does not answer a question: {}", reason(&err));
                }
            }
            self.con = None;
            if !is_old {
                return None;
            }
        }
    }

    fn everyone(&mut self) -> Option<Vec<User>> {
        if let Some((made, users)) = &self.list
            && made.elapsed() < FRESH
        {
            return Some(users.clone());
        }
        let shared = self.shared;
        let users = self.ask(|con| users(&shared.room, con))?;
        self.list = (users.len() > MANY).then(|| (Instant::now(), users.clone()));
        Some(users)
    }

    fn find(&mut self, name: &[u8]) -> Option<Option<User>> {
        let room = &self.shared.room;
        let named = self.ask(|con| named(room, name, con))?;
        if named.is_some() {
            return Some(named);
        }
        // Those who go by their address are in no index.
        let mut users = self.everyone()?.into_iter();
        Some(users.find(|(_, clnt)| *clnt.name() == name))
    }

    fn claim(&mut self, id: u64, name: &[u8]) -> Option<Answer> {
        let shared = self.shared;
        let (room, claim) = (&shared.room, shared.claims.next());
        let mut call = room.call(&room.claim);
        call.arg(claim).arg(id).arg(key(name)).arg(name);
        let answer: Option<String> = self.ask(|con| invoke(&room.claim, &call, con));
        let (outcome, answer) = match answer.as_deref() {
            Some("ok") => (Outcome::Granted, Some(Answer::Granted)),
            Some("taken") => (Outcome::Refused, Some(Answer::Taken)),
            Some("absent") => (Outcome::Refused, Some(Answer::Absent)),
            // Somebody else has written to the engine, or it does not answer and may have granted it.
            _ => (Outcome::Unknown, None),
        };
        shared.claims.settle(claim, &outcome, || {
            if let Some(clnt) = shared.online_map.get(id) {
                *clnt.name() = name.to_vec();
            }
        });
        answer
    }
}

/// Every user of every server that is alive, in the order of arrival.
fn users(room: &Room, con: &mut Connection) -> RedisResult<Vec<User>> {
    let mut servers = redis::cmd("ZRANGE");
    servers.arg(room.alive()).arg(0).arg(-1);
    let servers: Vec<String> = servers.query(con)?;
    let mut calls = redis::pipe();
    for server in &servers {
        calls.cmd("HGETALL").arg(room.users_of(server));
    }
    let lists: Vec<Vec<(String, Vec<u8>)>> = calls.query(con)?;
    let mut users = Vec::new();
    for (server, list) in servers.iter().zip(lists) {
        users.extend(list.into_iter().filter_map(|(id, text)| {
            let (order, clnt) = client(&text)?;
            Some((order, (format!("{server}/{id}"), clnt)))
        }));
    }
    users.sort_by_key(|(order, _)| *order);
    Ok(users.into_iter().map(|(_, user)| user).collect())
}

/// The user that has taken a name.
fn named(room: &Room, name: &[u8], con: &mut Connection) -> RedisResult<Option<User>> {
    let mut owner = redis::cmd("HGET");
    owner.arg(room.names()).arg(key(name));
    let owner: Option<String> = owner.query(con)?;
    let Some((server, id)) = owner.as_deref().and_then(|owner| owner.rsplit_once('/')) else {
        return Ok(None);
    };
    let mut user = redis::cmd("HGET");
    user.arg(room.users_of(server)).arg(id);
    let user: Option<Vec<u8>> = user.query(con)?;
    let clnt = user.as_deref().and_then(client);
    Ok(clnt.map(|(_, clnt)| (format!("{server}/{id}"), clnt)))
}

/// Reads `order|addr|key|name`.
fn client(text: &[u8]) -> Option<(u64, Client)> {
    let mut parts = text.splitn(4, |&byte| byte == b'|');
    let order = str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    let addr = String::from_utf8_lossy(&clean(parts.next()?)).into_owned();
    let name = clean(parts.nth(1)?).into_owned();
    let clnt = Client::new(addr);
    *clnt.name() = name;
    Some((order, clnt))
}
