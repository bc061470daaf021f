//! Where Go's room breaks, shown on Go's program, and the same onslaught on ours.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::program::{Program, text};
use crate::common::wait::DEADLINE;
use crate::golang;
use crate::side::Side;

/// How many connect at once.
const CROWD: usize = 100;

/// How often the race is run on Go's program before it counts as lost.
const ROUNDS: usize = 30;

/// The map of Go's room has no lock: when many come at once, two goroutines meet in it and the
/// runtime ends the program.
#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn many_clients_crash_the_go_room() {
    for round in 1..=ROUNDS {
        let server = Program::serve(&mut Command::new(golang::chat_as_published()));
        if let Err(what) = crowd(server.addr()) {
            let status = server.wait_end();
            assert!(
                server.stderr().contains("fatal error: concurrent map"),
                "{}",
                server.seen()
            );
            println!("Go's room died in round {round} ({status}); a client saw: {what}");
            return;
        }
    }
    panic!("{CROWD} clients at once, {ROUNDS} times, and Go's room lives");
}

#[test]
fn many_clients_do_not_crash_our_room() {
    let server = Program::serve(&mut Side::Ours.command("chat_server"));
    for round in 1..=3 {
        crowd(server.addr())
            .unwrap_or_else(|what| panic!("round {round}: {what}: {}", server.seen()));
    }
}

/// A hundred clients come at once; each must be told of its own login, and then hear the one who
/// speaks when all are there.
fn crowd(addr: SocketAddr) -> Result<(), String> {
    let together = Barrier::new(CROWD);
    let come = || {
        together.wait();
        let conn = connect(addr)?;
        let own = conn.local_addr().map_err(|err| err.to_string())?;
        hear(&conn, format!("[{own}]{own}: login!!!\r\n").as_bytes())?;
        Ok(conn)
    };
    let conns: Result<Vec<TcpStream>, String> = thread::scope(|s| {
        let clients: Vec<_> = (0..CROWD).map(|_| s.spawn(come)).collect();
        clients
            .into_iter()
            .map(|client| client.join().expect("a client panicked"))
            .collect()
    });
    let conns = conns?;
    (&conns[0])
        .write_all(b"all here")
        .map_err(|err| err.to_string())?;
    conns
        .iter()
        .try_for_each(|conn| hear(conn, b": all here\r\n"))
}

/// How long Go's room stays frozen under the eyes of the test: longer than [`TIMEOUT`], after which
/// it should kick the one who stopped reading.
const FROZEN: Duration = Duration::from_secs(6);

/// After how long Go's room kicks who is silent.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How much is said at most: many times of what two sockets can hold.
const FLOOD: usize = 64 << 20;

/// When one client stops reading, Go's Manager waits for it for ever, and with it everyone. The
/// timeout does not help: who is kicked by it first tells Manager so.
#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn slow_client_freezes_the_go_room() {
    let mut command = Command::new(golang::chat_without_race(TIMEOUT));
    let server = Program::serve(&mut command);
    let deaf = connect(server.addr()).expect("cannot connect");
    hear(&deaf, b"login!!!\r\n").expect("the first login");
    let talker = connect(server.addr()).expect("cannot connect");
    hear(&talker, b"login!!!\r\n").expect("the second login");
    talker
        .set_read_timeout(Some(FROZEN))
        .expect("cannot set a deadline");

    let mut said = 0;
    let unheard = loop {
        match say(&talker) {
            Ok(length) => said += length,
            Err(what) => break what,
        }
        assert!(
            said < FLOOD,
            "{said} bytes unread, and Go's room goes on: {}",
            server.seen()
        );
    };
    println!("Go's room froze with {said} bytes unread; the talker: {unheard}");
    // It lasts: the deaf one should have been kicked by now, and it is not that the room has died.
    let late = connect(server.addr()).expect("the system still accepts for it");
    late.set_read_timeout(Some(FROZEN))
        .expect("cannot set a deadline");
    let silence = (&late).read(&mut [0; 64]);
    let frozen = matches!(&silence, Err(err) if err.kind() == ErrorKind::WouldBlock);
    assert!(
        frozen,
        "one who came late got {silence:?}: {}",
        server.seen()
    );
    assert!(server.status().is_none(), "{}", server.seen());
    // It was that one alone: with it gone, all that waited goes on.
    drop(deaf);
    hear(&late, b"login!!!\r\n").unwrap_or_else(|what| panic!("thawed: {what}: {}", server.seen()));
}

/// Ours kicks the one who does not read, tells the others, and never stops serving them.
#[test]
fn slow_client_is_kicked_from_our_room() {
    let server = Program::serve(&mut Side::Ours.command("chat_server"));
    let deaf = connect(server.addr()).expect("cannot connect");
    hear(&deaf, b"login!!!\r\n").expect("the first login");
    let talker = connect(server.addr()).expect("cannot connect");
    hear(&talker, b"login!!!\r\n").expect("the second login");

    let mut said = 0;
    while !server.stderr().contains("kicked") {
        said += say(&talker)
            .unwrap_or_else(|what| panic!("after {said} bytes: {what}: {}", server.seen()));
        assert!(
            said < FLOOD,
            "{said} bytes unread and nobody is kicked: {}",
            server.seen()
        );
    }
    let late = connect(server.addr()).expect("cannot connect");
    hear(&late, b"login!!!\r\n").unwrap_or_else(|what| panic!("late: {what}: {}", server.seen()));
    (&late).write_all(b"who").expect("cannot send");
    let own = talker.local_addr().expect("a connection has an address");
    hear(&late, format!("{own}:{own}\n").as_bytes()).expect("the talker is listed");
    say(&talker).expect("the talker is still served");
}

fn connect(addr: SocketAddr) -> Result<TcpStream, String> {
    let conn = TcpStream::connect(addr).map_err(|err| format!("cannot connect: {err}"))?;
    conn.set_nodelay(true).expect("cannot send at once");
    conn.set_read_timeout(Some(DEADLINE))
        .expect("cannot set a deadline");
    Ok(conn)
}

/// Says 4000 bytes and waits to hear them.
fn say(conn: &TcpStream) -> Result<usize, String> {
    let msg = [b'x'; 4000];
    let mut conn = conn;
    conn.write_all(&msg).map_err(|err| err.to_string())?;
    hear(conn, b"xx\r\n")?;
    Ok(msg.len())
}

/// Reads until these bytes have come, whatever comes before and with them.
fn hear(mut conn: &TcpStream, wanted: &[u8]) -> Result<(), String> {
    let deadline = Instant::now() + DEADLINE;
    let mut heard = Vec::new();
    let mut buf = [0; 8192];
    while !heard.windows(wanted.len()).any(|window| window == wanted) {
        let what = match conn.read(&mut buf) {
            Ok(0) => "the end".to_owned(),
            Ok(n) if Instant::now() < deadline => {
                heard.extend_from_slice(&buf[..n]);
                continue;
            }
            Ok(_) => "more of that".to_owned(),
            Err(err) => err.to_string(),
        };
        return Err(format!(
            "{what} in place of {:?} after {:?}",
            text(wanted),
            text(&heard)
        ));
    }
    Ok(())
}
