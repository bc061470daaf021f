//! The engine answers late, refuses, or its answers are lost.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use crate::away::{assert_every_batch_is_stored_once, talk_through};
use crate::common::user::User;
use crate::engine::Engine;
use crate::failover::server_at;
use crate::server;

/// Users of two servers talk while the engine refuses what they say, until both servers have noticed.
#[track_caller]
fn talk_while_refused(refuse: impl FnOnce(&Engine), accept: impl FnOnce(&Engine)) {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    talk_through(&[&one, &two], || {
        refuse(&engine);
        one.wait_for_stderr("the engine does not answer");
        two.wait_for_stderr("the engine does not answer");
        accept(&engine);
    });
    assert_every_batch_is_stored_once(&engine);
}

#[test]
#[ignore = "needs redis-server"]
fn no_message_is_lost_while_the_engine_is_paused() {
    for kind in ["WRITE", "ALL"] {
        talk_while_refused(
            |engine| {
                let _: String = engine.ask(&format!("CLIENT PAUSE 4000 {kind}"));
            },
            // It ends by itself.
            |_| {},
        );
    }
}

#[test]
#[ignore = "needs redis-server"]
fn no_message_is_lost_while_the_engine_is_a_read_only_replica() {
    talk_while_refused(
        |engine| {
            let _: String = engine.ask("REPLICAOF 127.0.0.1 1");
        },
        |engine| {
            let _: String = engine.ask("REPLICAOF NO ONE");
        },
    );
}

#[test]
#[ignore = "needs redis-server"]
fn no_message_is_lost_while_the_engine_has_another_password() {
    talk_while_refused(
        |engine| {
            let _: String = engine.ask("CONFIG SET requirepass sesame");
            let _: i64 = engine.ask_as("sesame", "CLIENT KILL TYPE normal SKIPME yes");
        },
        |engine| {
            let _: String = engine.ask_as("sesame", "ACL SETUSER default nopass");
        },
    );
}

#[test]
#[ignore = "needs redis-server"]
fn a_batch_whose_answer_is_lost_is_stored_and_shown_once() {
    let engine = Engine::start();
    let (proxy, is_mute) = proxy(([127, 0, 0, 1], engine.port).into());
    let one = server_at(&format!("redis://{proxy}"));
    let two = server(&engine, &[]);
    // Nobody talks on the second server: the engine might keep less than they say until the first hears again.
    let mut listener = User::join(two.addr());
    let (shown, _) = talk_through(&[&one], || {
        is_mute.store(true, Relaxed);
        one.wait_for_stderr("nothing came for 2 s");
        is_mute.store(false, Relaxed);
    });
    let messages = |lines: &[String]| -> Vec<String> {
        let messages = lines.iter().filter(|line| line.contains(": m"));
        messages.cloned().collect()
    };
    let shown = messages(&shown);
    let heard = listener.read_until(&format!("{}\r\n", shown.last().unwrap()));
    let heard: Vec<_> = heard.lines().map(str::to_owned).collect();
    assert_eq!(messages(&heard), shown);
    assert_every_batch_is_stored_once(&engine);
}

/// A way to the engine on which answers are lost while it is mute.
fn proxy(engine: SocketAddr) -> (SocketAddr, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let is_mute = Arc::<AtomicBool>::default();
    let shared = Arc::clone(&is_mute);
    thread::spawn(move || {
        for conn in listener.incoming() {
            let (conn, is_mute) = (conn.unwrap(), Arc::clone(&shared));
            let Ok(to_engine) = TcpStream::connect(engine) else {
                continue;
            };
            let mut questions = conn.try_clone().unwrap();
            let mut to = to_engine.try_clone().unwrap();
            thread::spawn(move || {
                // Either end may close at any time.
                io::copy(&mut questions, &mut to).ok();
                to.shutdown(Shutdown::Both).ok();
            });
            thread::spawn(move || pass_answers(to_engine, conn, &is_mute));
        }
    });
    (addr, is_mute)
}

fn pass_answers(mut from: TcpStream, mut to: TcpStream, is_mute: &AtomicBool) {
    let mut buf = [0; 65536];
    while let Ok(n @ 1..) = from.read(&mut buf) {
        if !is_mute.load(Relaxed) && to.write_all(&buf[..n]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Both).ok();
}
