//! The TCP programs of section two, over real sockets.

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use common::nobody;
use common::program::Program;
use common::user::User;
use common::wait::DEADLINE;

const SERVER: &str = env!("CARGO_BIN_EXE_tcp_server");
const CLIENT: &str = env!("CARGO_BIN_EXE_tcp_client");
const CONCURRENT_SERVER: &str = env!("CARGO_BIN_EXE_tcp_concurrent_server");
const CONCURRENT_CLIENT: &str = env!("CARGO_BIN_EXE_tcp_concurrent_client");
#[cfg(target_os = "linux")]
const FILE_CLIENT: &str = env!("CARGO_BIN_EXE_file_client");
const CHAT: &str = env!("CARGO_BIN_EXE_chat_server");

/// What both servers print when they listen.
const WAITING: &str = "服务器等待客户端建立连接...\n";

/// A listener for the test as the server, and its address.
fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    (listener, addr)
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (conn, _) = listener.accept().unwrap();
    conn.set_read_timeout(Some(DEADLINE)).unwrap();
    conn
}

#[track_caller]
fn expect_bytes(conn: &mut TcpStream, bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    conn.read_exact(&mut read).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&read),
        String::from_utf8_lossy(bytes)
    );
}

#[test]
fn one_shot_server_and_client_print_what_the_go_programs_print() {
    let mut server = Program::start(SERVER, &[&"127.0.0.1:0"]);
    let addr = server.addr().to_string();
    Program::run(CLIENT, &[&addr], b"").expect(0, "客户端读取到:  server is ok\n");
    let ended = server.ended();
    ended.expect(0, format!("{WAITING}服务器读取到:  R U ok??\n"));
}

#[test]
fn one_shot_server_prints_raw_bytes() {
    let mut server = Program::start(SERVER, &[&"127.0.0.1:0"]);
    let mut user = User::connect(server.addr());
    user.say(b"\xff\x00\xe4\xb8");
    assert_eq!(user.read_to_end(), "server is ok");
    let printed = [
        WAITING.as_bytes(),
        "服务器读取到:  ".as_bytes(),
        b"\xff\x00\xe4\xb8\n",
    ]
    .concat();
    let ended = server.ended();
    assert!(ended.stdout == printed, "{:?}", ended.stdout);
    ended.expect(0, printed);
}

#[test]
fn one_shot_client_sends_only_its_question() {
    let (listener, addr) = listener();
    let mut client = Program::start(CLIENT, &[&addr]);
    let mut conn = accept(&listener);
    expect_bytes(&mut conn, b"R U ok??");
    conn.write_all("当然".as_bytes()).unwrap();
    client.ended().expect(0, "客户端读取到:  当然\n");
    assert_eq!(conn.read(&mut [0; 10]).unwrap(), 0);
}

#[test]
fn one_shot_programs_fail_if_the_other_side_disconnects_first() {
    let mut server = Program::start(SERVER, &[&"127.0.0.1:0"]);
    drop(TcpStream::connect(server.addr()).unwrap());
    let stderr = server.ended().expect(1, WAITING);
    assert!(stderr.contains("error: conn.Read: "), "{stderr:?}");

    let (listener, addr) = listener();
    let mut client = Program::start(CLIENT, &[&addr]);
    let mut conn = accept(&listener);
    expect_bytes(&mut conn, b"R U ok??");
    drop(conn);
    client.ended().expect_one_error("conn.Read: ");
}

#[test]
fn concurrent_client_works_in_a_pipe() {
    let server = Program::serve(&mut Command::new(CONCURRENT_SERVER));
    let addr = server.addr().to_string();
    let ended = Program::run(CONCURRENT_CLIENT, &[&addr], "hello 世界".as_bytes());
    ended.expect(0, "客户端读取到:  HELLO 世界\n");
    Program::run(CONCURRENT_CLIENT, &[&addr], b"").expect(0, "");
    server.stop();
    assert_eq!(
        server.stdout().matches("connect successful!!!\n").count(),
        2
    );
    assert_eq!(server.stdout().matches("client close!!!\n").count(), 2);
}

#[test]
fn concurrent_client_sends_and_receives_at_the_same_time() {
    let (listener, addr) = listener();
    let mut client = Program::start(CONCURRENT_CLIENT, &[&addr]);
    let mut conn = accept(&listener);
    // Before any input.
    conn.write_all(b"welcome").unwrap();
    client.wait_for_stdout("客户端读取到:  welcome\n", 1);
    for typed in ["one\n", "二\n", "no newline"] {
        client.input(typed);
        expect_bytes(&mut conn, typed.as_bytes());
    }
    conn.write_all(b"received").unwrap();
    client.wait_for_stdout("客户端读取到:  received\n", 1);
    // At the end of its input the client still waits for what the server sends.
    client.end_input();
    assert_eq!(conn.read(&mut [0; 10]).unwrap(), 0);
    conn.write_all(b"goodbye").unwrap();
    drop(conn);
    client.ended().expect(
        0,
        ["welcome", "received", "goodbye"]
            .map(|text| format!("客户端读取到:  {text}\n"))
            .concat(),
    );
}

#[test]
fn concurrent_client_exits_when_the_server_disconnects() {
    let (listener, addr) = listener();
    let mut client = Program::start(CONCURRENT_CLIENT, &[&addr]);
    drop(accept(&listener));
    // Its input is still open.
    assert_eq!(client.wait_end().code(), Some(0), "{}", client.seen());
    client.ended().expect(0, "");
}

