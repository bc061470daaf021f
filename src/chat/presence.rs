//! Who is in the room, on this server and on every other that shares it.

use std::io;
use std::sync::Arc;
use std::thread::Scope;

use crossbeam_channel::{Receiver, bounded};

use crate::chat::message::{Message, Recipient, WAITING};
use crate::chat::online_map::{Client, OnlineMap};
use crate::chat::quiet::quiet;
use crate::go::go;
use crate::server::shutdown::Done;

#[cfg(feature = "engine")]
#[path = "engine/mod.rs"]
pub mod engine;
#[cfg(not(feature = "engine"))]
#[path = "alone.rs"]
pub mod engine;

use self::engine::Engine;

/// The users of the room: those in `online_map`, and with an engine those of the other servers too.
pub struct Presence {
    online_map: Arc<OnlineMap>,
    engine: Option<Engine>,
}

impl Presence {
    /// Connects to the engine, if the options name one. `online_map` has the users of this server.
    ///
    /// # Errors
    /// The engine that the options name does not answer.
    pub fn open(
        sharing: &engine::Sharing,
        online_map: &Arc<OnlineMap>,
        stopping: &Done,
    ) -> io::Result<Presence> {
        Ok(Presence {
            online_map: Arc::clone(online_map),
            engine: Engine::open(sharing, online_map, stopping)?,
        })
    }

    /// Every user of the room, in the order of arrival; of this server, while it is cut off.
    pub fn everyone(&self) -> Vec<Client> {
        let everyone = self.engine.as_ref().and_then(Engine::everyone);
        everyone.unwrap_or_else(|| self.online_map.users())
    }

    /// The user of the room that has a name, or one that looks the same.
    ///
    /// # Errors
    /// One line that says why there is none.
    pub fn find(&self, name: &[u8]) -> Result<(Recipient, Client), &'static str> {
        match (self.online_map.find(name), &self.engine) {
            (Some((id, clnt)), _) => Ok((Recipient::Here(id), clnt)),
            (None, Some(engine)) => engine.find(name),
            (None, None) => Err("to failed: there is no user of that name\r\n"),
        }
    }

    /// Gives a user a name that no other user of the room has.
    ///
    /// # Errors
    /// One line that says why the user cannot have it.
    pub fn claim(&self, id: u64, name: &[u8]) -> Result<(), &'static str> {
        match &self.engine {
            Some(engine) => engine.claim(id, name),
            None if self.online_map.rename(id, name) => Ok(()),
            None => Err("rename failed: the name is taken\r\n"),
        }
    }

    /// Whether the other servers cannot be reached. Meanwhile no user times out.
    pub fn is_cut_off(&self) -> bool {
        self.engine.as_ref().is_some_and(Engine::is_cut_off)
    }

    /// Puts the engine and `quiet` between `message` and `manager`, and returns the channel that `manager` reads.
    /// Above `quiet_above` users, logins and logouts are only counted. The engine's last `history` lines come first.
    ///
    /// # Errors
    /// A thread that is needed cannot be started.
    pub fn connect<'s>(
        &self,
        s: &'s Scope<'s, '_>,
        message: Receiver<Message>,
        quiet_above: Option<usize>,
        history: usize,
    ) -> io::Result<Receiver<Message>> {
        let all = match &self.engine {
            Some(engine) => engine.start(s, message, history)?,
            None => message,
        };
        let Some(most) = quiet_above else {
            return Ok(all);
        };
        let (quieter, quieted) = bounded(WAITING);
        let online_map = Arc::clone(&self.online_map);
        let everywhere = self.engine.as_ref().map(Engine::counter);
        let users = move || {
            let everywhere = everywhere.as_ref().map_or(0, |users| users());
            everywhere.max(online_map.count())
        };
        go(s, "quiet".to_owned(), move || {
            quiet(&all, &quieter, most, users)
        })?;
        Ok(quieted)
    }
}
