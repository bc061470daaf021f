//! Section four: the concurrent chat room, in the order of the course's final listing.
//!
//! | channel | from | to |
//! |---|---|---|
//! | `message` | everyone | `manager` |
//! | `c`, one a client | `manager` | its `write_msg_to_client` |
//! | `answer`, one a client | its reader | its `write_msg_to_client` |
//! | `has_data`, `is_quit`, one a client | its reader | its `handler_connect` |

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown as Half, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, SendTimeoutError, Sender, TrySendError, after, bounded, select};
use log::{debug, warn};
use parking_lot::Mutex;

use crate::accept::{Acceptor, Conn, GRACE, Kind, ended, ends_within};
use crate::fmt;
use crate::go::go;
use crate::lines::{LONGEST, messages};
pub use crate::options::{Options, Stage};
use crate::pace::Pace;
use crate::shutdown::Shutdown;

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

/// How long a write to a client that reads may take. The kernel rounds it up to its clock's tick.
const AT_ONCE: Duration = Duration::from_millis(1);

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

/// What [`manager`] needs to reach a user.
struct Outlet {
    c: Sender<Arc<[u8]>>,
    conn: Arc<Conn>,
    /// Whether the connection is full, for want of reading, and the writer has not caught up since.
    behind: Arc<AtomicBool>,
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
            let mut pace = Pace::new(rate, Instant::now());
            loop {
                // Without its writer a client has gone, however much of its words is still unread.
                let n = match ended(&written) {
                    true => 0,
                    false => conn.read(&mut buf).unwrap_or(0),
                };
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
                for msg in messages(&buf[..n]) {
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
                        let clnt = room.online_map.lock().get(&id).cloned();
                        if let Some(clnt) = clnt {
                            room.message.send(Message::Said(make_msg(&clnt, &msg))).ok();
                        }
                    }
                    has_data.send(true).ok();
                    pace.wait(&written);
                    if ended(&written) {
                        break;
                    }
                }
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
    msgs: &Receiver<Arc<[u8]>>,
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
                Ok(burst) => write_all(conn, &burst, behind),
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

/// Writes all of it, and notes it when the client does not take it at once.
fn write_all(mut conn: &TcpStream, mut bytes: &[u8], behind: &AtomicBool) -> io::Result<()> {
    loop {
        match conn.write(bytes) {
            Ok(n) if n == bytes.len() => return Ok(()),
            Ok(n) => bytes = &bytes[n..],
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(err) => return Err(err),
        }
        behind.store(true, Relaxed);
        conn.set_write_timeout(None)?;
    }
}

/// Hands what is said to everyone who is in the room.
fn manager(room: &Room, message: &Receiver<Message>) {
    // Go: ranges over the map itself while others change it. Here who comes and who goes is told in
    // `message`, in one order with what is said.
    let mut outlets = BTreeMap::new();

    loop {
        let msg = select! {
            recv(message) -> msg => msg,
            recv(room.stopping) -> _ => return,
        };
        // Go: one message at a time, which wakes every writer for each. Ours lets those who are about
        // to speak have their turn, and joins what is then waiting.
        thread::yield_now();
        let mut burst = Vec::new();
        for msg in msg.into_iter().chain(message.try_iter()) {
            match msg {
                Message::Login(id, outlet, msg) => {
                    outlets.insert(id, outlet);
                    push(&mut burst, &msg);
                }
                Message::Said(msg) => push(&mut burst, &msg),
                Message::Leave(id, msg) => {
                    // The one who leaves gets what was said before, and not the leaving itself.
                    if let Some(outlet) = outlets.remove(&id) {
                        hand(room, &outlet, &burst[..].into());
                    }
                    if let Some(msg) = msg {
                        push(&mut burst, &msg);
                    }
                }
            }
            if burst.len() >= BURST {
                break;
            }
        }
        if !burst.is_empty() {
            let burst = burst.into();
            outlets.retain(|_, outlet| hand(room, outlet, &burst));
        }
    }
}

/// Adds a message to a burst, with the line end that the writer adds in Go.
fn push(burst: &mut Vec<u8>, msg: &[u8]) {
    burst.extend_from_slice(msg);
    burst.extend_from_slice(b"\r\n");
}

/// Hands a burst to one user's writer, and says whether the user may stay.
fn hand(room: &Room, outlet: &Outlet, burst: &Arc<[u8]>) -> bool {
    let mut burst = Arc::clone(burst);
    if room.options.queue == 0 {
        outlet.c.send(burst).ok();
        return true;
    }
    while let Err(TrySendError::Full(unsent)) = outlet.c.try_send(burst) {
        // The client is to blame, because it does not read: nobody waits for it.
        if outlet.behind.load(Relaxed) {
            warn!(
                "{} kicked: it does not read, {} bursts wait for it",
                outlet.conn.addr(),
                outlet.c.len()
            );
            let _ = outlet.conn.shutdown(Half::Both);
            return false;
        }
        // Its writer is only late, on a busy machine: its time will come.
        match outlet.c.send_timeout(unsent, AT_ONCE) {
            Err(SendTimeoutError::Timeout(unsent)) => burst = unsent,
            _ => break,
        }
    }
    true
}

/// Opens the room on `listener` until `shutdown` ends, and joins every thread that a client brought.
///
/// # Errors
/// The room cannot open. What goes wrong with a client costs that client only.
pub fn run(listener: TcpListener, options: Options, shutdown: Shutdown) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, &options.limits, KIND, shutdown)?;
    let (message, messages) = bounded(0);
    let room = Room {
        online_map: Mutex::default(),
        message,
        stopping: acceptor.stopping(),
        options,
    };
    let room = &room;

    thread::scope(|s| {
        // Brings what is said to everyone.
        go(s, "manager".to_owned(), move || manager(room, &messages))?;

        // Go: the room ends when one accept fails. `acceptor` waits and goes on.
        for conn in acceptor {
            let name = conn.thread_name("handler");
            if let Err(err) = go(s, name, move || handler_connect(conn, room)) {
                warn!("a client is lost, no thread can be started: {err}");
            }
        }
        Ok(())
    })
}
