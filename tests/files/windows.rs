//! What only Windows has: devices, drives, streams, and names with half a surrogate pair.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::net::Shutdown;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::fs::OpenOptionsExt;

use tempfile::tempdir;

use super::*;

#[test]
fn devices_drives_streams_and_what_windows_cuts_off_are_refused() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("here"), "as it was").unwrap();
    let server = server(dir.path(), &["--keep"]);
    for name in [
        "NUL",
        "nul",
        "con.txt",
        "COM1",
        "lpt9.log",
        "aux",
        "PRN .txt",
        "CONOUT$",
        "conin$.txt",
        "COM¹",
        "LPT9.tar.gz",
        "nul .txt",
        "aux:",
        "..\\x",
        "C:name",
        "C:",
        "here:stream",
        "here::$DATA",
        "here.",
        "here ",
        "here. .",
        "a/b",
        "a\\b",
        "\\\\?\\C:\\a",
        "a?",
        "a*",
    ] {
        let mut stream = connect(server.addr());
        stream.write_all(name.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let answer = rest(&mut stream);
        assert!(
            answer.starts_with("error: "),
            "{name:?} was answered {answer:?}"
        );
        assert_eq!(names(dir.path()), ["here"], "after {name:?}");
    }
    assert_eq!(fs::read(dir.path().join("here")).unwrap(), b"as it was");
}

#[test]
fn name_with_half_a_surrogate_pair_arrives_as_it_is() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let name = OsString::from_wide(&[0x61, 0xD83D, 0x62]);
    let path = from.path().join(&name);
    if fs::write(&path, "content").is_err() {
        eprintln!("{name:?} cannot be written on this file system, and was left out");
        return;
    }
    let mut server = server(to.path(), &[]);
    Program::run(CLIENT, &[&server.addr().to_string(), &path], b"").expect(0, SENT);
    assert_eq!(server.ended().status.code(), Some(0));
    assert_eq!(fs::read(to.path().join(&name)).unwrap(), b"content");
}

#[test]
fn name_without_drive_and_folders_is_sent() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    fs::create_dir(from.path().join("a")).unwrap();
    fs::write(from.path().join("a/name"), "content").unwrap();
    let mut server = server(to.path(), &[]);
    let path = format!("{}\\a/name", from.path().display());
    Program::run(CLIENT, &[&server.addr().to_string(), &path], b"").expect(0, SENT);
    assert_eq!(server.ended().status.code(), Some(0));
    assert_eq!(names(to.path()), ["name"]);
}

#[test]
fn what_is_no_file_or_is_held_by_another_program_is_not_sent() {
    let from = tempdir().unwrap();
    let held = from.path().join("held by another");
    let _held = (fs::OpenOptions::new().write(true).create_new(true))
        .share_mode(0)
        .open(&held)
        .unwrap();
    let half_a_pair = OsString::from_wide(&[0xD83D]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let sources: [&dyn AsRef<OsStr>; 7] = [
        &held,
        &from.path(),
        &half_a_pair,
        &"nul",
        &"aux.txt",
        &"COM1",
        &r"\\.\pipe\nothing",
    ];
    for source in sources {
        Program::run(CLIENT, &[&addr, source], b"").expect_one_error("cannot ");
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "a client has connected");
}

#[test]
fn address_with_half_a_surrogate_pair_is_wrong_usage() {
    let half_a_pair = OsString::from_wide(&[0xD83D]);
    let ended = Program::run(SERVER, &[&half_a_pair], b"");
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
}
