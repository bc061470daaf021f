//! What goes through the channel `message`.

use crate::chat::queue::Queue;

/// In Go a string. Logins and departures go the same way, so that they are in one order with what is said
/// and `manager` alone knows who gets it. The number is the client's `Conn::id`.
pub enum Message {
    /// A client has logged in. It gets this line and all that follow.
    Login(u64, Queue, Vec<u8>),
    /// A line that a client said. It is dropped if the client has left.
    Said(u64, Vec<u8>),
    /// A client has left. It gets what was said before, and the others get this line.
    Leave(u64, Option<Vec<u8>>),
    /// A line from elsewhere, which no client of this server said.
    #[expect(dead_code, reason = "for a room over several servers")]
    Told(Vec<u8>),
    /// A line for one client alone.
    To(u64, Vec<u8>),
}
