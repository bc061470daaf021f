//! The users of this server.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::chat::name::look_alike;

/// One user.
#[derive(Clone)]
pub struct Client {
    // Go: `C` is a field here, and is never closed. In ours only `manager` holds the sender, and dropping it ends
    // the writer.
    /// Shared by all copies, so that a rename applies to all of them.
    name: Arc<Mutex<Vec<u8>>>,
    pub addr: String,
}

impl Client {
    /// A new user. Until a rename, the address is the name.
    pub fn new(addr: String) -> Client {
        let name = Arc::new(Mutex::new(addr.clone().into_bytes()));
        Client { name, addr }
    }

    /// The user's current name.
    pub fn name(&self) -> MutexGuard<'_, Vec<u8>> {
        self.name.lock()
    }
}

/// All users of this server, by `Conn::id`.
// Go: an unprotected map: concurrent access can crash the process (`fatal error: concurrent map writes`, which
// `recover` cannot catch). Ours has a lock, and its key is the order of arrival, in which `who` lists the users.
#[derive(Default)]
pub struct OnlineMap(Mutex<BTreeMap<u64, Client>>);

impl OnlineMap {
    /// Adds a user.
    pub fn insert(&self, id: u64, clnt: Client) {
        self.0.lock().insert(id, clnt);
    }

    /// Removes a user.
    pub fn remove(&self, id: u64) -> Option<Client> {
        self.0.lock().remove(&id)
    }

    /// A user, or None if it has left.
    #[cfg_attr(not(feature = "engine"), expect(dead_code))]
    pub fn get(&self, id: u64) -> Option<Client> {
        self.0.lock().get(&id).cloned()
    }

    /// The number of users.
    pub fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// All users, in the order of arrival.
    pub fn users(&self) -> Vec<Client> {
        self.0.lock().values().cloned().collect()
    }

    /// The user that has this name, or one that looks the same.
    pub fn find(&self, name: &[u8]) -> Option<(u64, Client)> {
        let online_map = self.0.lock();
        let (id, clnt) = online_map
            .iter()
            .find(|(_, clnt)| look_alike(&clnt.name(), name))?;
        Some((*id, clnt.clone()))
    }

    /// Renames a user, unless another user of this server has a name that looks the same. Returns whether it did.
    pub fn rename(&self, id: u64, name: &[u8]) -> bool {
        let online_map = self.0.lock();
        let taken = |(user, clnt): (&u64, &Client)| *user != id && look_alike(&clnt.name(), name);
        match online_map.get(&id) {
            Some(clnt) if !online_map.iter().any(taken) => {
                *clnt.name() = name.to_vec();
                true
            }
            _ => false,
        }
    }
}
