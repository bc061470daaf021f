//! Whether the engine answers, and what users are told about it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use log::{info, warn};
use parking_lot::Mutex;
use redis::RedisError;

use super::connection::reason;
use crate::chat::message::{Kind, Message};

/// How long the engine may be silent before this server counts as cut off. A reconnect takes less.
const CUT_OFF_AFTER: Duration = Duration::from_secs(1);

/// The threads without which nothing gets through.
#[derive(Clone, Copy)]
pub enum Caller {
    Publisher,
    Subscriber,
}

/// Whether the engine answers: when the current call of each thread began.
pub struct Contact {
    start: Instant,
    /// In milliseconds after `start`, plus one; 0 without a call. One per thread, because one of them can get
    /// answers while the other gets none.
    waiting: [AtomicU64; 2],
    told: Mutex<bool>,
}

impl Default for Contact {
    fn default() -> Contact {
        Contact {
            start: Instant::now(),
            waiting: Default::default(),
            told: Mutex::default(),
        }
    }
}

impl Contact {
    /// A call begins, or is tried again.
    pub fn waits(&self, caller: Caller) {
        let waiting = &self.waiting[caller as usize];
        if waiting.load(Relaxed) == 0 {
            let now = self.start.elapsed().as_millis() as u64;
            waiting.store(now + 1, Relaxed);
        }
    }

    /// A call was answered.
    pub fn answered(&self, caller: Caller, said: &Sender<Message>) {
        self.waiting[caller as usize].store(0, Relaxed);
        self.when_cut_off_is(false, || {
            info!("the engine answers again");
            tell(said, b"[room]: connected to the other servers again");
        });
    }

    /// A call has failed.
    pub fn failed(&self, err: &RedisError, said: &Sender<Message>) {
        self.when_cut_off_is(true, || {
            let why = reason(err);
            warn!("the engine does not answer, trying again until it does: {why}");
            tell(
                said,
                b"[room]: the other servers cannot be reached; your messages will be sent later",
            );
        });
    }

    /// Tells users, if this is so now and they were last told the opposite. The lock is held meanwhile, so that
    /// the two lines never change their order.
    fn when_cut_off_is(&self, cut_off: bool, tell: impl FnOnce()) {
        let mut told = self.told.lock();
        if *told != cut_off && self.is_cut_off() == cut_off {
            *told = cut_off;
            tell();
        }
    }

    /// Whether nothing has come through for a while.
    pub fn is_cut_off(&self) -> bool {
        let now = self.start.elapsed().as_millis() as u64;
        let long = CUT_OFF_AFTER.as_millis() as u64;
        let waits = |waiting: &AtomicU64| match waiting.load(Relaxed) {
            0 => false,
            since => now + 1 >= since + long,
        };
        self.waiting.iter().any(waits)
    }
}

/// A line for the users of this server.
pub fn tell(said: &Sender<Message>, line: &[u8]) {
    said.send(Message::Told(Kind::Said, line.to_vec())).ok();
}
