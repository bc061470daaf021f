//! Servers that do anything but serve: each is named in one line, in bounded time.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::run;

/// Listens on a free port until the test program ends, and gives each connection to `each`, on a
/// thread of its own.
fn serve(each: fn(TcpStream) -> io::Result<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for conn in listener.incoming() {
            thread::spawn(move || each(conn.unwrap()));
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

/// Says what is nothing to anybody, without end.
fn talk(mut conn: TcpStream) -> io::Result<()> {
    loop {
        conn.write_all(&b"[127.0.0.1:1]a: hi\r\n".repeat(1000))?;
    }
}

#[test]
fn an_echo_that_never_answers_right_is_named() {
    let servers: [fn(TcpStream) -> io::Result<()>; 5] = [
        listen,
        talk,
        |conn| answer(conn, |_, line| line.to_ascii_lowercase()),
        |conn| answer(conn, |_, line| line[..line.len() / 2].to_vec()),
        // Right once, so that everyone is in.
        |conn| {
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
fn an_echo_that_closes_every_connection_is_named() {
    let addr = serve(|_| Ok(()));
    run(&format!("echo --addr {addr} -c 3 -d 200ms"), &[])
        .expect_one_error("closed every connection at once");
}
