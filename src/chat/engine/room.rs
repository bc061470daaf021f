//! The room in the engine: its keys, its scripts, and this server's place in it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::process;

use redis::{Cmd, Connection, ErrorKind, FromRedisValue, RedisResult, Script, ServerErrorKind};

/// The format of keys, records and scripts. Servers of another version share no room with this one.
const VERSION: u32 = 1;

/// Records that the engine keeps. A server that is away for longer misses some.
pub const KEPT: usize = 10_000;

/// The keys and the scripts of one room.
pub struct Room {
    /// In the order of `room.lua`; the last is in front of a server's name.
    keys: [String; 6],
    /// The name of this server, another one at each start.
    pub server: String,
    pub hello: Script,
    pub restore: Script,
    pub batch: Script,
    pub beat: Script,
    pub join: Script,
    pub claim: Script,
}

impl Room {
    pub fn new(name: &str) -> Room {
        let script = |code| Script::new(&[include_str!("room.lua"), code].concat());
        // Names must be unique: this one is as random as the hasher of the standard library.
        let random = RandomState::new().build_hasher().finish();
        Room {
            keys: ["log", "names", "alive", "gone", "state", "users:"]
                .map(|key| format!("threadline:{VERSION}:{{{name}}}:{key}")),
            server: format!("{random:016x}-{:x}", process::id()),
            hello: script(include_str!("hello.lua")),
            restore: script(include_str!("restore.lua")),
            batch: script(include_str!("batch.lua")),
            beat: script(include_str!("beat.lua")),
            join: script(include_str!("join.lua")),
            claim: script(include_str!("claim.lua")),
        }
    }

    /// The stream of records.
    pub fn log(&self) -> &str {
        &self.keys[0]
    }

    /// The hash of the names that are taken, by their keys.
    pub fn names(&self) -> &str {
        &self.keys[1]
    }

    /// The set of servers that are alive.
    pub fn alive(&self) -> &str {
        &self.keys[2]
    }

    /// The hash with the number of each server's last batch, and other counts.
    pub fn state(&self) -> &str {
        &self.keys[4]
    }

    /// The hash of the users of one server.
    pub fn users_of(&self, server: &str) -> String {
        format!("{}{server}", self.keys[5])
    }

    /// The start of a call of a script; its arguments follow.
    pub fn call(&self, script: &Script) -> Cmd {
        let mut call = redis::cmd("EVALSHA");
        call.arg(script.get_hash()).arg(self.keys.len());
        call.arg(&self.keys).arg(&self.server);
        call
    }
}

/// Calls a script. An engine that was restarted does not have it any more, and gets it first.
pub fn invoke<T: FromRedisValue>(
    script: &Script,
    call: &Cmd,
    con: &mut Connection,
) -> RedisResult<T> {
    match call.query(con) {
        Err(err) if err.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            script.load(con)?;
            call.query(con)
        }
        answer => answer,
    }
}
