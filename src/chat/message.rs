//! What goes through the channel `message`.

use crate::chat::queue::Queue;

/// Messages that may wait in `message`, and in each channel that stands between it and `manager`. Unbuffered
/// with `--queue 0`.
pub const WAITING: usize = 128;

/// In Go a string. Logins and departures go the same way, so that they are in one order with what is said
/// and `manager` alone knows who gets it. The number is the client's `Conn::id`.
pub enum Message {
    /// A client has logged in. It gets this line, as all do, and all that follow.
    Login(u64, Queue, Option<Vec<u8>>),
    /// A line that a client said. It is dropped if the client has left.
    Said(u64, Vec<u8>),
    /// A client has left. It gets what was said before, and the others get this line.
    Leave(u64, Option<Vec<u8>>),
    /// A line from elsewhere, which no client of this server said.
    Told(Kind, Vec<u8>),
    /// A line for one client alone.
    To(Recipient, Vec<u8>),
}

/// What a line from elsewhere is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody has said it.
    Said,
    /// Somebody has logged in.
    Joined,
    /// Somebody has left.
    Left,
}

/// A client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// By its number on this server.
    Here(u64),
    /// On another server, by what the engine calls it.
    #[cfg_attr(not(feature = "engine"), expect(dead_code))]
    There(String),
}
