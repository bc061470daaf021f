//! What the threads of the engine share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use parking_lot::Mutex;

use super::connection::Addrs;
use super::contact::Contact;
use super::room::Room;
use crate::chat::name::key;
use crate::chat::online_map::{Client, OnlineMap};

pub struct Shared {
    pub room: Room,
    pub addrs: Addrs,
    pub contact: Contact,
    pub online_map: Arc<OnlineMap>,
    pub claims: Claims,
    /// The last batch of this server that has come back.
    pub back: AtomicU64,
    /// Users of all servers, as the last heartbeat counted them.
    pub users: AtomicUsize,
}

/// The claims of names by this server's users. They are numbered, and only one is in progress at
/// a time.
#[derive(Default)]
pub struct Claims(Mutex<Numbers>);

#[derive(Default)]
struct Numbers {
    /// The last that was made, and has an outcome or was given up.
    settled: u64,
    /// The last that the engine has granted.
    granted: u64,
    /// Whether one was given up: the engine may have granted it.
    in_doubt: bool,
}

/// What became of a claim.
pub enum Outcome {
    Granted,
    Refused,
    Unknown,
}

impl Claims {
    /// The number of the next claim.
    pub fn next(&self) -> u64 {
        self.0.lock().settled + 1
    }

    /// Ends a claim. The user gets the name at the same moment, for whoever lists the users.
    pub fn settle(&self, claim: u64, outcome: &Outcome, rename: impl FnOnce()) {
        let mut numbers = self.0.lock();
        numbers.settled = claim;
        match outcome {
            Outcome::Granted => {
                numbers.granted = claim;
                rename();
            }
            Outcome::Refused => {}
            Outcome::Unknown => numbers.in_doubt = true,
        }
    }

    /// The last granted claim. An engine that does not know it has lost data.
    pub fn granted(&self) -> u64 {
        self.0.lock().granted
    }

    /// Whether the engine may have another name for a user than this server.
    pub fn is_in_doubt(&self) -> bool {
        self.0.lock().in_doubt
    }

    /// Runs `list` while no name changes, and returns with it the last claim that the names contain. What
    /// was in doubt is not any more, once the engine has this list.
    pub fn list<T>(&self, list: impl FnOnce() -> T) -> (u64, T) {
        let mut numbers = self.0.lock();
        numbers.in_doubt = false;
        (numbers.settled, list())
    }

    /// Takes a name from a user, unless the user has got another since `text` was made.
    pub fn unname(&self, clnt: &Client, text: &[u8]) -> Option<Vec<u8>> {
        let _no_name_changes = self.0.lock();
        let still = client_text(clnt) == text;
        still.then(|| std::mem::replace(&mut *clnt.name(), clnt.addr.clone().into_bytes()))
    }
}

/// A user as the scripts take it: `addr|key|name`, without a key for one who goes by the address.
pub fn client_text(clnt: &Client) -> Vec<u8> {
    let name = clnt.name();
    let key = if clnt.addr.as_bytes() == *name {
        Vec::new()
    } else {
        key(&name)
    };
    [clnt.addr.as_bytes(), b"|", &key, b"|", &name].concat()
}
