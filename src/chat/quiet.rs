//! `--quiet-above N`: in a room of more users than that, logins and logouts are one line per second.
//!
//! Every login to every user is what makes thousands of logins slow: a message per pair of users.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::chat::message::{Kind, Message, Recipient};

/// How long logins and logouts are counted before they are shown.
const INTERVAL: Duration = Duration::from_secs(1);

/// Logins and logouts since the last line.
#[derive(Default)]
struct Count {
    joined: u64,
    left: u64,
    /// When the next line is due.
    due: Option<Instant>,
}

impl Count {
    /// Counts a login or logout. The line is due one second after the first.
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
            Ok(msg) => Some(msg),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if count.due.is_some_and(|due| Instant::now() >= due) {
            count.tell(quieter);
        }
        if let Some(msg) = msg {
            let (msg, own_line) = without_lines(msg, &mut count, || users() > most);
            for msg in msg.into_iter().chain(own_line) {
                quieter.send(msg).ok();
            }
        }
    }
}

/// Takes the line out of a login or a logout. A newcomer gets its own line, after the earlier lines that it gets
/// with its login.
fn without_lines(
    msg: Message,
    count: &mut Count,
    is_large: impl Fn() -> bool,
) -> (Option<Message>, Option<Message>) {
    match msg {
        Message::Login(id, queue, Some(line)) if is_large() => {
            count.add(Kind::Joined);
            let own_line = Message::To(Recipient::Here(id), line);
            (Some(Message::Login(id, queue, None)), Some(own_line))
        }
        Message::Leave(id, Some(_)) if is_large() => {
            count.add(Kind::Left);
            (Some(Message::Leave(id, None)), None)
        }
        Message::Told(kind @ (Kind::Joined | Kind::Left), _) if is_large() => {
            count.add(kind);
            (None, None)
        }
        msg => (Some(msg), None),
    }
}
