//! The command line of a server that shares its room.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use crate::CHAT;
use crate::common::program::Program;
use crate::common::user::User;
use crate::engine::Engine;

fn run(args: &[&str], engine: Option<&str>) -> crate::common::ended::Ended {
    let mut command = Command::new(CHAT);
    command
        .args(args)
        .arg("127.0.0.1:0")
        .env_remove("THREADLINE_ENGINE");
    if let Some(engine) = engine {
        command.env("THREADLINE_ENGINE", engine);
    }
    Program::spawn(&mut command).ended()
}

#[test]
#[ignore = "needs redis-server"]
fn an_engine_that_is_absent_at_the_start_is_one_line_and_status_1() {
    let ended = run(&["--engine", "redis://127.0.0.1:1"], None);
    let stderr = ended.expect(1, "聊天室启动...\n");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(
        stderr.starts_with("error: the engine at 127.0.0.1:1 does not answer: "),
        "{stderr}"
    );
}

#[test]
fn a_wrong_url_is_wrong_usage_and_is_not_shown() {
    for url in [
        "",
        "http://:secret@a",
        "redis://u:sec/secret@a:1",
        "redis://:secret@a:x",
    ] {
        let stderr = run(&[], Some(url)).expect(2, "");
        assert!(
            stderr
                .starts_with("error: --engine or THREADLINE_ENGINE: expected redis://HOST:PORT\n"),
            "{stderr}"
        );
        assert!(!stderr.contains("secret"), "{stderr}");
    }
}

#[test]
fn a_server_that_is_no_engine_is_one_error_line() {
    for answer in [
        "\0\u{7f}$-99\r\n*3\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "-ERR \x1b[2J\u{202e}no\r\n",
        "",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        thread::spawn(move || {
            for conn in listener.incoming() {
                conn.unwrap().write_all(answer.as_bytes()).ok();
            }
        });
        let ended = run(&["--engine", &format!("redis://{addr}")], None);
        let stderr = ended.expect(1, "聊天室启动...\n");
        assert_eq!(stderr.lines().count(), 1, "{stderr:?}");
        let is_plain = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
        assert!(stderr.chars().all(is_plain), "{stderr:?}");
        println!("{stderr}");
    }
}

#[test]
#[ignore = "needs redis-server"]
fn a_password_is_taken_from_the_environment_and_never_shown() {
    let engine = Engine::with(&["--requirepass", "sesame"]);
    let url = |password: &str| format!("redis://:{password}@127.0.0.1:{}", engine.port);
    let stderr = run(&[], Some(&url("wrongsecret"))).expect(1, "聊天室启动...\n");
    assert!(
        stderr.ends_with("Password authentication failed\n"),
        "{stderr}"
    );
    for (args, env) in [
        (&[][..], url("wrongsecret")),
        (&[], "redis://:secret@".to_owned()),
        (&[], "http://:secret@127.0.0.1".to_owned()),
        (&[], "rediss://:secret@127.0.0.1".to_owned()),
        (&["--help"], "redis://:secret@127.0.0.1".to_owned()),
        (&["--timeout", "x"], "redis://:secret@127.0.0.1".to_owned()),
    ] {
        let ended = run(args, Some(&env));
        let printed = format!("{}{}", ended.stderr, String::from_utf8_lossy(&ended.stdout));
        assert!(!printed.contains("secret"), "{printed}");
    }
    let mut command = Command::new("env");
    command
        .args(["RUST_LOG=trace", CHAT])
        .env("THREADLINE_ENGINE", url("sesame"));
    let room = Program::serve(&mut command);
    User::join(room.addr());
    let _: i64 = engine.ask_as("sesame", "CLIENT KILL TYPE normal SKIPME yes");
    User::join(room.addr());
    room.stop();
    let printed = room.stdout() + &room.stderr();
    assert!(!printed.contains("sesame"), "{printed}");
}

#[test]
#[ignore = "needs redis-server"]
fn queue_0_and_early_stages_are_refused_with_an_engine() {
    for args in [["--queue", "0"], ["--stage", "rename"]] {
        let ended = run(&args, Some("redis://127.0.0.1:1"));
        let stderr = ended.expect(2, "");
        assert!(
            stderr.contains("--engine") && stderr.contains(args[0]),
            "{stderr}"
        );
    }
    for room in ["a b", "", "x/y"] {
        let ended = run(&["--room", room], Some("redis://127.0.0.1:1"));
        let stderr = ended.expect(2, "");
        assert!(stderr.contains("--room"), "{stderr}");
    }
}

#[test]
#[ignore = "needs redis-server"]
fn documented_acl_rights_are_sufficient() {
    let manual =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scaling.md")).unwrap();
    let rights = manual
        .lines()
        .find_map(|line| line.strip_prefix("user threadline "))
        .unwrap();
    let engine = Engine::start();
    let _: String = engine.ask(&format!("ACL SETUSER threadline {rights}"));
    let _: String = engine.ask("ACL SETUSER threadline resetpass >sesame");
    let _: String = engine.ask("ACL LOG RESET");
    let url = format!("redis://threadline:sesame@127.0.0.1:{}", engine.port);
    let serve = || Program::serve(Command::new(CHAT).env("THREADLINE_ENGINE", &url));
    let (one, two) = (serve(), serve());
    let mut ann = User::join(one.addr());
    let mut bob = User::join(two.addr());
    bob.say("rename|Bob\n");
    bob.read_until("rename successful!!");
    two.kill();
    ann.read_until(": logout\r\n");
    // Everything is made anew, and read again from the last record.
    let _: String = engine.ask("SCRIPT FLUSH");
    let _: i64 = engine.ask("CLIENT KILL TYPE normal SKIPME yes");
    ann.say("who\n");
    ann.read_until("online user list: \n");
    ann.say("hello\n");
    ann.read_until(": hello\r\n");
    one.stop();
    let refused: Vec<redis::Value> = engine.ask("ACL LOG");
    assert!(refused.is_empty(), "{refused:?}");
}
