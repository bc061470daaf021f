//! Malicious senders.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use socket2::SockRef;
use tempfile::tempdir;
use threadline::file::name;

use super::*;
use crate::common::random::Random;

#[test]
fn hostile_name_gets_an_error_and_creates_no_file() {
    let root = tempdir().unwrap();
    let dir = root.path().join("in");
    fs::create_dir(&dir).unwrap();
    dangling_link(&dir.join("link"));
    fs::create_dir(dir.join("folder")).unwrap();
    let server = server(&dir, &["--keep"]);
    let absolute = root.path().join("absolute");

    let long = [b'x'; 256];
    let longer = [b'x'; 5000];
    for name in [
        &b""[..],
        b".",
        b"..",
        b"/",
        b"../outside",
        b"..\\outside",
        b"sub/../../outside",
        b"/etc/passwd",
        absolute.as_os_str().as_encoded_bytes(),
        b"folder/inside",
        b"folder",
        b"link",
        b"C:\\outside",
        b"name\0",
        b"\0",
        b"two\nlines",
        b"\x1b[2Jname",
        b"name\x7f",
        b".threadline-1-0.part",
        b".Threadline-x",
        &long,
        &longer,
    ] {
        let mut stream = connect(server.addr());
        stream.write_all(name).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let answer = rest(&mut stream);
        assert!(
            answer.starts_with("error: ") && answer.ends_with('\n') && answer.lines().count() == 1,
            "{:?} was answered {answer:?}",
            name.escape_ascii().to_string()
        );
        assert_eq!(
            names(&dir),
            ["folder", "link"],
            "after {:?}",
            name.escape_ascii().to_string()
        );
        assert_eq!(
            names(root.path()),
            ["in"],
            "after {:?}",
            name.escape_ascii().to_string()
        );
        assert_eq!(names(&dir.join("folder")), [""; 0]);
    }

    let mut stream = begin(server.addr(), "good");
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(rest(&mut stream).starts_with("received 0 bytes"));
}

#[test]
fn sender_is_not_told_where_the_folder_is() {
    let root = tempdir().unwrap();
    let dir = root.path().join("in");
    fs::create_dir(&dir).unwrap();
    let server = server(&dir, &["--keep"]);
    let addr = server.addr();
    fs::remove_dir(&dir).unwrap();
    let mut stream = connect(addr);
    stream.write_all(b"name").unwrap();
    let answer = rest(&mut stream);
    assert!(
        answer.starts_with("error: cannot create name: "),
        "{answer}"
    );
    let root = root.path().to_str().unwrap();
    assert!(
        !answer.contains(root) && !answer.contains(".part"),
        "{answer}"
    );
}

#[test]
fn server_for_one_file_outlives_a_port_scan() {
    let dir = tempdir().unwrap();
    let mut server = server(dir.path(), &[]);
    drop(connect(server.addr()));
    let reset = connect(server.addr());
    SockRef::from(&reset)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(reset);
    let mut stream = begin(server.addr(), "name");
    stream.write_all(b"content").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(rest(&mut stream).starts_with("received 7 bytes"));
    assert_eq!(server.ended().status.code(), Some(0));
    assert_eq!(names(dir.path()), ["name"]);
}

