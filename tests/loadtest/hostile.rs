//! Servers that do anything but serve: each is named in one line, in bounded time.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::{measure, run};

/// Listens on a free port until the test program ends, and gives each connection to `each`, with its
/// number from 0 and on a thread of its own.
fn serve(each: fn(usize, TcpStream) -> io::Result<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (nth, conn) in listener.incoming().enumerate() {
            thread::spawn(move || each(nth, conn.unwrap()));
        }
    });
    addr
}

/// Answers each line with what `answer` makes of its number and its upper case.
fn answer(mut conn: TcpStream, answer: fn(usize, Vec<u8>) -> Vec<u8>) -> io::Result<()> {
    let reader = BufReader::new(conn.try_clone()?);
    for (nth, line) in reader.split(b'\n').enumerate() {
        let mut line = line?.to_ascii_uppercase();
        line.push(b'\n');
        conn.write_all(&answer(nth, line))?;
    }
    Ok(())
}

/// Reads and says nothing.
fn listen(mut conn: TcpStream) -> io::Result<()> {
    io::copy(&mut conn, &mut io::sink()).map(drop)
}

/// Lets it in, by the line that says so.
fn let_in(conn: &mut TcpStream) -> io::Result<()> {
    let client = conn.peer_addr()?;
    conn.write_all(format!("[{client}]{client}: login!!!\r\n").as_bytes())
}

/// Says what is nothing to anybody, without end.
fn talk(mut conn: TcpStream) -> io::Result<()> {
    loop {
        conn.write_all(&b"[127.0.0.1:1]a: hi\r\n".repeat(1000))?;
    }
}

#[test]
fn echo_server_without_a_right_answer_is_reported() {
    let servers: [fn(usize, TcpStream) -> io::Result<()>; 5] = [
        |_, conn| listen(conn),
        |_, conn| talk(conn),
        |_, conn| answer(conn, |_, line| line.to_ascii_lowercase()),
        |_, conn| answer(conn, |_, line| line[..line.len() / 2].to_vec()),
        // Right once, so that everyone is in.
        |_, conn| {
            answer(conn, |nth, line| {
                if nth == 0 {
                    line
                } else {
                    b"\n".repeat(line.len())
                }
            })
        },
    ];
    let ends = servers.map(|server| {
        thread::spawn(move || run(&format!("echo --addr {} -c 3 -d 200ms", serve(server)), &[]))
    });
    for end in ends {
        end.join().unwrap().expect_one_error("right answer");
    }
}

#[test]
fn echo_server_that_closes_every_connection_is_reported() {
    let addr = serve(|_, _| Ok(()));
    run(&format!("echo --addr {addr} -c 3 -d 200ms"), &[])
        .expect_one_error("closed every connection at once");
}

#[test]
fn room_that_disconnects_everyone_is_reported() {
    let addr = serve(|_, mut conn| let_in(&mut conn));
    for more in [&[][..], &["--rate", "100"]] {
        run(&format!("chat --addr {addr} -c 5 -d 200ms"), more)
            .expect_one_error("disconnected everyone");
    }
}

#[test]
fn disconnected_client_is_counted() {
    // The first two go before the others come in.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        let guests: Vec<_> = (0..5).map(|_| listener.accept().unwrap().0).collect();
        for (nth, mut guest) in guests.into_iter().enumerate() {
            let_in(&mut guest).unwrap();
            if nth >= 2 {
                thread::spawn(move || listen(guest));
            }
        }
    });
    let (record, _) = measure(&format!("chat --addr {addr} -c 5 -d 200ms --rounds 1"), &[]);
    let round = &record.points[0].rounds[0];
    assert_eq!((round.connected, round.dropped), (3, 2), "{round:?}");
    let warnings = record.warnings.join("\n");
    assert!(warnings.contains("disconnected 2 clients"), "{warnings}");
}

