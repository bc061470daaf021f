//! What goes through the channel `message`.

use crate::chat::queue::Queue;

/// Messages that may wait in `message`, and in each channel between it and `manager`.
pub const WAITING: usize = 128;

/// In Go a string. Ours sends logins and departures through this channel too: so all lines have one order, and
/// only `manager` keeps the list of recipients. The number is the client's `Conn::id`.
pub enum Message {
    /// A client has logged in. It gets this line, as all do, and all that follow.
    Login(u64, Queue, Option<Vec<u8>>),
    /// A line that a client said. It is dropped if the client has left.
    Said(u64, Vec<u8>),
    /// A client has left. It gets what was said before, and the others get this line.
    Leave(u64, Option<Vec<u8>>),
    /// A line for everyone whose sender is not checked: it is sent even if its client has left.
    Told(Kind, Vec<u8>),
    /// A line for one client alone.
    To(Recipient, Vec<u8>),
}

/// What a line from elsewhere is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message, or a notice of the room.
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
