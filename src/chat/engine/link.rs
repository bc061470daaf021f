//! The connection of `publisher` or `subscriber`: after every error it reconnects and tries again.

use std::time::Duration;

use crossbeam_channel::Sender;
use log::debug;
use redis::{Connection, RedisResult};

use super::connection::reason;
use super::contact::Caller;
use super::shared::Shared;
use crate::chat::message::Message;
use crate::server::shutdown::{Done, closes_within, is_closed};

/// The first pause between attempts. Each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

pub struct Link<'a> {
    pub caller: Caller,
    pub shared: &'a Shared,
    pub stopping: &'a Done,
    /// Where lines for this server's users go.
    pub said: &'a Sender<Message>,
    pub con: Option<Connection>,
    /// Which process answers on it.
    pub run: String,
}

impl Link<'_> {
    /// Repeats a call until it succeeds, on a new connection after each failure. Returns nothing if the
    /// server is to stop first.
    pub fn persist<T>(
        &mut self,
        mut call: impl FnMut(&mut Connection) -> RedisResult<T>,
    ) -> Option<T> {
        let mut pause = FIRST_PAUSE;
        let Shared {
            room,
            addrs,
            contact,
            ..
        } = self.shared;
        loop {
            contact.waits(self.caller);
            let tried = match &mut self.con {
                Some(con) => call(con),
                None => addrs.connect(room).and_then(|(con, run)| {
                    self.run = run;
                    call(self.con.insert(con))
                }),
            };
            match tried {
                Ok(value) => {
                    contact.answered(self.caller, self.said);
                    return Some(value);
                }
                Err(err) => {
                    debug!("the engine fails: {}", reason(&err));
                    // An answer that comes late must not be taken for the next one.
                    self.con = None;
                    contact.failed(&err, self.said);
                    if is_closed(self.stopping) || closes_within(self.stopping, pause) {
                        return None;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}