#[test]
fn room_that_sends_but_admits_nobody_is_reported() {
    let addr = serve(|_, conn| talk(conn));
    run(&format!("chat --addr {addr} -c 3 -d 200ms"), &[])
        .expect_one_error("let nobody into the room");
}

#[test]
fn client_that_is_never_admitted_delays_nobody() {
    let addr = serve(|nth, mut conn| {
        if nth == 2 {
            return talk(conn);
        }
        let_in(&mut conn)?;
        listen(conn)
    });
    let (record, _) = measure(&format!("chat --addr {addr} -c 3 -d 200ms --rounds 1"), &[]);
    let round = &record.points[0].rounds[0];
    assert_eq!((round.connected, round.dropped), (2, 0), "{round:?}");
}

#[test]
fn visitors_of_the_warm_up_share_no_cost() {
    let addr = serve(|nth, mut conn| {
        let_in(&mut conn)?;
        // Those of the warm-up do not get their message, and stay until its end.
        if nth < 50 {
            return listen(conn);
        }
        let client = conn.peer_addr()?;
        let mut line = format!("[{client}]{client}: ").into_bytes();
        BufReader::new(conn.try_clone()?).read_until(b'\n', &mut line)?;
        conn.write_all(&line)
    });
    let line = "-c 60 --rate 100 --warm-up 500ms -d 100ms --rounds 1";
    let (record, _) = measure(&format!("churn --addr {addr} {line}"), &[]);
    let round = &record.points[0].rounds[0];
    assert_eq!((round.deliveries, round.lost), (10, 0), "{round:?}");
    let cost = round.server.as_ref().unwrap();
    assert!(cost.clients <= 10, "{cost:?}");
}

#[test]
fn disconnect_behind_unread_data_is_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        // Alone first, then with one that never reads and gets megabytes before it is disconnected.
        for is_with_stalled in [false, true] {
            let (mut conn, peer) = listener.accept().unwrap();
            let_in(&mut conn).unwrap();
            let mut out = conn.try_clone().unwrap();
            let echo = move || {
                let reader = BufReader::new(conn.try_clone().unwrap());
                for line in reader.split(b'\n').map_while(Result::ok) {
                    let line = [format!("[{peer}]{peer}: ").as_bytes(), &line, b"\r\n"].concat();
                    conn.write_all(&line).ok();
                }
            };
            thread::spawn(echo);
            if is_with_stalled {
                let (mut stalled, peer) = listener.accept().unwrap();
                stalled.set_nonblocking(true).unwrap();
                while stalled.write(&[b'x'; 4096]).is_ok() {}
                out.write_all(format!("[{peer}]{peer}: login!!!\r\n").as_bytes())
                    .unwrap();
            }
        }
    });
    let line = format!("slow --addr {addr} -c 1 --stalled 1 -d 200ms --rounds 1");
    let (record, _) = measure(&line, &[]);
    let dropped = record.points.iter().map(|point| point.rounds[0].dropped);
    assert_eq!(dropped.collect::<Vec<_>>(), [0, 1], "{record:?}");
}

#[test]
fn answer_missing_in_the_warm_up_is_no_disconnect() {
    // The request after those that the first answers were to.
    fn swallow(conn: TcpStream) -> io::Result<()> {
        answer(conn, |nth, line| match nth {
            3 => Vec::new(),
            _ => line,
        })
    }
    let first = serve(|nth, conn| match nth {
        0 => swallow(conn),
        _ => answer(conn, |_, line| line),
    });
    let line = "echo -c 2 --warm-up 200ms -d 200ms --rounds 1 --addr";
    let (record, _) = measure(&format!("{line} {first}"), &[]);
    let round = &record.points[0].rounds[0];
    let counts = (round.connected, round.dropped, round.lost);
    assert_eq!(counts, (1, 0, 0), "{round:?}");
    let all = serve(|_, conn| swallow(conn));
    run(&format!("{line} {all}"), &[])
        .expect_one_error("left a request of every client in the warm-up unanswered");
}
