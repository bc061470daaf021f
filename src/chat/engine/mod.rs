//! One room over several servers, through a stream of Valkey or Redis: every line goes there, and comes back
//! in one order for all.
//!
//! | channel | from | to |
//! |---|---|---|
//! | `message` | everyone | `publisher` |
//! | `sent` | `publisher` | `subscriber` |
//! | `said` | `subscriber` | `manager` |
//! | `questions` | a client's reader (`who`, `rename\|`) | `asker` |
//!
//! Each of the three threads has its own connection, and reconnects after any error. `publisher` puts
//! the messages of a batch into `sent` and only their text into the engine; `subscriber` takes them from there
//! when the batch comes back. So a newcomer's queue reaches `manager` at its place in the order.
//!
//! | file | what |
//! |---|---|
//! | `publisher`, `outbox` | batches and heartbeats; what may have to be sent again |
//! | `join` | this server's users, after the engine or this server was away |
//! | `subscriber` | records, in their order |
//! | `history` | what was read; bringing back what the engine has lost |
//! | `asking` | `who`, names |
//! | `contact` | whether this server is cut off |
//! | `connection`, `link` | the address to use; calling until it works |
//! | `room`, `record`, `shared`, `options` | keys and scripts; the format of a record; what the threads share; the command line |
//! | `*.lua` | scripts that the engine runs atomically; `room.lua` is in front of each |

mod asking;
mod connection;
mod contact;
mod history;
mod join;
mod link;
mod options;
mod outbox;
mod publisher;
mod record;
mod room;
mod shared;
mod subscriber;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{Builder, Scope};

use crossbeam_channel::{Receiver, Sender, bounded};
use log::info;
use parking_lot::Mutex;
use redis::RedisResult;

use self::asking::Question;
use self::connection::Addrs;
use self::contact::{Caller, Contact};
use self::history::History;
use self::link::Link;
pub use self::options::Sharing;
use self::publisher::{UNDER_WAY, publisher};
use self::room::Room;
use self::shared::{Claims, Shared};
use self::subscriber::subscriber;
use crate::chat::message::{Message, Recipient, WAITING};
use crate::chat::online_map::{Client, OnlineMap};
use crate::server::shutdown::Done;

/// The engine, as the room sees it.
pub struct Engine {
    shared: Arc<Shared>,
    stopping: Done,
    questions: Sender<Question>,
    /// What the threads need, until they are started.
    start: Mutex<Option<(History, Receiver<Question>)>>,
}

impl Engine {
    /// Finds the engine that the options name, if they name one.
    ///
    /// # Errors
    /// No address is right, or no engine answers at any.
    pub fn open(
        options: &Sharing,
        online_map: &Arc<OnlineMap>,
        stopping: &Done,
    ) -> io::Result<Option<Engine>> {
        let Some(urls) = &options.engine else {
            return Ok(None);
        };
        let addrs = Addrs::new(urls.parse().map_err(io::Error::other)?)?;
        let room = Room::new(&options.room);
        let history = || -> RedisResult<_> { History::new(&room, &mut addrs.connect(&room)?.0) };
        let shown = addrs.shown();
        let history = history().map_err(|err| {
            let why = connection::reason(&err);
            io::Error::other(format!("the engine at {shown} does not answer: {why}"))
        })?;
        info!(
            "sharing the room {} through the engine at {shown}",
            options.room
        );
        let (questions, asked) = bounded(asking::WAITING);
        Ok(Some(Engine {
            shared: Arc::new(Shared {
                room,
                addrs,
                contact: Contact::default(),
                online_map: Arc::clone(online_map),
                claims: Claims::default(),
                back: Default::default(),
                users: Default::default(),
            }),
            stopping: stopping.clone(),
            questions,
            start: Mutex::new(Some((history, asked))),
        }))
    }

    /// Everyone on every server, in the order of arrival, unless this server is cut off.
    pub fn everyone(&self) -> Option<Vec<Client>> {
        asking::everyone(&self.questions)
    }

    /// Counts the users of all servers, as of a second ago.
    pub fn counter(&self) -> Box<dyn Fn() -> usize + Send> {
        let shared = Arc::clone(&self.shared);
        Box::new(move || shared.users.load(Relaxed))
    }

    /// The user of another server that has a name.
    ///
    /// # Errors
    /// One line that says why there is none.
    pub fn find(&self, name: &[u8]) -> Result<(Recipient, Client), &'static str> {
        asking::find(&self.questions, name)
    }

    /// Gives a user a name that no other user of any server has.
    ///
    /// # Errors
    /// One line that says why the user cannot have it.
    pub fn claim(&self, id: u64, name: &[u8]) -> Result<(), &'static str> {
        asking::claim(&self.questions, id, name)
    }

    /// Whether nothing has come through for a while.
    pub fn is_cut_off(&self) -> bool {
        self.shared.contact.is_cut_off()
    }

    /// Starts the threads between `message` and what `manager` gets, which is returned. It begins with the
    /// last `earlier` lines, which nobody gets, because nobody has come yet: they are history.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start<'s>(
        &self,
        s: &'s Scope<'s, '_>,
        message: Receiver<Message>,
        earlier: usize,
    ) -> io::Result<Receiver<Message>> {
        let (said, all) = bounded(WAITING);
        let (sent, came) = bounded(UNDER_WAY);
        let (history, asked) = self.start.lock().take().expect("it is started once");
        let parts = || {
            (
                Arc::clone(&self.shared),
                self.stopping.clone(),
                said.clone(),
            )
        };

        let (shared, stopping, said) = parts();
        spawn(s, "publisher", move || {
            let link = link(&shared, Caller::Publisher, &stopping, &said);
            publisher(&shared, link, &message, &sent);
        })?;
        let (shared, stopping, said) = parts();
        spawn(s, "subscriber", move || {
            let link = link(&shared, Caller::Subscriber, &stopping, &said);
            subscriber(&shared, link, history, earlier, &came);
        })?;
        let shared = Arc::clone(&self.shared);
        spawn(s, "asker", move || asking::asker(&shared, &asked))?;
        Ok(all)
    }
}

fn link<'a>(
    shared: &'a Shared,
    caller: Caller,
    stopping: &'a Done,
    said: &'a Sender<Message>,
) -> Link<'a> {
    Link {
        caller,
        shared,
        stopping,
        said,
        con: None,
        run: String::new(),
    }
}

/// Starts a thread with the stack of the standard library: `go` gives less than a name server lookup needs.
fn spawn<'s>(s: &'s Scope<'s, '_>, name: &str, f: impl FnOnce() + Send + 's) -> io::Result<()> {
    Builder::new().name(name.to_owned()).spawn_scoped(s, f)?;
    Ok(())
}
