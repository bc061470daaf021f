//! Stopping a server, whatever its clients do at that time.

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::user::User;
use crate::common::wait::DEADLINE;
use crate::{CHAT, serve};

#[test]
fn shutdown_does_not_wait_for_clients_that_close() {
    let room = serve(CHAT, &["--timeout", "1h"]);
    let mut users: Vec<_> = (0..20).map(|_| User::join(room.addr())).collect();
    let start = Instant::now();
    room.signal("INT");
    for mut user in users.drain(..) {
        user.read_to_end();
    }
    assert_eq!(room.wait_end().code(), Some(0));
    let took = start.elapsed();
    assert!(
        took < Duration::from_millis(900),
        "it took {took:?}, about the whole grace period"
    );
}

#[test]
fn thousand_clients_see_a_clean_end_at_shutdown() {
    const CLIENTS: usize = 1000;
    const STALLED: usize = 50;
    let room = serve(CHAT, &["--timeout", "1h"]);
    let mut first = User::join(room.addr());
    let stalled: Vec<_> = (0..STALLED).map(|_| User::connect(room.addr())).collect();
    let (done, ends) = mpsc::channel();
    thread::scope(|s| {
        let mut users: Vec<_> = (0..CLIENTS - STALLED - 1)
            .map(|_| User::connect(room.addr()))
            .collect();
        // Only clients that have logged in receive the messages.
        for _ in 0..CLIENTS - 1 {
            first.read_until(": login!!!\r\n");
        }
        let last = users.last().unwrap().addr.clone();
        users.last_mut().unwrap().say("last words");
        first.read_until(&format!("[{last}]{last}: last words\r\n"));
        let words = format!("[{last}]{last}: last words\r\n");
        // Eight threads read for all clients; some also send until the end.
        let chunks: Vec<Vec<User>> = (0..8)
            .map(|_| users.split_off(users.len().saturating_sub(CLIENTS / 8)))
            .collect();
        assert!(users.is_empty());
        for mut chunk in chunks {
            let (done, words) = (done.clone(), words.clone());
            s.spawn(move || {
                for user in chunk.iter_mut().step_by(10) {
                    let _ = user.conn.write_all(b"talking\n");
                }
                for user in &mut chunk {
                    done.send(user.read_all().contains(&words)).unwrap();
                }
            });
        }
        drop(done);
        let start = Instant::now();
        room.signal("TERM");
        let status = room.wait_end();
        let took = start.elapsed();
        assert_eq!(status.code(), Some(0), "{}", room.seen());
        assert!(took < Duration::from_secs(2), "it took {took:?} to stop");
        let ends: Vec<bool> = ends.iter().collect();
        assert_eq!(ends.len(), CLIENTS - STALLED - 1);
        assert!(
            ends.iter().all(|heard| *heard),
            "some clients did not get all messages from before the end"
        );
    });
    first.read_to_end();
    drop(stalled);
}

#[test]
fn server_stops_while_clients_connect() {
    for _ in 0..10 {
        let room = serve(CHAT, &[]);
        let addr = room.addr();
        let (came, comes) = mpsc::channel();
        let guests: Vec<_> = (0..4)
            .map(|_| {
                let came = came.clone();
                thread::spawn(move || {
                    // Until the room accepts no more clients.
                    let mut guests = Vec::new();
                    while let Ok(conn) = TcpStream::connect(addr) {
                        guests.push(conn);
                        came.send(()).ok();
                    }
                })
            })
            .collect();
        for _ in 0..40 {
            comes.recv_timeout(DEADLINE).expect("clients come");
        }
        room.stop();
        for guest in guests {
            guest.join().unwrap();
        }
    }
}
