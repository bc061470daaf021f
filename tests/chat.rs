//! The chat room, as users see it.

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::program::Program;
use common::user::User;
use common::wait::wait_until;

const CHAT: &str = env!("CARGO_BIN_EXE_chat_server");

fn room(args: &[&str]) -> Program {
    Program::serve(Command::new(CHAT).args(args))
}

#[test]
fn three_users_log_in_talk_and_log_out() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let mut bob = User::join(room.addr());
    let mut cyd = User::join(room.addr());
    let (a, b, c) = (ann.addr.clone(), bob.addr.clone(), cyd.addr.clone());
    ann.expect(&format!("[{b}]{b}: login!!!\r\n[{c}]{c}: login!!!\r\n"));
    bob.expect(&format!("[{c}]{c}: login!!!\r\n"));

    ann.say("hello");
    for user in [&mut ann, &mut bob, &mut cyd] {
        user.expect(&format!("[{a}]{a}: hello\r\n"));
    }
    bob.say("who");
    bob.expect(&format!("online user list: \n{a}:{a}\n{b}:{b}\n{c}:{c}\n"));
    bob.say("rename|Bob");
    bob.expect("rename successful!!");
    bob.say("it is me");
    for user in [&mut ann, &mut bob, &mut cyd] {
        user.expect(&format!("[{b}]Bob: it is me\r\n"));
    }
    cyd.say("who");
    cyd.expect(&format!("online user list: \n{a}:{a}\n{b}:Bob\n{c}:{c}\n"));
    drop(bob);
    for user in [&mut ann, &mut cyd] {
        user.expect(&format!("[{b}]Bob: logout\r\n"));
    }
    room.wait_for_stdout("退出!!!\n", 1);
    assert_eq!(room.stdout(), "聊天室启动...\n检测到客户端:Bob退出!!!\n");
    room.stop();
}

#[test]
fn each_stage_includes_the_earlier_ones() {
    for (n, stage) in ["login", "broadcast", "who", "rename", "timeout"]
        .into_iter()
        .enumerate()
    {
        let room = room(&["--stage", stage, "--timeout", "1h"]);
        let mut ann = User::connect(room.addr());
        let a = ann.addr.clone();
        // The first listing has no colon here.
        let colon = if n == 0 { "" } else { ":" };
        ann.expect(&format!("[{a}]{a}{colon} login!!!\r\n"));
        let bob = User::connect(room.addr());
        let b = bob.addr.clone();
        ann.expect(&format!("[{b}]{b}{colon} login!!!\r\n"));
        // If a stage does not know a command, it is a message; in the first stage it is ignored.
        let message = |text: &str| match n {
            0 => String::new(),
            _ => format!("[{a}]{a}: {text}\r\n"),
        };
        ann.say("hello\n");
        ann.expect(&message("hello"));
        ann.say("who\n");
        match n {
            0 | 1 => ann.expect(&message("who")),
            _ => ann.expect(&format!("online user list: \n{a}:{a}\n{b}:{b}\n")),
        }
        ann.say("rename|Ann\n");
        match n {
            0..=2 => ann.expect(&message("rename|Ann")),
            _ => ann.expect("rename successful!!"),
        }
        drop(bob);
        if n > 0 {
            room.wait_for_stdout("退出!!!\n", 1);
        }
        if n == 4 {
            ann.expect(&format!("[{b}]{b}: logout\r\n"));
        }
        let cyd = User::connect(room.addr());
        ann.expect(&format!("[{0}]{0}{colon} login!!!\r\n", cyd.addr));
        drop(cyd);
        room.stop();
    }
}

#[test]
fn message_is_one_line_and_cannot_forge_another() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let a = ann.addr.clone();
    ann.say("one\r\ntwo\n\n\nthree\n");
    ann.expect(&format!(
        "[{a}]{a}: one\r\n[{a}]{a}: two\r\n[{a}]{a}: three\r\n"
    ));
    ann.say("\x1b[2Jhi\r[1.2.3.4:5]root: hi\x7f\x07\n");
    ann.expect(&format!(
        "[{a}]{a}: [2Jhi\r\n[{a}]{a}: [1.2.3.4:5]root: hi\r\n"
    ));
    ann.say("whoever\n");
    ann.expect(&format!("[{a}]{a}: whoever\r\n"));
    ann.say("rename me\n");
    ann.expect(&format!("[{a}]{a}: rename me\r\n"));
}

