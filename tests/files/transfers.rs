//! Successful transfers.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::thread;

use tempfile::tempdir;

use super::*;
use crate::common::figures::wait_until_read;
use crate::common::random::Random;

#[test]
fn files_arrive_unchanged() {
    for (name, len) in [
        ("empty".as_bytes(), 0),
        (b"one", 1),
        (b"five million", 5_000_000),
        ("名字 一.txt".as_bytes(), 1 << 20),
        (b"not \xFF UTF-8", 100),
        (&[b'x'; 255], 4096),
    ] {
        let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
        let Some(name) = os_name(name) else {
            continue;
        };
        let (path, content) = (from.path().join(&name), Random(1).bytes(len));
        if fs::write(&path, &content).is_err() {
            eprintln!("{name:?} cannot be written on this file system, and was left out");
            continue;
        }
        let mut server = server(to.path(), &[]);
        let addr = server.addr().to_string();

        let stderr = Program::run(CLIENT, &[&addr, &path], b"").expect(0, SENT);
        assert!(stderr.contains("verified: "), "{stderr:?}");
        assert!(
            !stderr.contains(['\r', '\x1b']),
            "a progress line went to what is not a terminal: {stderr:?}"
        );
        let ended = server.ended();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        let stdout = String::from_utf8(ended.stdout).unwrap();
        let (client, received) = stdout
            .split_once("已连接...")
            .unwrap_or_else(|| panic!("{stdout:?}"));
        assert!(
            client.starts_with("127.0.0.1:") && received == RECEIVED,
            "{stdout:?}"
        );

        let there: Vec<_> = fs::read_dir(to.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(there, std::slice::from_ref(&name));
        assert!(
            fs::read(to.path().join(&name)).unwrap() == content,
            "{name:?} arrived changed"
        );
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::MetadataExt::nlink(&fs::metadata(to.path().join(&name)).unwrap()),
            1
        );
    }
}

#[test]
fn receipt_has_the_number_of_bytes_and_their_hash() {
    let dir = tempdir().unwrap();
    let server = server(dir.path(), &["--keep"]);
    for (name, content, receipt) in [
        (
            "a",
            "",
            "received 0 bytes, XXH3-128 99aa06d3014798d86001c324468d497f\n",
        ),
        (
            "b",
            "threadline",
            "received 10 bytes, XXH3-128 e7fad3df5c06fa5ebc0e894f901fb053\n",
        ),
    ] {
        let mut stream = begin(server.addr(), name);
        stream.write_all(content.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&mut stream), receipt);
        // When the receipt has arrived, the file can be used.
        assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), content);
    }
}

#[test]
fn sender_that_ignores_the_receipt_is_served_as_in_go() {
    let dir = tempdir().unwrap();
    let mut server = server(dir.path(), &[]);
    let mut stream = begin(server.addr(), "name");
    stream.write_all(b"content").unwrap();
    drop(stream);
    assert_eq!(server.ended().status.code(), Some(0));
    assert_eq!(fs::read(dir.path().join("name")).unwrap(), b"content");
}

#[test]
fn missing_receipt_is_reported() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("name");
    fs::write(&path, "content").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let go = thread::spawn(move || {
        let mut stream = accept(&listener);
        rest(&mut stream)
    });
    let stderr = Program::run(CLIENT, &[&addr, &path], b"").expect(0, SENT);
    assert!(
        stderr.contains("sent, not confirmed") && !stderr.contains("verified"),
        "{stderr:?}"
    );
    assert_eq!(go.join().unwrap(), "content");
}

