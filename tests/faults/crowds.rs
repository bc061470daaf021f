//! Many clients, at the same time and one after another.

use std::thread;

use crate::common::random::Random;
use crate::common::user::User;
use crate::common::wait::wait_until;
use crate::{CHAT, UPPER, serve};

#[test]
fn logins_and_logouts_leave_nothing_behind() {
    const CLIENTS: usize = 3000;
    let room = serve(CHAT, &["--timeout", "300ms"]);
    let (threads, descriptors) = {
        let mut watcher = User::join(room.addr());
        watcher.read_to_end();
        wait_until(
            "the kicked client is gone",
            || room.threads() < 5,
            || room.threads().to_string(),
        );
        (room.threads(), room.descriptors())
    };
    let mut random = Random(1);
    let mut staying = Vec::new();
    for i in 0..CLIENTS {
        let mut user = if i % 3 == 0 {
            User::join(room.addr())
        } else {
            User::connect(room.addr())
        };
        match random.below(5) {
            0 => drop(user),
            1 => user.reset(),
            2 => {
                user.say("bye");
                user.close_write();
                user.read_to_end();
            }
            3 => {
                user.say("bye\nwho\nrename|x\n");
                user.reset();
            }
            // Stays until it is kicked, without closing its side.
            _ => staying.push(user),
        }
        if staying.len() > 200 {
            staying.drain(..100);
        }
    }
    room.wait_for_counts(threads, descriptors);
    drop(staying);
    room.stop();
}

#[test]
fn two_thousand_simultaneous_clients_are_all_served() {
    const CLIENTS: usize = 2000;
    for program in [CHAT, UPPER] {
        let server = serve(program, &[]);
        let addr = server.addr();
        thread::scope(|s| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    s.spawn(move || {
                        (0..CLIENTS / 8)
                            .map(|_| User::connect(addr))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            let users: Vec<_> = threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect();
            let mut users = users;
            for user in &mut users {
                if program == CHAT {
                    user.read_until(&format!("[{0}]{0}: login!!!\r\n", user.addr));
                } else {
                    user.say("hello");
                    user.expect("HELLO");
                }
            }
            server.stop();
        });
    }
}
