//! Section four: the concurrent chat room, in the order of the course's final listing.
//!
//! | channel | from | to |
//! |---|---|---|
//! | `message` | everyone | `manager` |
//! | `c`, one a client | `manager` | its `write_msg_to_client` |
//! | `answer`, one a client | its reader | its `write_msg_to_client` |
//! | `has_data`, `is_quit`, one a client | its reader | its `handler_connect` |

use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown as Half, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, bounded, select};
use log::{debug, warn};
use parking_lot::Mutex;

use crate::accept::{Acceptor, GRACE, Kind};
use crate::conn::Conn;
use crate::fmt;
use crate::go::{go, take_turns};
use crate::lines::{LONGEST, messages, whole};
pub use crate::options::{Options, Stage};
use crate::outlet::{AT_ONCE, Burst, Outlet, write_all};
use crate::pace::Pace;
use crate::shutdown::{Shutdown, ended, ends_within};

/// Three threads a client: handler, reader and writer.
const KIND: Kind = Kind {
    threads: 3,
    descriptors: 1,
    full: "the room is full, try again later\r\n",
    crowded: "too many clients from your address\r\n",
    cut: None,
};

/// Bytes of messages that [`manager`] joins into one burst at most, the last message aside.
const BURST: usize = 16 * 1024;

/// Messages that may wait for [`manager`], unless `--queue 0` asks for Go's channels.
const WAITING: usize = 128;

/// Writers that [`manager`] wakes before they have their turn: more, and the first are no longer in the
/// processor's cache when it comes.
const TURN: usize = 8;

/// Longest name in bytes.
const LONGEST_NAME: usize = 32;

/// One user.
#[derive(Clone)]
struct Client {
    // Go: has `C` here, and so everyone has a copy of it. Ours is in the hands of manager alone, so
    // that the writer ends when manager lets go of it.
    name: Vec<u8>,
    addr: String,
}

/// What goes through the channel `message`.
enum Message {
    Login(u64, Outlet, Vec<u8>),
    Said(Vec<u8>),
    Leave(u64, Option<Vec<u8>>),
}

/// What everyone in the room shares; globals in Go.
struct Room {
    // Go: a map without a lock; two goroutines that meet in it end the process. The key here is the
    // order of coming, in which `who` lists the users.
    online_map: Mutex<BTreeMap<u64, Client>>,
    message: Sender<Message>,
    stopping: Shutdown,
    options: Options,
}

/// A message as everyone gets to see it.
fn make_msg(clnt: &Client, msg: &[u8]) -> Vec<u8> {
    [b"[", clnt.addr.as_bytes(), b"]", &clnt.name, b": ", msg].concat()
}

