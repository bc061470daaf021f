//! The chat room as a plain port: the course's threads and unbuffered channels, one message at a time. Beside
//! it, `loadtest chat` shows what batching gives `chat_server`, whose manager joins messages even with
//! `--queue 0`. `who` and `rename` are left out; the load tester sends neither.
//!
//!     cargo run --release --example plain_room 127.0.0.1:9200

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use std::{env, thread};

use crossbeam_channel::{Receiver, Sender, after, bounded, select};
use parking_lot::Mutex;
use threadline::go::net;

const TIMEOUT: Duration = Duration::from_secs(60);

struct Room {
    online: Mutex<BTreeMap<u64, Sender<Arc<[u8]>>>>,
    message: Sender<Arc<[u8]>>,
}

fn main() {
    let addr = env::args().nth(1).expect("usage: plain_room HOST:PORT");
    let listener = net::listen(&addr).expect("the address is free");
    let (message, messages) = bounded(0);
    let room = Arc::new(Room {
        online: Mutex::default(),
        message,
    });
    let managed = Arc::clone(&room);
    thread::spawn(move || manager(&managed, &messages));
    for (id, conn) in (0..).zip(listener.incoming()) {
        let conn = Arc::new(conn.expect("there are descriptors"));
        let room = Arc::clone(&room);
        thread::spawn(move || handler(&conn, id, &room));
    }
}

fn manager(room: &Room, messages: &Receiver<Arc<[u8]>>) {
    for msg in messages {
        let clients: Vec<_> = room.online.lock().values().cloned().collect();
        for c in clients {
            c.send(Arc::clone(&msg)).ok();
        }
    }
}

fn handler(conn: &Arc<TcpStream>, id: u64, room: &Arc<Room>) {
    conn.set_nodelay(true).expect("the connection is open");
    let Ok(addr) = conn.peer_addr() else { return };
    let line = move |msg: &[u8]| [format!("[{addr}]{addr}: ").as_bytes(), msg, b"\r\n"].concat();
    let (c, msgs) = bounded(0);
    room.online.lock().insert(id, c);
    let written = Arc::clone(conn);
    thread::spawn(move || writer(&written, &msgs));
    room.message.send(line(b"login!!!").into()).ok();

    let (is_quit, quit) = bounded(0);
    let (has_data, data) = bounded(0);
    let (read, speaking) = (Arc::clone(conn), Arc::clone(room));
    thread::spawn(move || {
        let mut buf = [0; 4096];
        while let Ok(n @ 1..) = (&*read).read(&mut buf) {
            speaking.message.send(line(&buf[..n]).into()).ok();
            has_data.send(()).ok();
        }
        is_quit.send(()).ok();
    });
    let farewell = loop {
        select! {
            recv(quit) -> _ => break "logout",
            recv(data) -> _ => {}
            recv(after(TIMEOUT)) -> _ => break "time out leaved",
        }
    };
    room.online.lock().remove(&id);
    room.message.send(line(farewell.as_bytes()).into()).ok();
    conn.shutdown(Shutdown::Both).ok();
}

fn writer(mut conn: &TcpStream, msgs: &Receiver<Arc<[u8]>>) {
    for msg in msgs {
        conn.write_all(&msg).ok();
    }
}
