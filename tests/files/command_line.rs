//! Command lines, valid and invalid.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;

use tempfile::tempdir;

use super::*;

#[test]
fn file_stat_prints_what_the_go_program_prints() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("名字 一");
    fs::write(&path, "content").unwrap();
    Program::run(STAT, &[&path], b"").expect(0, "文件name为： 名字 一\n文件size为： 7\n");

    let path = os_name(b"\xFF").map(|name| dir.path().join(name));
    if let Some(path) = path.filter(|path| fs::write(path, "").is_ok()) {
        Program::run(STAT, &[&path], b"").expect(
            0,
            [
                b"\xE6\x96\x87\xE4\xBB\xB6name\xE4\xB8\xBA\xEF\xBC\x9A \xFF\n".as_slice(),
                "文件size为： 0\n".as_bytes(),
            ]
            .concat(),
        );
    }

    Program::run(STAT, &[&dir.path().join("missing")], b"").expect_one_error("missing");
    Program::run(STAT, &[], b"").expect(2, "");
}

#[test]
fn client_without_a_file_argument_asks_for_one() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let server = server(to.path(), &["--keep"]);
    let addr = server.addr().to_string();
    for (name, before, after) in [
        ("plain", "", "\n"),
        // Windows cuts a space off the end.
        (
            if cfg!(unix) {
                "with two spaces "
            } else {
                "with two spaces"
            },
            "",
            "\n",
        ),
        (" from a blank line on", "\n  \n\r\n", "\n"),
        ("from another system", "", "\r\n"),
        ("at the end of input", "", ""),
        ("and more lines", "", "\nmore\nlines\n"),
    ] {
        fs::write(from.path().join(name), name).unwrap();
        let typed = format!("{before}{}/{name}{after}", from.path().display());
        Program::run(CLIENT, &[&addr], typed.as_bytes()).expect(0, format!("{PROMPT}{SENT}"));
        assert_eq!(fs::read_to_string(to.path().join(name)).unwrap(), name);
    }

    for typed in ["", "\n", " \n\n"] {
        let stderr = Program::run(CLIENT, &[&addr], typed.as_bytes()).expect(1, PROMPT);
        assert!(
            stderr.starts_with("error: standard input ended before a path was entered"),
            "{stderr:?}"
        );
    }
}

#[test]
fn dragged_path_is_understood() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let server = server(to.path(), &["--keep"]);
    let addr = server.addr().to_string();
    let path = from.path().join("two words");
    fs::write(&path, "").unwrap();
    let path = path.display().to_string();
    for typed in [
        format!("'{path}' \n"),
        // What terminals do on Unix. On Windows a backslash separates folders.
        #[cfg(unix)]
        format!("{} \n", path.replace(' ', "\\ ")),
        format!("\u{feff}{path}\r\n"),
        format!("\u{feff}\n\"{path}\"\n"),
    ] {
        Program::run(CLIENT, &[&addr], typed.as_bytes()).expect(0, format!("{PROMPT}{SENT}"));
        fs::remove_file(to.path().join("two words")).unwrap();
    }
}

#[test]
fn one_argument_is_the_file_unless_it_is_an_address() {
    let dir = tempdir().unwrap();
    // As there is no such file, nothing is sent to the default address.
    Program::run(CLIENT, &[&dir.path().join("missing")], b"").expect_one_error("missing");
    Program::run(CLIENT, &[&dir.path().join("missing:80")], b"").expect_one_error("missing:80");
    Program::run(CLIENT, &[&"127.0.0.1:8005"], b"").expect(1, PROMPT);

    let stderr = Program::run(CLIENT, &[&"photo.jpg", &"127.0.0.1:8005"], b"").expect(2, "");
    assert!(stderr.contains("photo.jpg is not an address"), "{stderr:?}");
}

#[test]
fn file_is_opened_before_the_server_is_contacted() {
    let dir = tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    Program::run(CLIENT, &[&addr, &dir.path().join("missing")], b"").expect_one_error("missing");
    Program::run(CLIENT, &[&addr, &dir.path()], b"").expect_one_error("it is a folder");
    listener.set_nonblocking(true).unwrap();
    assert_eq!(
        listener.accept().unwrap_err().kind(),
        ErrorKind::WouldBlock,
        "the client has connected"
    );
}

#[test]
fn client_without_a_server_fails_with_one_line() {
    let addr = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    Program::run(CLIENT, &[&addr, &SERVER], b"").expect_one_error(&addr);
}

#[test]
fn unusable_folder_fails_at_the_start() {
    let dir = tempdir().unwrap();
    let missing = dir.path().join("missing");
    server(&missing, &[]).ended().expect_one_error("missing");
    if cfg!(target_os = "linux") {
        // Nobody can create a file there, root included.
        server(Path::new("/proc"), &[])
            .ended()
            .expect_one_error("/proc");
    }
}

#[test]
fn invalid_options_are_wrong_usage() {
    let dir = tempdir().unwrap();
    for args in [
        ["--max-size", "much"],
        ["--timeout", "5"],
        ["--max-clients", "0"],
    ] {
        let stderr = server(dir.path(), &args).ended().expect(2, "");
        assert!(stderr.contains(args[0]), "{stderr:?}");
    }
}

#[test]
fn idle_programs_exit_with_status_0_at_a_signal() {
    let dir = tempdir().unwrap();
    for (args, signal) in [(&[][..], "INT"), (&["--keep"], "TERM")] {
        let mut server = server(dir.path(), args);
        server.addr();
        server.signal(signal);
        server.ended().expect(0, "");
    }
    let mut client = Program::start(CLIENT, &[]);
    client.wait_for_stdout(PROMPT, 1);
    client.input("half a na");
    client.signal("INT");
    // Its input stays open until then.
    client.wait_end();
    client.ended().expect(0, PROMPT);
}