/// One client, from its login to its leaving.
fn handler_connect(conn: Arc<Conn>, room: &Room) {
    let conn = &conn;
    let Options {
        stage,
        timeout,
        queue,
        rate,
        ..
    } = room.options;
    let id = conn.id();
    let net_addr = conn.addr().to_string();
    let clnt = Client {
        // Go: makes an unbuffered `C` here: Manager waits for every client, and one that stops
        // reading freezes the room. Ours, made below, holds some bursts; whose `c` is full is kicked.
        name: net_addr.clone().into_bytes(),
        addr: net_addr.clone(),
    };
    let (c, msgs) = bounded(queue);
    let behind = Arc::new(AtomicBool::new(false));
    let outlet = Outlet {
        c,
        conn: Arc::clone(conn),
        behind: Arc::clone(&behind),
    };
    room.online_map.lock().insert(id, clnt.clone());

    // Go: the reader writes its answers to `conn` itself, where a broadcast can cut them in two.
    // Ours hands them to the writer.
    let (answer, answers) = bounded(0);
    // Ends when the reader and the writer have both ended, and when the writer has.
    let (working, work) = bounded(0);
    let (writing, written) = bounded(0);

    thread::scope(|s| {
        let lost = |err: io::Error| {
            warn!("{net_addr} is lost, no thread can be started: {err}");
            let _ = conn.shutdown(Half::Both);
        };
        let writer = {
            let working = working.clone();
            move || {
                let _ends_last = (working, writing);
                write_msg_to_client(&msgs, &answers, conn, &behind);
            }
        };
        go(s, conn.thread_name("writer"), writer).unwrap_or_else(lost);

        // Whether the user has left.
        let (is_quit, quit) = bounded(0);
        // Whether the user is active.
        let (has_data, data) = bounded(0);

        // Go: starts to read before it says login, so a user's first words can come before it.
        let msg = match stage {
            // The first listing has no make_msg yet, and no colon.
            Stage::Login => format!("[{net_addr}]{net_addr} login!!!").into_bytes(),
            _ => make_msg(&clnt, b"login!!!"),
        };
        room.message.send(Message::Login(id, outlet, msg)).ok();

        // Lent, because a writer that watched a channel without a sender would never rest.
        let answer = &answer;
        let reader = move || {
            let _ends_last = working;
            let mut buf = vec![0; LONGEST];
            // Bytes of a line that the end of the buffer has cut in two.
            let mut held = 0;
            let mut told = Instant::now();
            let mut pace = Pace::new(rate, told);
            loop {
                // Without its writer a client has gone, however much of its words is still unread.
                let n = match ended(&written) {
                    true => 0,
                    false => conn.read(&mut buf[held..]).unwrap_or(0),
                };
                let n = held + n;
                if n == 0 {
                    let name = name_of(room, id);
                    // Go: after a timeout nobody receives this, and the goroutine waits for ever.
                    // Ours fails to send, because the handler has dropped its end.
                    if is_quit.send(true).is_ok() && stage >= Stage::Broadcast {
                        fmt::print(
                            ["检测到客户端:".as_bytes(), &name, "退出!!!\n".as_bytes()].concat(),
                        )
                        .ok();
                    }
                    // What is left unread at the close would reset the connection.
                    let mut unread: &TcpStream = conn;
                    let _ = io::copy(&mut unread, &mut io::sink());
                    return;
                }
                // Go: a read is a message, line end and control bytes included.
                let end = whole(&buf[..n]);
                for msg in messages(&buf[..end]) {
                    // Go: whatever begins with `who` is taken for it.
                    if *msg == *b"who" && stage >= Stage::Who {
                        let mut list = b"online user list: \n".to_vec();
                        for user in room.online_map.lock().values() {
                            let user_info =
                                [user.addr.as_bytes(), b":", &user.name, b"\n"].concat();
                            list.extend(user_info);
                        }
                        answer.send(list).ok();
                    } else if msg.starts_with(b"rename|") && stage >= Stage::Rename {
                        let new_name = &msg[b"rename|".len()..];
                        let reply = match rename(room, id, new_name) {
                            Ok(()) => "rename successful!!",
                            Err(refusal) => refusal,
                        };
                        answer.send(reply.into()).ok();
                    } else if stage >= Stage::Broadcast {
                        let said =
                            (room.online_map.lock().get(&id)).map(|clnt| make_msg(clnt, &msg));
                        if let Some(said) = said {
                            room.message.send(Message::Said(said)).ok();
                        }
                    }
                    // Go: tells of each read. Ours tells of messages, and spares the handler those close
                    // together.
                    if told.elapsed() >= timeout / 1000 {
                        has_data.send(true).ok();
                        told = Instant::now();
                    }
                    pace.wait(&written);
                    if ended(&written) {
                        break;
                    }
                }
                buf.copy_within(end..n, 0);
                held = n - end;
            }
        };
        go(s, conn.thread_name("reader"), reader).unwrap_or_else(lost);

        // The stages before the last kick nobody.
        let timeout = if stage >= Stage::Timeout {
            timeout
        } else {
            Duration::MAX
        };
        loop {
            select! {
                recv(quit) -> _ => {
                    let clnt = delete(room, id);
                    let msg = clnt.map(|clnt| make_msg(&clnt, b"logout"));
                    room.message.send(Message::Leave(id, msg)).ok();
                    break;
                }
                recv(data) -> _ => {
                    // Nothing to do: it makes the clock below start anew.
                }
                recv(after(timeout)) -> _ => {
                    let clnt = delete(room, id);
                    let msg = clnt.map(|clnt| make_msg(&clnt, b"time out leaved"));
                    room.message.send(Message::Leave(id, msg)).ok();
                    break;
                }
                recv(room.stopping) -> _ => break,
            }
        }
        // Nobody needs to wait for this handler any more.
        drop((quit, data));
        // Go: closes at once, which can cost the client what was still on its way. Ours gives it
        // time to read that and to close its end.
        if !ends_within(&work, GRACE) {
            let _ = conn.shutdown(Half::Both);
        }
    });
}

/// Takes a user off the list. The stages before the last leave gone users on it, and tell nobody.
fn delete(room: &Room, id: u64) -> Option<Client> {
    match room.options.stage {
        Stage::Timeout => room.online_map.lock().remove(&id),
        _ => None,
    }
}

/// The name of a user, empty once the user has left.
fn name_of(room: &Room, id: u64) -> Vec<u8> {
    room.online_map
        .lock()
        .get(&id)
        .map_or_else(Vec::new, |clnt| clnt.name.clone())
}

/// Gives a user a new name, or says in one line why not.
// Go: takes any name: the line end of a typed one, an empty one, another user's.
fn rename(room: &Room, id: u64, new_name: &[u8]) -> Result<(), &'static str> {
    let new_name = new_name.trim_ascii();
    if new_name.is_empty() {
        return Err("rename failed: the name is empty\r\n");
    }
    if new_name.len() > LONGEST_NAME {
        return Err("rename failed: the name is longer than 32 bytes\r\n");
    }
    let is_address =
        |name: &[u8]| str::from_utf8(name).is_ok_and(|name| name.parse::<SocketAddr>().is_ok());
    if is_address(new_name) {
        return Err("rename failed: an address is not a name\r\n");
    }
    if new_name.contains(&b'|') {
        return Err("rename failed: a name has no |\r\n");
    }
    let mut online_map = room.online_map.lock();
    if online_map
        .iter()
        .any(|(user, clnt)| *user != id && clnt.name == new_name)
    {
        return Err("rename failed: the name is taken\r\n");
    }
    // Go: puts a changed copy into the map.
    if let Some(clnt) = online_map.get_mut(&id) {
        clnt.name = new_name.to_vec();
    }
    Ok(())
}

