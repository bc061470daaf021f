//! Who is in the room, on this server and on every other that shares it.

use std::io;
use std::sync::Arc;
use std::thread::Scope;

use crossbeam_channel::Receiver;

use crate::chat::message::Message;
use crate::chat::online_map::{Client, OnlineMap};

/// The users of the room. Here that is `online_map`.
pub struct Presence {
    online_map: Arc<OnlineMap>,
}

impl Presence {
    /// The room has these users of its own.
    pub fn new(online_map: Arc<OnlineMap>) -> Presence {
        Presence { online_map }
    }

    /// Every user of the room, in the order of arrival.
    pub fn everyone(&self) -> Vec<Client> {
        self.online_map.users()
    }

    /// The user of the room that has a name, or one that looks the same.
    pub fn find(&self, name: &[u8]) -> Option<(u64, Client)> {
        self.online_map.find(name)
    }

    /// Gives a user a name that no other user of the room has.
    ///
    /// # Errors
    /// One line that says why the user cannot have it.
    pub fn claim(&self, id: u64, name: &[u8]) -> Result<(), &'static str> {
        match self.online_map.rename(id, name) {
            true => Ok(()),
            false => Err("rename failed: the name is taken\r\n"),
        }
    }

    /// Whether what users say cannot reach the others now. Nobody is silent meanwhile.
    pub fn is_cut_off(&self) -> bool {
        false
    }

    /// Takes what users say, and returns what everyone gets, in the order that holds for the whole room.
    ///
    /// # Errors
    /// A thread that is needed cannot be started.
    pub fn plug<'s>(
        &self,
        _s: &'s Scope<'s, '_>,
        message: Receiver<Message>,
    ) -> io::Result<Receiver<Message>> {
        Ok(message)
    }
}
