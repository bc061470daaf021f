//! The writer of one client, on a real connection.

use std::io::Read;

use socket2::SockRef;

use super::*;
use crate::conn::Live;

/// How long to wait for what must come, on a slow and busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// A client, and the connection of a room to it.
fn connect() -> (TcpStream, Arc<Conn>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    let (stream, addr) = listener.accept().unwrap();
    let live = Arc::new(Live::default());
    assert!(live.enter(addr.ip(), 1, 1).is_ok());
    (client, Conn::new(stream, addr, 1, &live))
}

#[test]
fn who_fell_behind_and_caught_up_is_not_kicked_later() {
    let (client, conn) = connect();
    // What is written must not all find room in the kernel.
    let long = vec![b'x'; 8 << 20];
    SockRef::from(&**conn)
        .set_send_buffer_size(1 << 16)
        .unwrap();
    let (c, msgs) = bounded(1);
    let (_answer, answers) = bounded(0);
    let behind = Arc::new(AtomicBool::new(false));
    let outlet = Outlet {
        c,
        conn: Arc::clone(&conn),
        behind: Arc::clone(&behind),
    };
    let writer = {
        let behind = Arc::clone(&behind);
        thread::spawn(move || write_msg_to_client(&msgs, &answers, &conn, &behind))
    };
    let becomes = |wanted| {
        let start = Instant::now();
        while behind.load(Relaxed) != wanted {
            assert!(
                start.elapsed() < DEADLINE,
                "behind is not {wanted} after {DEADLINE:?}"
            );
            thread::sleep(AT_ONCE);
        }
    };

    assert!(outlet.hand(&Burst::new(&long).0));
    becomes(true);
    let mut read = (&client).take(long.len() as u64);
    assert_eq!(
        io::copy(&mut read, &mut io::sink()).unwrap(),
        long.len() as u64
    );
    becomes(false);
    // These come faster than its writer can write them, and wait for it.
    for i in 0..50 {
        assert!(outlet.hand(&Burst::new(b"x").0), "kicked at burst {i}");
    }
    drop(outlet);
    writer.join().unwrap();
    assert_eq!(io::copy(&mut &client, &mut io::sink()).unwrap(), 50);
}
