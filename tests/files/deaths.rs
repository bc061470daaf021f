//! Client or server dies, is stopped, or disconnects half-way: no partial file looks complete, and no program reports
//! success.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crossbeam_channel::bounded;
use socket2::SockRef;
#[cfg(unix)]
use tempfile::TempDir;
use tempfile::tempdir;
use threadline::file;
use threadline::server::accept::{Acceptor, ServerProfile};
use threadline::server::limits::Limits;

use super::*;

/// A client in the middle of sending a named pipe to a server.
#[cfg(unix)]
struct HalfWay {
    _from: TempDir,
    to: TempDir,
    feed: fs::File,
    client: Program,
    server: Program,
}

#[cfg(unix)]
fn half_way(args: &[&str]) -> HalfWay {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let server = server(to.path(), args);
    let path = from.path().join("name");
    let mut feed = pipe(&path);
    let client = Program::start(CLIENT, &[&server.addr().to_string(), &path]);
    feed.write_all(b"the first half").unwrap();
    until_some_has_come(to.path());
    HalfWay {
        _from: from,
        to,
        feed,
        client,
        server,
    }
}

/// Closes a connection with a reset, as when one of our programs dies.
fn reset(stream: TcpStream) {
    SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
}

#[test]
#[cfg(unix)]
fn killed_client_leaves_no_file() {
    let mut t = half_way(&[]);
    t.client.signal("KILL");
    let ended = t.server.ended();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("the sender disconnected"),
        "{:?}",
        ended.stderr
    );
    assert!(!String::from_utf8_lossy(&ended.stdout).contains(RECEIVED));
    assert_eq!(names(t.to.path()), [""; 0]);
}

#[test]
#[cfg(unix)]
fn interrupted_client_does_not_report_success() {
    for signal in ["INT", "TERM"] {
        let mut t = half_way(&["--keep"]);
        t.client.signal(signal);
        t.client
            .ended()
            .expect_one_error("name was not sent completely");
        t.server.wait_for_stderr("the sender disconnected");
        until_names("the partial file is removed", t.to.path(), <[_]>::is_empty);
        // The server keeps working.
        let mut stream = begin(t.server.addr(), "next");
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(rest(&mut stream).starts_with("received 0 bytes"));
    }
}

#[test]
fn client_interrupted_before_the_receipt_does_not_report_success() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("name");
    fs::write(&path, "content").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = Program::start(
        CLIENT,
        &[&listener.local_addr().unwrap().to_string(), &path],
    );
    let mut stream = accept(&listener);
    assert_eq!(rest(&mut stream), "content");
    client.signal("INT");
    client
        .ended()
        .expect_one_error("name was sent, but not confirmed");
}

#[test]
#[cfg(unix)]
fn killed_client_resets_the_connection_to_a_go_server() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("name");
    let mut feed = pipe(&path);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Program::start(
        CLIENT,
        &[&listener.local_addr().unwrap().to_string(), &path],
    );
    let mut stream = accept(&listener);
    feed.write_all(b"half").unwrap();
    stream.read_exact(&mut [0; 4]).unwrap();
    client.signal("KILL");
    assert_eq!(
        stream.read(&mut [0; 1]).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
}

#[test]
#[cfg(unix)]
fn client_of_a_killed_server_fails_and_the_partial_file_is_removed_later() {
    let mut t = half_way(&[]);
    t.server.signal("KILL");
    t.server.ended();
    t.feed.write_all(b"the second half").unwrap();
    drop(t.feed);
    t.client
        .ended()
        .expect_one_error("name was not sent completely");

    let left = names(t.to.path());
    assert!(
        matches!(&left[..], [part] if part.starts_with(".threadline-")),
        "{left:?}"
    );
    let next = server(t.to.path(), &[]);
    next.addr();
    next.wait_for_stderr("left by an interrupted transfer");
    assert_eq!(names(t.to.path()), [""; 0]);
}

#[test]
#[cfg_attr(windows, ignore = "needs Windows itself")]
fn killed_server_resets_the_connection() {
    let dir = tempdir().unwrap();
    let server = server(dir.path(), &[]);
    let mut stream = begin(server.addr(), "name");
    stream.write_all(b"all of it").unwrap();
    until_some_has_come(dir.path());
    server.signal("KILL");
    assert_eq!(
        stream.read(&mut [0; 1]).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
}

#[test]
fn client_fails_if_the_server_dies_before_the_receipt() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("name");
    fs::write(&path, "content").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let dying = thread::spawn(move || {
        let mut stream = accept(&listener);
        assert_eq!(rest(&mut stream), "content");
        reset(stream);
    });
    Program::run(CLIENT, &[&addr, &path], b"").expect_one_error("before it was confirmed");
    dying.join().unwrap();
}

#[test]
#[cfg(unix)]
fn starting_server_keeps_the_partial_files_of_a_running_one() {
    let mut t = half_way(&[]);
    let other = server(t.to.path(), &[]);
    other.addr();
    t.feed.write_all(b", the second half").unwrap();
    drop(t.feed);
    t.client.ended().expect(0, SENT);
    assert_eq!(t.server.ended().status.code(), Some(0));
    assert_eq!(
        fs::read(t.to.path().join("name")).unwrap(),
        b"the first half, the second half"
    );
}