#[test]
fn threads_and_descriptors_are_released_however_a_client_leaves() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let dir = tempdir().unwrap();
    let server = server(dir.path(), &["--keep"]);
    let addr = server.addr();
    rest(&mut {
        let stream = begin(addr, "first");
        stream.shutdown(Shutdown::Write).unwrap();
        stream
    });
    wait_until(
        "the first client has disconnected",
        || matches!(server.threads(), 2 | 3),
        || format!("{} threads: {}", server.threads(), server.seen()),
    );
    let before = (server.threads(), server.descriptors());

    for i in 0..300 {
        let name = format!("{i}");
        match i % 6 {
            0 => drop(connect(addr)),
            1 => connect(addr).write_all(b"../x").unwrap(),
            2 => drop(begin(addr, name)),
            3 => begin(addr, name).write_all(b"content").unwrap(),
            4 => {
                let mut stream = begin(addr, name);
                stream.write_all(b"half").unwrap();
                SockRef::from(&stream)
                    .set_linger(Some(Duration::ZERO))
                    .unwrap();
            }
            _ => {
                let mut stream = begin(addr, name);
                stream.shutdown(Shutdown::Write).unwrap();
                rest(&mut stream);
            }
        }
    }
    wait_until(
        "all threads have exited",
        || server.threads() <= before.0,
        || format!("{} threads: {}", server.threads(), server.seen()),
    );
    wait_until(
        "all descriptors are closed",
        || server.descriptors() <= before.1,
        || format!("{} descriptors: {}", server.descriptors(), server.seen()),
    );
    let parts = names(dir.path())
        .iter()
        .filter(|name| name.ends_with(".part"))
        .count();
    assert_eq!(parts, 0, "partial files are left");
}

/// At most so many bytes, either random or mostly valid in names.
fn some_bytes(random: &mut Random, most: usize) -> Vec<u8> {
    let plain = random.below(2) == 0;
    let len = random.below(most) + 1;
    (0..len)
        .map(|_| match plain {
            true => b"abc. -_\xC3\xA9/"[random.below(10)],
            false => random.next() as u8,
        })
        .collect()
}

/// Sends a random name and, if it is accepted, some content, and disconnects in a random way. Returns how many byte
/// strings it has sent.
fn throw(addr: SocketAddr, random: &mut Random) -> usize {
    let Ok(mut stream) = TcpStream::connect(addr) else {
        return 0;
    };
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let most = if random.below(4) == 0 { 2000 } else { 12 };
    if stream.write_all(&some_bytes(random, most)).is_err() {
        return 0;
    }
    let mut thrown = 1;
    // With or without waiting for the answer.
    if random.below(4) > 0 {
        let _ = stream.read(&mut [0; 2]);
    }
    for _ in 0..random.below(16) {
        if stream.write_all(&some_bytes(random, 600)).is_err() {
            break;
        }
        thrown += 1;
    }
    if random.below(2) == 0 {
        let _ = stream.shutdown(Shutdown::Write);
        if random.below(2) == 0 {
            let _ = stream.read_to_end(&mut Vec::new());
        }
    }
    // Closed with a reset, because a normal close would leave too many ports in TIME_WAIT.
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    thrown
}

#[test]
fn random_input_does_not_disturb_other_clients() {
    const STRINGS: usize = 100_000;
    let seed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64;
    println!("seed {seed}");
    let root = tempdir().unwrap();
    let dir = root.path().join("in");
    fs::create_dir(&dir).unwrap();
    // Thousands of files are kept; that each is on the disk is not what this shows.
    let mut server = server(&dir, &["--keep", "--no-sync"]);
    let addr = server.addr();

    let thrown = AtomicUsize::new(0);
    thread::scope(|s| {
        for i in 0..8 {
            let (mut random, thrown) = (Random(seed.wrapping_add(i << 32)), &thrown);
            s.spawn(move || {
                while thrown.load(Ordering::Relaxed) < STRINGS {
                    let strings = throw(addr, &mut random);
                    thrown.fetch_add(strings, Ordering::Relaxed);
                }
            });
        }
    });

    // The server still works.
    let mut stream = begin(addr, "the last one");
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(rest(&mut stream).starts_with("received 0 bytes"));
    server.signal("TERM");
    let ended = server.ended();
    assert_eq!(ended.status.code(), Some(0), "seed {seed}");
    assert!(
        !ended.stderr.contains("panicked"),
        "seed {seed}: {}",
        ended.stderr
    );
    // No file was written elsewhere, or under a name that must be rejected.
    assert_eq!(names(root.path()), ["in"], "seed {seed}");
    for entry in fs::read_dir(&dir).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(
            name::check(name.as_encoded_bytes()).is_ok(),
            "seed {seed}: {name:?}"
        );
    }
}