/// Writes to one client what comes for it, until it has left the room and has got everything.
fn write_msg_to_client(
    msgs: &Receiver<Arc<Burst>>,
    answers: &Receiver<Vec<u8>>,
    conn: &Conn,
    behind: &AtomicBool,
) {
    if conn.set_write_timeout(Some(AT_ONCE)).is_err() {
        return;
    }
    loop {
        // Go: ranges over `C`, which nobody ever closes, so a writer outlives its client for ever.
        // Ours ends with the channel, and has the answers to write as well.
        let written = select! {
            recv(msgs) -> burst => match burst {
                Ok(burst) => write_all(conn, &burst.bytes, behind),
                Err(_) => break,
            },
            recv(answers) -> answer => answer.map_or(Ok(()), |answer| write_all(conn, &answer, behind)),
        };
        // Go: goes on writing to a connection that has failed.
        if let Err(err) = written {
            debug!("conn.Write: {err}");
            return;
        }
        if msgs.is_empty() && behind.swap(false, Relaxed) {
            let _ = conn.set_write_timeout(Some(AT_ONCE));
        }
    }
    let _ = conn.shutdown(Half::Write);
}

/// Hands what is said to everyone who is in the room.
fn manager(message: &Receiver<Message>, stopping: &Shutdown) {
    // Go: ranges over the map itself while others change it. Here who comes and who goes is told in
    // `message`, in one order with what is said.
    let mut outlets: BTreeMap<u64, Outlet> = BTreeMap::new();
    let mut bytes = Vec::new();
    // Ends when the last burst is written.
    let (_, mut written) = bounded(0);

    loop {
        let msg = select! {
            recv(message) -> msg => msg,
            recv(stopping) -> _ => break,
        };
        // Go: one message at a time, which wakes every writer for each. Ours lets the writers finish
        // with the last burst, or for a millisecond if somebody does not read, and joins what then waits.
        ends_within(&written, AT_ONCE);
        bytes.clear();
        for msg in msg.into_iter().chain(message.try_iter()) {
            match msg {
                Message::Login(id, outlet, msg) => {
                    outlets.insert(id, outlet);
                    push(&mut bytes, &msg);
                }
                Message::Said(msg) => push(&mut bytes, &msg),
                Message::Leave(id, msg) => {
                    // The one who leaves gets what was said before, and not the leaving itself.
                    if let Some(outlet) = outlets.remove(&id) {
                        outlet.hand(&Burst::new(&bytes).0);
                    }
                    if let Some(msg) = msg {
                        push(&mut bytes, &msg);
                    }
                }
            }
            if bytes.len() >= BURST {
                break;
            }
        }
        if bytes.is_empty() {
            continue;
        }
        let burst;
        (burst, written) = Burst::new(&bytes);
        let mut handed = 0;
        outlets.retain(|_, outlet| {
            let stays = outlet.hand(&burst);
            handed += 1;
            if handed % TURN == 0 {
                thread::yield_now();
            }
            stays
        });
    }
    // Every writer ends with its outlet, and that of somebody who is just coming may be in `message`.
    drop(outlets);
    for _ in message {}
}

/// Adds a message to a burst, with the line end that the writer adds in Go.
fn push(bytes: &mut Vec<u8>, msg: &[u8]) {
    bytes.extend_from_slice(msg);
    bytes.extend_from_slice(b"\r\n");
}

/// Opens the room on `listener` until `shutdown` ends, and joins every thread that a client brought.
///
/// The calling thread stays batch work, see [`take_turns`].
///
/// # Errors
/// The room cannot open. What goes wrong with a client costs that client only.
pub fn run(listener: TcpListener, options: Options, shutdown: Shutdown) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, &options.limits, KIND, shutdown)?;
    // Go: `message` is unbuffered: who speaks waits for Manager, and is woken once more for it. Ours
    // has room for 128 messages.
    let (message, messages) = bounded(if options.queue == 0 { 0 } else { WAITING });
    take_turns();
    let stopping = acceptor.stopping();
    let room = Arc::new(Room {
        online_map: Mutex::default(),
        message,
        stopping: stopping.clone(),
        options,
    });

    thread::scope(|s| {
        // Brings what is said to everyone.
        go(s, "manager".to_owned(), move || {
            manager(&messages, &stopping)
        })?;

        // Go: the room ends when one accept fails. `acceptor` waits and goes on.
        for conn in acceptor {
            let (name, room) = (conn.thread_name("handler"), Arc::clone(&room));
            if let Err(err) = go(s, name, move || handler_connect(conn, &room)) {
                warn!("a client is lost, no thread can be started: {err}");
            }
        }
        // Manager ends with the last who could send it a message.
        drop(room);
        Ok(())
    })
}

#[cfg(test)]
mod tests;
