//! What the server rejects or cannot do, and the error that the client gets.

use std::fs;
use std::io::Write;
use std::net::Shutdown;
use std::thread;

use tempfile::tempdir;

use super::*;

#[test]
fn file_over_max_size_is_rejected() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let server = server(to.path(), &["--keep", "--max-size", "1K"]);
    let addr = server.addr().to_string();
    for (name, len) in [("fits", 1024), ("one over", 1025), ("far over", 64 << 20)] {
        let path = from.path().join(name);
        fs::File::create(&path).unwrap().set_len(len).unwrap();
        let ended = Program::run(CLIENT, &[&addr, &path], b"");
        if len > 1024 {
            ended.expect_one_error("the server reported: the file is over 1 KiB, the maximum size");
        } else {
            ended.expect(0, SENT);
        }
    }
    assert_eq!(names(to.path()), ["fits"]);
}

#[test]
fn idle_sender_is_disconnected() {
    let dir = tempdir().unwrap();
    let server = server(dir.path(), &["--keep", "--timeout", "200ms"]);
    assert_eq!(
        rest(&mut connect(server.addr())),
        "error: timeout: nothing received for 200ms\n"
    );
    let mut stream = begin(server.addr(), "name");
    stream.write_all(b"half").unwrap();
    assert_eq!(
        rest(&mut stream),
        "error: timeout: nothing received for 200ms\n"
    );
    until_names("the temporary file has gone", dir.path(), <[_]>::is_empty);
}

/// A server that cannot write files of more than 4 or 8 KiB, as on a full disk.
#[cfg(unix)]
fn server_with_little_room(dir: &Path) -> Program {
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "ulimit -f 8; exec \"$@\"", "sh", SERVER])
        .args(["127.0.0.1:0", "--keep", "--dir"])
        .arg(dir);
    Program::spawn(&mut command)
}

#[test]
#[cfg(unix)]
fn full_disk_is_reported_on_both_sides_and_no_file_is_kept() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let mut server = server_with_little_room(to.path());
    let addr = server.addr().to_string();
    for (name, len) in [
        ("fits", 4096),
        ("does not", 10_000),
        ("far from it", 64 << 20),
    ] {
        let path = from.path().join(name);
        fs::File::create(&path).unwrap().set_len(len).unwrap();
        let ended = Program::run(CLIENT, &[&addr, &path], b"");
        if len > 4096 {
            ended.expect_one_error(&format!("the server reported: cannot write {name}: "));
            server.wait_for_stderr(&format!("cannot write {name}: "));
        } else {
            ended.expect(0, SENT);
        }
    }
    server.signal("TERM");
    let ended = server.ended();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(names(to.path()), ["fits"]);
}

#[test]
fn deleted_folder_is_reported_on_both_sides() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let path = from.path().join("name");
    fs::write(&path, "content").unwrap();
    let dir = to.path().join("in");
    fs::create_dir(&dir).unwrap();
    let mut server = server(&dir, &[]);
    let addr = server.addr().to_string();
    fs::remove_dir(&dir).unwrap();
    Program::run(CLIENT, &[&addr, &path], b"")
        .expect_one_error("the server reported: cannot create name: ");
    let ended = server.ended();
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended.stderr.contains("error: cannot create name: "),
        "{:?}",
        ended.stderr
    );
}

#[test]
fn client_over_the_limit_gets_an_error() {
    let dir = tempdir().unwrap();
    let server = server(dir.path(), &["--keep", "--max-clients", "1"]);
    let mut held = begin(server.addr(), "held");
    Program::run(CLIENT, &[&server.addr().to_string(), &SERVER], b"")
        .expect_one_error("the server is full");
    held.shutdown(Shutdown::Write).unwrap();
    assert!(rest(&mut held).starts_with("received 0 bytes"));
    assert_eq!(names(dir.path()), ["held"]);
}

#[test]
fn existing_file_is_never_overwritten() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let path = from.path().join("name");
    fs::write(&path, "new").unwrap();
    fs::write(to.path().join("name"), "old").unwrap();
    let server = server(to.path(), &["--keep"]);
    let addr = server.addr().to_string();
    Program::run(CLIENT, &[&addr, &path], b"")
        .expect_one_error("the server reported: name already exists");

    // A file with the same name appears during the transfer.
    let mut stream = begin(server.addr(), "late");
    stream.write_all(b"new").unwrap();
    fs::write(to.path().join("late"), "old").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(
        rest(&mut stream),
        "error: late already exists and was not overwritten\n"
    );

    until_names("only the old files are there", to.path(), |names| {
        names == ["late", "name"]
    });
    for name in ["late", "name"] {
        assert_eq!(fs::read(to.path().join(name)).unwrap(), b"old");
    }
}

#[test]
fn exactly_one_of_two_senders_of_the_same_name_succeeds() {
    let dir = tempdir().unwrap();
    let server = server(dir.path(), &["--keep"]);
    for round in 0..20 {
        let name = format!("name {round}");
        let senders: Vec<_> = (0..4).map(|_| begin(server.addr(), &name)).collect();
        let answers: Vec<_> = thread::scope(|s| {
            let sending: Vec<_> = senders
                .into_iter()
                .enumerate()
                .map(|(i, mut stream)| {
                    s.spawn(move || {
                        stream.write_all(i.to_string().as_bytes()).unwrap();
                        stream.shutdown(Shutdown::Write).unwrap();
                        rest(&mut stream)
                    })
                })
                .collect();
            sending
                .into_iter()
                .map(|sender| sender.join().unwrap())
                .collect()
        });
        let won: Vec<_> = (0..answers.len())
            .filter(|&i| answers[i].starts_with("received 1 bytes"))
            .collect();
        let lost = answers
            .iter()
            .filter(|answer| answer.contains("already exists"))
            .count();
        assert_eq!((won.len(), lost), (1, 3), "{answers:?}");
        assert_eq!(
            fs::read_to_string(dir.path().join(&name)).unwrap(),
            won[0].to_string()
        );
    }
    until_names("no partial file is left", dir.path(), |names| {
        names.len() == 20
    });
}

#[test]
fn control_characters_in_an_error_are_replaced() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("name");
    fs::write(&path, "content").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let hostile = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Read::read(&mut stream, &mut [0; 1024]).unwrap();
        stream
            .write_all(b"error: \x1b[2J\rall is well\nand a second line")
            .unwrap();
    });
    let ended = Program::run(CLIENT, &[&addr, &path], b"");
    assert!(!ended.stderr.contains(['\x1b', '\r']), "{:?}", ended.stderr);
    ended.expect_one_error("all is well");
    hostile.join().unwrap();
}