#[test]
fn concurrent_server_answers_each_client_independently() {
    let mut server = Program::serve(&mut Command::new(CONCURRENT_SERVER));
    let mut clients: Vec<_> = (0..5).map(|_| User::connect(server.addr())).collect();
    for i in [3, 0, 4, 1, 2] {
        clients[i].say(format!("client {i}"));
        clients[i].expect(&format!("CLIENT {i}"));
        server.wait_for_stdout(&format!("服务器读取到:  client {i}\n"), 1);
    }
    for client in clients {
        let connected = format!("{} connect successful!!!\n", client.addr);
        assert_eq!(server.stdout().matches(&connected).count(), 1);
    }
    server.wait_for_stdout("client close!!!\n", 5);
    server.signal("INT");
    let ended = server.ended();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(ended.stdout.starts_with(WAITING.as_bytes()));
}

#[test]
fn clients_without_a_server_fail_with_one_line() {
    let (_taken, addr) = nobody::tcp();
    for client in [CLIENT, CONCURRENT_CLIENT] {
        Program::run(client, &[&addr], b"").expect_one_error(&format!("cannot connect to {addr}"));
    }
}

#[test]
fn address_in_use_fails_with_one_line() {
    let (_taken, addr) = listener();
    for server in [SERVER, CONCURRENT_SERVER] {
        Program::run(server, &[&addr], b"").expect_one_error(&format!("cannot listen on {addr}"));
    }
}

#[test]
fn invalid_address_is_wrong_usage() {
    for program in [SERVER, CLIENT, CONCURRENT_SERVER, CONCURRENT_CLIENT] {
        for addr in ["nonsense", "127.0.0.1:99999"] {
            let stderr = Program::run(program, &[&addr], b"").expect(2, "");
            let start = format!("error: invalid value '{addr}'");
            assert!(stderr.starts_with(&start), "{stderr:?}");
        }
    }
}

#[test]
fn concurrent_client_prints_whole_characters() {
    let (listener, addr) = listener();
    let client = Program::start(CONCURRENT_CLIENT, &[&addr]);
    let mut conn = accept(&listener);
    let character = "界".as_bytes();
    conn.write_all(&["世".as_bytes(), &character[..1]].concat())
        .unwrap();
    client.wait_for_stdout("客户端读取到:  世\n", 1);
    conn.write_all(&character[1..]).unwrap();
    client.wait_for_stdout("客户端读取到:  世\n客户端读取到:  界\n", 1);
    // What is no character is printed after a second, and at the end.
    conn.write_all(&character[..1]).unwrap();
    client.wait_for_stdout("客户端读取到:  \\xe7\n", 1);
    conn.write_all(&character[..2]).unwrap();
    drop(conn);
    client.wait_for_stdout("客户端读取到:  \\xe7\\x95\n", 1);
}

#[test]
fn concurrent_server_answers_whole_characters() {
    let server = Program::start(CONCURRENT_SERVER, &[&"127.0.0.1:0"]);
    let mut conn = TcpStream::connect(server.addr()).unwrap();
    conn.set_read_timeout(Some(DEADLINE)).unwrap();
    for byte in "ä世界\u{1f600}".bytes() {
        conn.write_all(&[byte]).unwrap();
    }
    expect_bytes(&mut conn, "Ä世界\u{1f600}".as_bytes());
    server.wait_for_stdout("界", 1);
    // What is no character is answered after a second.
    conn.write_all(b"\xe4").unwrap();
    expect_bytes(&mut conn, "\u{fffd}".as_bytes());
    server.stop();
}

#[test]
fn longest_line_that_can_be_typed_is_one_message_in_the_room() {
    let room = Program::start(CHAT, &[&"127.0.0.1:0"]);
    let mut other = User::join(room.addr());
    let mut client = Program::start(CONCURRENT_CLIENT, &[&room.addr().to_string()]);
    client.wait_for_stdout("login!!!", 1);
    let line = "聊".repeat(1300);
    client.input(format!("{line}\n"));
    let heard = other.read_until(&format!("{line}\r\n"));
    assert_eq!(
        heard.matches("]").count(),
        2,
        "one login and one message: {heard}"
    );
    client.wait("show its own line whole", |client| {
        let shown = client.stdout();
        let shown: String = shown.split("\n客户端读取到:  ").collect();
        shown.contains(&format!(": {line}\r\n"))
    });
    room.stop();
}

#[test]
#[cfg(target_os = "linux")]
fn ctrl_c_ends_a_client_that_waits_for_a_connection() {
    let (addr, _listener, _waiting) = nobody::deaf();
    for (program, args, status) in [
        (CLIENT, &[][..], 0),
        (CONCURRENT_CLIENT, &[], 0),
        (FILE_CLIENT, &["/dev/null"], 1),
    ] {
        let mut args: Vec<&dyn AsRef<std::ffi::OsStr>> = args.iter().map(|arg| arg as _).collect();
        args.insert(0, &addr);
        let mut client = Program::start(program, &args);
        // One thread waits for the signal, the main thread for a connection.
        client.wait("catch signals", |client| client.threads() > 1);
        client.signal("INT");
        let ended = client.ended();
        assert_eq!(
            ended.status.code(),
            Some(status),
            "{program}: {}",
            ended.stderr
        );
    }
}
