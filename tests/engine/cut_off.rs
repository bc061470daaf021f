//! What users see while their server is cut off from the engine, and afterwards.

use std::io::{BufRead, BufReader, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::away::{BACK, CUT_OFF};
use crate::common::user::User;
use crate::common::wait::DEADLINE;
use crate::engine::Engine;
use crate::server;

#[test]
#[ignore = "needs redis-server"]
fn silence_timeout_does_not_run_while_the_server_is_cut_off() {
    let engine = Engine::start();
    let one = server(&engine, &["--timeout", "4s"]);
    let mut ann = User::join(one.addr());
    let a = ann.addr.clone();
    engine.signal("STOP");
    ann.expect(&format!("{CUT_OFF}\r\n"));
    thread::sleep(Duration::from_secs(6));
    ann.say("still here\n");
    engine.signal("CONT");
    ann.read_until(&format!("[{a}]{a}: still here\r\n"));
    // And is again, when the engine is back.
    let start = Instant::now();
    let rest = ann.read_to_end();
    assert!(rest.is_empty() || rest == format!("{BACK}\r\n"), "{rest:?}");
    assert!(
        start.elapsed() > Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}

#[test]
#[ignore = "needs redis-server"]
fn cut_off_server_lists_its_own_users_and_refuses_rename() {
    let engine = Engine::start();
    let (one, two) = (server(&engine, &[]), server(&engine, &[]));
    let mut ann = User::join(one.addr());
    let bob = User::join(two.addr());
    let (a, b) = (ann.addr.clone(), bob.addr.clone());
    ann.expect(&format!("[{b}]{b}: login!!!\r\n"));
    engine.signal("STOP");
    ann.expect(&format!("{CUT_OFF}\r\n"));
    ann.say("who\n");
    ann.expect(&format!("online user list: \n{a}:{a}\n"));
    ann.say("rename|Ann\n");
    ann.expect("rename failed: the other servers cannot be reached\r\n");
    engine.signal("CONT");
    ann.expect(&format!("{BACK}\r\n"));
    ann.say("rename|Ann\n");
    ann.expect("rename successful!!");
}

#[test]
#[ignore = "needs redis-server"]
fn cut_off_server_holds_its_clients_back_and_uses_no_more_memory() {
    let engine = Engine::start();
    let one = server(&engine, &[]);
    let mut ann = User::join(one.addr());
    engine.signal("STOP");
    ann.expect(&format!("{CUT_OFF}\r\n"));
    let mut bob = User::connect(one.addr());
    let b = bob.addr.clone();
    let line = format!("{}\n", "x".repeat(1000));
    let mut talker = ann.conn.try_clone().unwrap();
    talker.set_write_timeout(Some(DEADLINE)).unwrap();
    const LINES: usize = 5000;
    let sent = {
        let line = line.clone();
        thread::spawn(move || {
            (0..LINES).for_each(|_| talker.write_all(line.as_bytes()).unwrap());
        })
    };
    // 5 MB do not fit: whoever talks waits, and the server's memory stays small.
    thread::sleep(Duration::from_secs(2));
    assert!(!sent.is_finished(), "the client is held back");
    assert!(
        one.kilobytes("VmRSS") < 100_000,
        "{} kB",
        one.kilobytes("VmRSS")
    );
    engine.signal("CONT");
    thread::scope(|s| {
        s.spawn(|| bob.read_until(&format!("[{b}]{b}: login!!!\r\n")));
        // Where a read cuts a line, it is two messages.
        let mut shown = BufReader::new(&ann.conn).lines();
        let mut xs = 0;
        while xs < LINES * 1000 {
            let line = shown.next().expect("she is not kicked").unwrap();
            xs += line.matches('x').count();
        }
        assert_eq!(xs, LINES * 1000, "nothing twice");
    });
    sent.join().unwrap();
}

#[test]
#[ignore = "needs redis-server"]
fn server_shuts_down_while_the_engine_is_away() {
    let mut engine = Engine::start();
    let one = server(&engine, &[]);
    let mut ann = User::join(one.addr());
    engine.kill();
    ann.say("lost\n");
    ann.expect(&format!("{CUT_OFF}\r\n"));
    let start = Instant::now();
    one.stop();
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );

    let engine = Engine::start();
    let one = server(&engine, &[]);
    let mut ann = User::join(one.addr());
    engine.signal("STOP");
    ann.expect(&format!("{CUT_OFF}\r\n"));
    let start = Instant::now();
    one.stop();
    assert!(
        start.elapsed() < Duration::from_secs(9),
        "{:?}",
        start.elapsed()
    );
}
