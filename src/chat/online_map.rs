//! The users of this server.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::chat::name::look_alike;

/// One user.
#[derive(Clone)]
pub struct Client {
    // Go: `C` stands here, and is never closed. Ours belongs to `manager` alone, and the writer exits when
    // `manager` drops it.
    /// Shared by every copy, so that a rename reaches all of them.
    name: Arc<Mutex<Vec<u8>>>,
    pub addr: String,
}

impl Client {
    /// A user that has no name yet goes by the address.
    pub fn new(addr: String) -> Client {
        let name = Arc::new(Mutex::new(addr.clone().into_bytes()));
        Client { name, addr }
    }

    /// The user's name now.
    pub fn name(&self) -> MutexGuard<'_, Vec<u8>> {
        self.name.lock()
    }
}

/// Every user of this server, by `Conn::id`.
// Go: a map without a lock, and concurrent access crashes the process (`concurrent map writes`). Ours is
// locked; its key is the order of arrival, in which `who` lists the users.
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

    /// A user, unless it has left.
    #[cfg_attr(not(feature = "engine"), expect(dead_code))]
    pub fn get(&self, id: u64) -> Option<Client> {
        self.0.lock().get(&id).cloned()
    }

    /// How many users there are.
    pub fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// Every user, in the order of arrival.
    pub fn users(&self) -> Vec<Client> {
        self.0.lock().values().cloned().collect()
    }

    /// The user that has a name, or one that looks the same.
    pub fn find(&self, name: &[u8]) -> Option<(u64, Client)> {
        let online_map = self.0.lock();
        let (id, clnt) = online_map
            .iter()
            .find(|(_, clnt)| look_alike(&clnt.name(), name))?;
        Some((*id, clnt.clone()))
    }

    /// Gives a user a name, unless another user of this server has one that looks the same. Returns whether it did.
    pub fn rename(&self, id: u64, name: &[u8]) -> bool {
        let online_map = self.0.lock();
        let taken = |(user, clnt): (&u64, &Client)| *user != id && look_alike(&clnt.name(), name);
        if online_map.iter().any(taken) {
            return false;
        }
        if let Some(clnt) = online_map.get(&id) {
            *clnt.name() = name.to_vec();
        }
        true
    }
}