#[test]
fn bytes_that_are_not_utf8_are_passed_on_unchanged() {
    use std::io::Read;
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let mut bob = User::join(room.addr());
    let a = ann.addr.clone();
    ann.say(b"\xfe\xc3\x28 \xe4\xb8");
    let mut got = vec![0; a.len() * 2 + 4 + 6 + 2];
    bob.conn.read_exact(&mut got).unwrap();
    assert_eq!(
        got,
        [
            format!("[{a}]{a}: ").as_bytes(),
            b"\xfe\xc3\x28 \xe4\xb8\r\n"
        ]
        .concat()
    );
}

#[test]
fn invalid_and_taken_names_are_rejected() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let cyd = User::join(room.addr());
    let mut bob = User::join(room.addr());
    ann.read_until(&format!("{}: login!!!\r\n", bob.addr));
    ann.say("rename|  Ann \r\n");
    ann.expect("rename successful!!");
    bob.say("rename|Ann");
    bob.expect("rename failed: the name is taken\r\n");
    for (name, refusal) in [
        ("", "the name is empty"),
        ("   ", "the name is empty"),
        ("a|b", "a name cannot contain |"),
        // The address of another user, and one that is not in use.
        (&cyd.addr, "an address is not a name"),
        ("127.0.0.1:1", "an address is not a name"),
        ("[::1]:1", "an address is not a name"),
        (&"x".repeat(33), "the name is longer than 32 bytes"),
    ] {
        bob.say(format!("rename|{name}\n"));
        bob.expect(&format!("rename failed: {refusal}\r\n"));
    }
    let b = bob.addr.clone();
    bob.say("still me\n");
    bob.expect(&format!("[{b}]{b}: still me\r\n"));
    let longest = "x".repeat(32);
    bob.say(format!("rename|{longest}\n"));
    bob.expect("rename successful!!");
    // A user may be renamed to the current name.
    bob.say(format!("rename|{longest}\n"));
    bob.expect("rename successful!!");
    bob.say("now longer\n");
    bob.expect(&format!("[{b}]{longest}: now longer\r\n"));
}

#[test]
fn timeout_counts_from_the_last_message() {
    const TIMEOUT: Duration = Duration::from_secs(3);
    let room = room(&["--timeout", "3s"]);
    let mut ann = User::join(room.addr());
    let start = Instant::now();
    let pause = TIMEOUT / 4;
    wait_until("a pause", || start.elapsed() > pause, String::new);
    let last = Instant::now();
    ann.say("still here");
    let heard = ann.read_to_end();
    let silence = last.elapsed();
    assert!(
        heard.ends_with(": still here\r\n") && silence >= TIMEOUT,
        "kicked after {silence:?} of silence, having heard {heard:?}"
    );
}

