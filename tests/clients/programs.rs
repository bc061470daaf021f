//! Real client programs from Debian packages (telnet, netcat-openbsd, ncat), and our own.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::program::Program;
use crate::common::user::User;
use crate::common::wait::DEADLINE;
use crate::{UPPER, room};

/// `telnet` on a pseudo-terminal made by `script`: the input is what a user would type.
fn telnet(server: &Program, first: &str) -> Program {
    let telnet = format!("telnet {} {}", server.addr().ip(), server.addr().port());
    let telnet = Program::spawn(Command::new("script").args(["-qefc", &telnet, "/dev/null"]));
    telnet.wait_for_stdout(first, 1);
    telnet
}

#[test]
#[ignore = "needs telnet"]
fn telnet_shows_output_after_ctrl_c() {
    let room = room(&[]);
    let mut witness = User::join(room.addr());
    let mut ann = telnet(&room, "login!!!");
    let mut bob = telnet(&room, "login!!!");
    ann.wait_for_stdout("login!!!", 2);
    ann.input("hello from ann\n");
    bob.wait_for_stdout(": hello from ann\r\n", 1);
    // Ctrl-C and Ctrl-Z are sent as telnet commands, and end neither the program nor the connection.
    ann.input("\x03");
    ann.wait_for_stdout("^C", 1);
    // Until the room has answered, telnet itself discards the output.
    let start = Instant::now();
    while !ann.stdout().contains(": can you see this?\r\n") {
        assert!(
            start.elapsed() < DEADLINE,
            "nothing is shown after Ctrl-C: {}",
            ann.seen()
        );
        bob.input("can you see this?\n");
        thread::sleep(Duration::from_millis(100));
    }
    ann.input("\x1a");
    ann.wait_for_stdout("^Z", 1);
    ann.input("yes, 你好\n");
    bob.wait_for_stdout(": yes, 你好\r\n", 1);
    bob.input("rename|Bob\nwho\n");
    bob.wait_for_stdout(":Bob\r\n", 1);
    let heard = witness.read_until(": yes, 你好\r\n");
    let known = "login!!!, hello from ann, can you see this?, yes, 你好";
    for line in heard.lines() {
        let text = line.rsplit_once(": ").expect("a name and a text").1;
        assert!(known.contains(text), "{line:?}");
    }
    // Ctrl-] and `quit`.
    ann.input("\x1d");
    ann.wait_for_stdout("telnet> ", 1);
    ann.input("quit\n");
    ann.wait_end();
    bob.wait_for_stdout(": logout\r\n", 1);
}

#[test]
#[ignore = "needs telnet"]
fn telnet_shows_answers_of_the_upper_case_server_after_ctrl_c() {
    let server = Program::serve(&mut Command::new(UPPER));
    let mut ann = telnet(&server, "Escape character");
    ann.input("one\n");
    ann.wait_for_stdout("ONE", 1);
    ann.input("\x03");
    ann.wait_for_stdout("^C", 1);
    let start = Instant::now();
    while !ann.stdout().contains("CAN YOU SEE THIS?") {
        assert!(
            start.elapsed() < DEADLINE,
            "nothing is shown after Ctrl-C: {}",
            ann.seen()
        );
        ann.input("can you see this?\n");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs telnet"]
fn telnet_in_character_mode_sends_lines() {
    let room = room(&[]);
    let mut witness = User::join(room.addr());
    let mut ann = telnet(&room, "login!!!");
    ann.input("\x1d");
    ann.wait_for_stdout("telnet> ", 1);
    ann.input("mode character\n");
    // The first line is sent key by key, before the room knows how this client ends lines.
    ann.input("\r");
    for key in "key by key\r".chars() {
        ann.input(key.to_string());
        // Otherwise telnet gets several keys from the terminal in one read.
        thread::sleep(Duration::from_millis(20));
    }
    witness.read_until(": key by key\r\n");
}

#[test]
#[ignore = "needs nc"]
fn netcat_gets_the_answer_after_closing_its_side() {
    let room = room(&[]);
    let (ip, port) = (room.addr().ip().to_string(), room.addr().port().to_string());
    let ended = Program::run(
        "nc",
        &[&"-N", &ip, &port],
        "大家好\nrename|Ann\nwho".as_bytes(),
    );
    let (stdout, _) = (String::from_utf8(ended.stdout).unwrap(), ended.stderr);
    assert!(ended.status.success(), "{stdout}");
    for text in [
        ": login!!!\r\n",
        ": 大家好\r\n",
        "rename successful!!",
        "online user list: \n",
        ":Ann\n",
    ] {
        assert!(stdout.contains(text), "no {text:?}: {stdout:?}");
    }
    room.wait_for_stdout("检测到客户端:Ann退出!!!\n", 1);
}

#[test]
#[ignore = "needs ncat"]
fn ncat_sends_the_same_with_and_without_crlf() {
    let room = room(&[]);
    let mut witness = User::join(room.addr());
    for crlf in [&["-C"][..], &[]] {
        let mut ncat = Command::new("ncat");
        ncat.args(crlf)
            .args([room.addr().ip().to_string(), room.addr().port().to_string()]);
        let mut ncat = Program::spawn(&mut ncat);
        ncat.wait_for_stdout(": login!!!\r\n", 1);
        ncat.input("one\n\ntwo\n");
        ncat.wait_for_stdout(": two\r\n", 1);
        ncat.input("who\n");
        ncat.wait_for_stdout("online user list: \n", 1);
        ncat.end_input();
        ncat.wait_end();
        let heard = witness.read_until(": logout\r\n");
        assert_eq!(heard.lines().count(), 4, "{heard:?}");
    }
}

#[test]
fn long_chinese_line_of_tcp_concurrent_client_is_one_message() {
    let room = room(&[]);
    let mut witness = User::join(room.addr());
    let client = env!("CARGO_BIN_EXE_tcp_concurrent_client");
    let mut client = Program::start(client, &[&room.addr().to_string()]);
    for n in [700, 1300] {
        let line = "很".repeat(n);
        client.input(format!("{line}\n"));
        let heard = witness.read_until("很\r\n");
        let said = heard
            .lines()
            .find(|line| !line.contains("login!!!"))
            .unwrap();
        assert!(said.ends_with(&format!(": {line}")), "{n}: {heard:?}");
    }
    let ended = client.ended();
    assert!(ended.status.success(), "{}", ended.stderr);
}
