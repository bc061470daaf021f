//! A chat room that makes faults on purpose, and counts them.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::measure;

/// The faults that were made.
#[derive(Clone, Copy, Debug, Default)]
struct Faults {
    lost: u64,
    doubled: u64,
    swapped: u64,
    damaged: u64,
}

impl Faults {
    fn all_kinds_happened(&self) -> bool {
        let Faults {
            lost,
            doubled,
            swapped,
            damaged,
        } = *self;
        [lost, doubled, swapped, damaged].iter().all(|&n| n > 0)
    }
}

#[derive(Default)]
struct State {
    users: Vec<(SocketAddr, TcpStream)>,
    said: u64,
    /// What the victim gets after the next message, instead of before it.
    held: Option<Vec<u8>>,
    faults: Faults,
}

/// The room, to be asked afterwards what it did.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<State>>);

/// Opens the room on a free port; it stays open until the test program ends.
fn start() -> (SocketAddr, Room) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let room = Room::default();
    let shared = room.clone();
    thread::spawn(move || {
        for conn in listener.incoming() {
            let (conn, room) = (conn.unwrap(), shared.clone());
            thread::spawn(move || room.serve(conn));
        }
    });
    (addr, room)
}

impl Room {
    /// The faults that were made; what is held back for ever is lost.
    fn take(&self) -> Faults {
        let mut state = self.0.lock().unwrap();
        state.faults.lost += u64::from(state.held.take().is_some());
        state.faults
    }

    fn serve(&self, conn: TcpStream) {
        let addr = conn.peer_addr().unwrap();
        let reader = BufReader::new(conn.try_clone().unwrap());
        {
            let mut state = self.0.lock().unwrap();
            state.users.push((addr, conn));
            state.tell(&format!("[{addr}]{addr}: login!!!\r\n").into_bytes());
        }
        for line in reader.lines().map_while(Result::ok) {
            let line = format!("[{addr}]{addr}: {line}\r\n").into_bytes();
            self.0.lock().unwrap().say(addr, line);
        }
        let mut state = self.0.lock().unwrap();
        state.users.retain(|(other, _)| *other != addr);
    }
}

impl State {
    fn tell(&mut self, line: &[u8]) {
        for (_, user) in &mut self.users {
            user.write_all(line).ok();
        }
    }

    /// Sends a line to everyone, and to one of them now and then wrongly.
    fn say(&mut self, from: SocketAddr, line: Vec<u8>) {
        self.said += 1;
        let mut wrong = line.clone();
        let mut spared = false;
        match self.said % 50 {
            10 => {
                wrong.clear();
                self.faults.lost += 1;
            }
            20 => {
                wrong.extend_from_slice(&line);
                self.faults.doubled += 1;
            }
            30 => {
                let end = wrong.len() - b"x\r\n".len();
                wrong[end] = b'0';
                self.faults.damaged += 1;
            }
            40 => {
                wrong.clear();
                self.held = Some(line.clone());
            }
            _ => match self.held.take() {
                Some(held) => {
                    wrong.extend_from_slice(&held);
                    self.faults.swapped += 1;
                }
                None => spared = true,
            },
        }
        // The victim is whoever is first and not the sender, who waits for its own message.
        let victim = self.users.iter().position(|(addr, _)| *addr != from);
        for (i, (_, user)) in self.users.iter_mut().enumerate() {
            let hit = !spared && Some(i) == victim;
            user.write_all(if hit { &wrong } else { &line }).ok();
        }
    }
}

#[test]
fn every_fault_of_a_broken_room_is_found() {
    let (addr, faults) = start();
    let line = format!("chat --addr {addr} -c 3 --senders 1 -d 500ms --rounds 1");
    let (record, out) = measure(&line, &[]);
    let round = &record.points[0].rounds[0];
    let made = faults.take();
    assert!(made.all_kinds_happened(), "{made:?}");
    let found = (
        round.lost,
        round.duplicated,
        round.out_of_order,
        round.damaged,
    );
    // What is damaged never came whole.
    let expected = (
        made.lost + made.damaged,
        made.doubled,
        made.swapped,
        made.damaged,
    );
    assert_eq!(found, expected, "{made:?} {round:?}");
    assert_eq!(round.deliveries + round.lost, round.messages * 3);
    assert!(out.contains("out of order"), "{out}");
}