#[test]
fn idle_clients_are_disconnected_and_active_ones_are_not() {
    let room = room(&["--timeout", "700ms"]);
    let mut ann = User::join(room.addr());
    let mut bob = User::join(room.addr());
    let (a, b) = (ann.addr.clone(), bob.addr.clone());
    let kicked = format!("[{b}]{b}: time out leaved\r\n");
    let mut said = 0;
    loop {
        ann.say("still here");
        said += 1;
        let heard = ann.read_until(&format!("[{a}]{a}: still here\r\n"));
        if heard.contains(&kicked) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(said > 3, "kicked after {said} messages");
    // The disconnected client gets all messages before its timeout and a clean end, but not its own logout.
    let heard = bob.read_to_end();
    assert!(heard.ends_with(": still here\r\n"), "{heard:?}");
    assert!(!heard.contains("leaved"), "{heard:?}");
    assert!(!room.stdout().contains("退出"), "{}", room.stdout());
}

#[test]
fn line_is_complete_wherever_the_buffer_ends() {
    let room = room(&[]);
    let mut ann = User::join(room.addr());
    let a = ann.addr.clone();
    let lines: Vec<_> = (0..1000).map(|i| format!("{i:030}")).collect();
    ann.say(lines.join("\n") + "\n");
    for line in &lines {
        ann.expect(&format!("[{a}]{a}: {line}\r\n"));
    }
    // The rest of a full buffer is held back until its line end, or the end of the connection.
    let long = "x".repeat(4093);
    ann.say(format!("{long}\nyes\n"));
    ann.expect(&format!("[{a}]{a}: {long}\r\n[{a}]{a}: yes\r\n"));
    ann.say(format!("{long}\nno"));
    ann.expect(&format!("[{a}]{a}: {long}\r\n"));
    ann.close_write();
    assert_eq!(ann.read_to_end(), format!("[{a}]{a}: no\r\n"));
}

#[test]
fn client_that_shuts_down_after_a_message_still_receives_it() {
    let room = room(&[]);
    for i in 0..100 {
        let mut ann = User::connect(room.addr());
        let a = ann.addr.clone();
        ann.say(format!("words {i}"));
        ann.close_write();
        let heard = ann.read_to_end();
        // The last message of the previous client may come first.
        let own = format!("[{a}]{a}: login!!!\r\n[{a}]{a}: words {i}\r\n");
        assert!(heard.ends_with(&own), "{heard:?} does not end with {own:?}");
    }
}

#[test]
fn address_in_use_fails_with_one_line() {
    let taken = room(&[]);
    let addr = taken.addr().to_string();
    let stderr = Program::run(CHAT, &[&addr], b"").expect(1, "聊天室启动...\n");
    let start = format!("error: cannot listen on {addr}: ");
    assert!(
        stderr.starts_with(&start)
            && (cfg!(windows) || stderr.contains("in use"))
            && stderr.lines().count() == 1,
        "{stderr:?}"
    );
}

#[test]
fn too_large_queue_is_wrong_usage() {
    for queue in ["18446744073709551615", "1025", "many"] {
        let stderr = Program::run(CHAT, &[&"--queue", &queue], b"").expect(2, "");
        assert!(stderr.contains("from 0 to 1024"), "{stderr:?}");
    }
}

#[test]
fn invalid_address_is_wrong_usage() {
    for addr in ["nonsense", "127.0.0.1:99999", ""] {
        let stderr = Program::run(CHAT, &[&addr], b"").expect(2, "");
        let start = format!("error: invalid value '{addr}'");
        assert!(stderr.starts_with(&start), "{stderr:?}");
    }
}

#[test]
#[cfg(unix)]
fn debug_log_shows_login_rename_logout_and_timeout() {
    let mut command = Command::new("env");
    let room = Program::serve(command.args(["RUST_LOG=debug", CHAT, "--timeout", "2s"]));
    let mut ann = User::join(room.addr());
    let mut bob = User::join(room.addr());
    let (a, b) = (ann.addr.clone(), bob.addr.clone());
    bob.say("rename|Bob\n");
    bob.read_until("rename successful!!");
    drop(bob);
    ann.read_until(": logout\r\n");
    ann.read_to_end();
    for line in [
        format!("{a} login"),
        format!("{b} login"),
        format!("{b} rename Bob"),
        format!("{b} logout"),
        format!("{a} timeout"),
    ] {
        room.wait_for_stderr(&line);
    }
    room.stop();
}

#[test]
#[cfg(not(feature = "engine"))]
fn options_of_the_engine_name_the_build_that_has_them() {
    for args in [["--engine", "redis://127.0.0.1:1"], ["--room", "kitchen"]] {
        let stderr = Program::run(CHAT, &[&args[0], &args[1]], b"").expect(2, "");
        assert!(
            stderr.contains("need a build with --features engine"),
            "{stderr}"
        );
    }
}
