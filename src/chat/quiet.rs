//! `--quiet-above N`: in a room of more users than that, logins and logouts are one line a second.
//!
//! Every login to every user is what makes thousands of logins slow: a message per pair of users.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::chat::message::{Kind, Message};
use crate::chat::queue::Batch;

/// How long logins and logouts are counted before they are told.
const INTERVAL: Duration = Duration::from_secs(1);

/// Those who came and went, and are not told of yet.
#[derive(Default)]
struct Count {
    joined: u64,
    left: u64,
    /// When they are to be told.
    due: Option<Instant>,
}

impl Count {
    /// Counts somebody. The line is told a second later.
    fn add(&mut self, kind: Kind) {
        match kind {
            Kind::Joined => self.joined += 1,
            Kind::Left => self.left += 1,
            Kind::Said => return,
        }
        self.due.get_or_insert_with(|| Instant::now() + INTERVAL);
    }

    fn tell(&mut self, quieter: &Sender<Message>) {
        let Count { joined, left, .. } = std::mem::take(self);
        let line = match (joined, left) {
            (0, 0) => return,
            (joined, 0) => format!("{joined} joined"),
            (0, left) => format!("{left} left"),
            (joined, left) => format!("{joined} joined, {left} left"),
        };
        let line = format!("[room]: {line}");
        let told = Message::Told(Kind::Said, line.into_bytes());
        quieter.send(told).ok();
    }
}

/// Passes on what comes from `message`, but counts logins and logouts while `users` are more than `most`.
pub fn quiet(
    message: &Receiver<Message>,
    quieter: &Sender<Message>,
    most: usize,
    users: impl Fn() -> usize,
) {
    let mut count = Count::default();
    loop {
        let msg = match count.due {
            Some(due) => message.recv_deadline(due),
            None => message.recv().map_err(RecvTimeoutError::from),
        };
        let msg = match msg {
            Ok(msg) => hush(msg, &mut count, || users() > most),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if count.due.is_some_and(|due| Instant::now() >= due) {
            count.tell(quieter);
        }
        msg.map(|msg| quieter.send(msg).ok());
    }
}

/// Takes the line out of a login or a logout. A newcomer gets its own line.
fn hush(msg: Message, count: &mut Count, is_large: impl Fn() -> bool) -> Option<Message> {
    match msg {
        Message::Login(id, queue, Some(line)) if is_large() => {
            queue.send(&Batch::new(&[&line[..], b"\r\n"].concat()).0);
            count.add(Kind::Joined);
            Some(Message::Login(id, queue, None))
        }
        Message::Leave(id, Some(_)) if is_large() => {
            count.add(Kind::Left);
            Some(Message::Leave(id, None))
        }
        Message::Told(kind @ (Kind::Joined | Kind::Left), _) if is_large() => {
            count.add(kind);
            None
        }
        msg => Some(msg),
    }
}
