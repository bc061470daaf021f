//! Registers this server's users with the engine: at the start, after this server was taken for dead, and after the
//! engine has lost records that this server's users have seen.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use log::info;
use redis::{Cmd, Connection, RedisResult};

use super::contact::tell;
use super::publisher::{LEASE, Publisher};
use super::room::{KEPT, Room, invoke};
use super::shared::client_text;

/// Users in one call: the engine does nothing else for some milliseconds.
const CHUNK: usize = 1000;

/// How long to wait for the answer of a claim that is under way, or for what the engine has lost.
const PAUSE: Duration = Duration::from_millis(20);

impl Publisher<'_> {
    /// Registers all users again, until the engine has accepted the list. Publishing goes on after the last batch
    /// that the engine has.
    pub fn join(&mut self) -> Option<()> {
        while !self.try_join()? {
            thread::sleep(PAUSE);
        }
        Some(())
    }

    fn try_join(&mut self) -> Option<bool> {
        let shared = self.shared;
        let room = &shared.room;
        // Whatever copies of this join are still on their way must not undo the next.
        self.join += 2;
        let (last, theirs) = self.link.persist(|con| listed(room, con))?;
        let base = self.outbox.base(last);
        let ours = self.outbox.users_at(base);
        let (claim, mut users) = shared.claims.list(|| {
            let texts = ours.iter().map(|(id, clnt)| (*id, client_text(clnt)));
            texts.collect::<BTreeMap<_, _>>()
        });
        for id in theirs {
            users.entry(id).or_default();
        }
        let mut unnamed = Vec::new();
        let all: Vec<_> = users.iter().collect();
        let mut chunks = all.chunks(CHUNK).peekable();
        loop {
            let chunk = chunks.next().unwrap_or_default();
            let end = chunks.peek().is_none();
            let mut call = room.call(&room.join);
            call.arg(LEASE.as_millis() as u64).arg(KEPT);
            call.arg(self.join).arg(claim).arg(last);
            call.arg(if end { base.to_string() } else { String::new() });
            for (id, user) in chunk {
                call.arg(id).arg(user);
            }
            let answer: Vec<String> = self.link.persist(|con| invoke(&room.join, &call, con))?;
            let mut answer = answer.into_iter();
            match answer.next().as_deref() {
                Some("ok") => {}
                Some("lost") => {
                    self.link.con = None;
                    return Some(false);
                }
                _ => return Some(false),
            }
            unnamed.extend(
                answer
                    .filter_map(|id| id.parse().ok())
                    .filter(|id| ours.contains_key(id)),
            );
            if end {
                break;
            }
        }
        if !users.is_empty() {
            info!("users registered with the engine again: {}", ours.len());
        }
        self.outbox.taken = base;
        self.joined = self.link.run.clone();
        for id in unnamed {
            let Some(name) = shared.claims.unname(&ours[&id], &users[&id]) else {
                continue;
            };
            let line = [
                b"[room]: the name ",
                &name[..],
                b" was taken elsewhere meanwhile",
            ]
            .concat();
            tell(self.link.said, &line);
        }
        Some(true)
    }
}

/// The last batch that the engine has of this server, and the users that it lists.
fn listed(room: &Room, con: &mut Connection) -> RedisResult<(u64, BTreeSet<u64>)> {
    let get: &mut Cmd = &mut redis::cmd("HGET");
    let last: Option<u64> = get.arg(room.state()).arg(&room.server).query(con)?;
    let mut ids = BTreeSet::new();
    let mut cursor = 0;
    loop {
        let mut scan = redis::cmd("HSCAN");
        scan.arg(room.users_of(&room.server)).arg(cursor);
        scan.arg("COUNT").arg(CHUNK);
        let (next, users): (u64, Vec<(String, Vec<u8>)>) = scan.query(con)?;
        ids.extend(users.iter().filter_map(|(id, _)| id.parse::<u64>().ok()));
        if next == 0 {
            return Ok((last.unwrap_or(0), ids));
        }
        cursor = next;
    }
}