#[test]
fn wrong_receipt_is_an_error() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("name");
    fs::write(&path, "content").unwrap();
    for receipt in [
        "received 7 bytes, XXH3-128 00000000000000000000000000000000\n",
        "received 8 bytes, XXH3-128 99aa06d3014798d86001c324468d497f\n",
        "\x1b[2J\x07nonsense",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap().to_string();
        let liar = thread::spawn(move || {
            let mut stream = accept(&listener);
            rest(&mut stream);
            stream.write_all(receipt.as_bytes()).unwrap();
        });
        let ended = Program::run(CLIENT, &[&addr, &path], b"");
        assert!(
            !ended.stderr.contains('\x1b'),
            "control characters went through: {:?}",
            ended.stderr
        );
        ended.expect_one_error("arrived corrupted");
        liar.join().unwrap();
    }
}

#[test]
fn ok_split_across_two_reads_is_accepted() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("name");
    fs::write(&path, "content").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let slow = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let n = stream.read(&mut [0; 1024]).unwrap();
        assert_eq!(n, 4);
        stream.write_all(b"o").unwrap();
        // The client's first read returns only this.
        wait_until_read(&stream);
        stream.write_all(b"k").unwrap();
        rest(&mut stream)
    });
    Program::run(CLIENT, &[&addr, &path], b"").expect(0, SENT);
    assert_eq!(slow.join().unwrap(), "content");
}

#[test]
fn server_with_keep_receives_files_concurrently() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let mut server = server(to.path(), &["--keep"]);
    let addr = server.addr();
    let mut held = begin(addr, "held");
    let content = Random(1).bytes(100_000);
    thread::scope(|s| {
        for i in 0..8 {
            let (from, content) = (from.path(), &content);
            s.spawn(move || {
                let path = from.join(i.to_string());
                fs::write(&path, &content[i..]).unwrap();
                Program::run(CLIENT, &[&addr.to_string(), &path], b"").expect(0, SENT);
            });
        }
    });
    held.write_all(b"at last").unwrap();
    held.shutdown(Shutdown::Write).unwrap();
    rest(&mut held);
    for i in 0..8 {
        assert!(
            fs::read(to.path().join(i.to_string())).unwrap() == content[i..],
            "file {i} arrived changed"
        );
    }
    assert_eq!(fs::read(to.path().join("held")).unwrap(), b"at last");
    server.signal("INT");
    let ended = server.ended();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(
        String::from_utf8_lossy(&ended.stdout)
            .matches(RECEIVED)
            .count(),
        9
    );
}

#[test]
fn file_with_a_length_that_it_does_not_have_is_sent() {
    // The system says 4096 for files like this one.
    let path = Path::new("/sys/class/net/lo/address");
    if !path.exists() {
        return;
    }
    let dir = tempdir().unwrap();
    let mut server = server(dir.path(), &[]);
    let addr = server.addr().to_string();
    let stderr = Program::run(CLIENT, &[&addr, &path], b"").expect(0, SENT);
    assert!(stderr.contains("verified: "), "{stderr:?}");
    assert_eq!(server.ended().status.code(), Some(0));
    let content = fs::read(path).unwrap();
    assert!(fs::metadata(path).unwrap().len() > content.len() as u64);
    assert_eq!(fs::read(dir.path().join("address")).unwrap(), content);
}

#[test]
#[cfg(unix)]
fn pipes_and_growing_files_are_read_to_their_end() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let server = server(to.path(), &["--keep"]);
    let addr = server.addr().to_string();

    let fifo = from.path().join("pipe");
    let mut feed = pipe(&fifo);
    let mut client = Program::start(CLIENT, &[&addr, &fifo]);
    feed.write_all(b"first").unwrap();
    until_some_has_come(to.path());
    feed.write_all(b", second").unwrap();
    drop(feed);
    client.ended().expect(0, SENT);
    assert_eq!(fs::read(to.path().join("pipe")).unwrap(), b"first, second");

    let (target, link) = (from.path().join("target"), from.path().join("link"));
    fs::File::create(&target)
        .unwrap()
        .write_all(b"content")
        .unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    Program::run(CLIENT, &[&addr, &link], b"").expect(0, SENT);
    assert_eq!(fs::read(to.path().join("link")).unwrap(), b"content");
}
