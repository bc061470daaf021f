//! The floor: a server that speaks the course's protocols with as little as can be done, one thread
//! and one non-blocking write for each client and burst. What it reaches is what the kernel and the
//! load generator allow; no server that does a write for each client can pass it by much.

use std::io;
use std::net::TcpListener;

use crate::lab::load::client::Client;
use crate::lab::load::clients::{Clients, Event};
use crate::lab::load::protocol::{LOGIN, Protocol};
use crate::system::raise_descriptor_limit;

/// Bytes that may wait for a client that does not read, before it is disconnected.
const UNSENT: usize = 1024 * 1024;

/// Serves until the process is stopped.
///
/// # Errors
/// The kernel gives no more descriptors.
pub fn run(listener: TcpListener, protocol: Protocol) -> io::Result<()> {
    raise_descriptor_limit()?;
    let mut clients = Clients::of(listener)?;
    // Messages since the last wait, for all clients.
    let mut burst = Vec::new();
    let mut answer = Vec::new();
    loop {
        clients.poll(None, |_, client, event| match (protocol, event) {
            (Protocol::Echo, Event::Bytes(bytes)) => {
                answer.clear();
                answer.extend(bytes.iter().map(u8::to_ascii_uppercase));
                send(client, &answer);
            }
            (Protocol::Chat, Event::Connected) => say(&mut burst, &client.prefix, LOGIN),
            (Protocol::Chat, Event::Bytes(bytes)) => client
                .lines
                .cut(bytes, |line| say(&mut burst, &client.prefix, line)),
            (Protocol::Chat, Event::Closed) => say(&mut burst, &client.prefix, b"logout"),
            _ => {}
        })?;
        if !burst.is_empty() {
            let present = clients.all().iter_mut().filter(|client| client.is_open());
            present.for_each(|client| send(client, &burst));
            burst.clear();
        }
    }
}

fn say(burst: &mut Vec<u8>, prefix: &[u8], text: &[u8]) {
    for part in [prefix, text, b"\r\n"] {
        burst.extend_from_slice(part);
    }
}

fn send(client: &mut Client, bytes: &[u8]) {
    client.send(bytes);
    if client.unsent.len() > UNSENT {
        client.disconnect();
    }
}