#[test]
#[cfg(unix)]
fn stopped_server_reports_it_to_the_client_and_keeps_no_file() {
    for args in [&[][..], &["--keep"]] {
        let mut t = half_way(args);
        // One client in the middle of a transfer, and one that has sent nothing yet.
        let idle = (!args.is_empty()).then(|| {
            let idle = connect(t.server.addr());
            t.server.wait_for_stdout("已连接", 2);
            idle
        });
        t.server.signal("TERM");
        let ended = t.server.ended();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        assert!(!String::from_utf8_lossy(&ended.stdout).contains(RECEIVED));
        assert_eq!(names(t.to.path()), [""; 0]);

        t.feed.write_all(b"the second half").unwrap();
        drop(t.feed);
        t.client.ended().expect_one_error("the server was stopped");
        if let Some(mut idle) = idle {
            assert_eq!(rest(&mut idle), "error: the server was stopped\n");
        }
    }
}

#[test]
fn server_stopped_under_full_load_exits() {
    let to = tempdir().unwrap();
    let mut server = server(to.path(), &["--keep"]);
    let senders: Vec<_> = (0..4)
        .map(|i| begin(server.addr(), i.to_string()))
        .collect();
    thread::scope(|s| {
        for mut stream in senders {
            s.spawn(move || {
                let err = loop {
                    if let Err(err) = stream.write_all(&[0; 65_536]) {
                        break err.kind();
                    }
                };
                let broken = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
                assert!(broken.contains(&err), "the sender still waited: {err}");
            });
        }
        until_some_has_come(to.path());
        server.signal("TERM");
        let ended = server.ended();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    });
    assert_eq!(names(to.path()), [""; 0]);
}

#[test]
#[cfg_attr(windows, ignore = "needs Windows itself")]
fn transfer_that_outlasts_the_shutdown_grace_is_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = connect(listener.local_addr().unwrap());
    let kind = ServerProfile {
        threads: 1,
        descriptors: 1,
        memory: 0,
        full: "",
        crowded: "",
        shutdown_half: Some(Shutdown::Read),
    };
    let (running, shutdown) = bounded(0);
    let mut acceptor = Acceptor::new(listener, &Limits::default(), kind, shutdown).unwrap();
    let conn = acceptor.next().unwrap();
    file::reset_on_death(conn.stream()).unwrap();

    // The handler still holds `conn`, as if it waited for a slow disk.
    drop(running);
    drop(acceptor);
    client
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let waiting = client.read(&mut [0; 1]).map_err(|err| err.kind());
    assert!(
        matches!(waiting, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)),
        "the client was told something: {waiting:?}"
    );
    drop(conn);
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!(
        client.read(&mut [0; 1]).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
}

#[test]
#[cfg_attr(windows, ignore = "needs Windows itself")]
fn file_that_shrinks_while_it_is_sent_is_an_error() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("name");
    long_file(&path);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = Program::start(
        CLIENT,
        &[&listener.local_addr().unwrap().to_string(), &path],
    );
    let mut stream = accept(&listener);
    // The client has begun to send, and cannot finish, because nobody reads its bytes.
    stream.read_exact(&mut [0; 1]).unwrap();
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(1)
        .unwrap();
    let err = stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::ConnectionReset);
    client
        .ended()
        .expect_one_error("name became shorter while it was sent");
}

#[test]
fn file_that_is_deleted_while_it_is_sent_arrives() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let path = from.path().join("name");
    long_file(&path);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = Program::start(
        CLIENT,
        &[&listener.local_addr().unwrap().to_string(), &path],
    );
    let mut stream = accept(&listener);
    fs::remove_file(&path).unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).unwrap();
    assert_eq!(received.len(), 64 << 20);
    drop((stream, to));
    client.ended().expect(0, SENT);
}

#[test]
#[cfg_attr(windows, ignore = "needs Windows itself")]
fn killed_client_resets_its_connection() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("name");
    long_file(&path);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let client = Program::start(CLIENT, &[&addr, &path]);
    let mut stream = accept(&listener);
    stream.read_exact(&mut [0; 4]).unwrap();
    client.kill();
    let mut buf = vec![0; 1 << 20];
    let end = loop {
        match stream.read(&mut buf) {
            Ok(1..) => {}
            end => break end,
        }
    };
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
#[cfg_attr(windows, ignore = "needs Windows itself")]
fn killed_server_leaves_nothing_that_the_next_one_does_not_remove() {
    let dir = tempdir().unwrap();
    let first = server(dir.path(), &[]);
    let mut stream = begin(first.addr(), "name");
    stream.write_all(b"the first half").unwrap();
    until_some_has_come(dir.path());
    first.kill();
    assert_eq!(
        stream.read(&mut [0; 1]).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    let second = server(dir.path(), &[]);
    second.addr();
    assert_eq!(names(dir.path()), [""; 0]);
}
