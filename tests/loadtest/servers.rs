//! The servers under test: found, started, stopped, and named when they fail.

use std::ffi::OsStr;
use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use crate::common::program::Program;
use crate::mock;
use crate::{CHAT_SERVER, ECHO_SERVER, LOADTEST, assert_sound, free_addr, measure, run, start};

#[test]
fn running_server_is_measured_and_not_stopped() {
    let mut server = Program::start(CHAT_SERVER, &[&"127.0.0.1:0"]);
    let addr = server.addr();
    let (record, _) = measure(&format!("chat --addr {addr} -c 4 -d 200ms --rounds 2"), &[]);
    assert_eq!(record.servers, [addr.to_string()]);
    // Its process is found by its socket.
    assert_sound(&record);
    TcpStream::connect(addr).expect("the server still listens");
    server.signal("TERM");
    server.ended();
}

#[test]
fn server_with_fixed_address_is_started_and_stopped() {
    let addr = free_addr();
    let server = format!("mine@{addr}={CHAT_SERVER} {addr}");
    let (record, _) = measure(
        "chat -c 4 -d 200ms --rounds 3 --no-own --server",
        &[&server],
    );
    assert_eq!(record.servers, ["mine"]);
    assert_sound(&record);
    assert!(TcpStream::connect(addr).is_err(), "it was not stopped");
}

#[test]
fn child_processes_of_a_server_are_stopped_with_it() {
    let addr = free_addr();
    let server = format!("mine@{addr}=sh -c '{CHAT_SERVER} {addr}; true'");
    let (record, _) = measure(
        "chat -c 4 -d 200ms --rounds 2 --no-own --server",
        &[&server],
    );
    assert_sound(&record);
    // The process that listens was measured, and not the shell before it.
    let cost = record.points[0].rounds[0].server.as_ref().unwrap();
    assert_eq!(cost.threads[1] - cost.threads[0], 12, "{cost:?}");
    assert!(TcpStream::connect(addr).is_err(), "it was not stopped");
}

#[test]
fn probing_a_server_takes_no_client_slot() {
    let server = Program::start(CHAT_SERVER, &[&"--max-clients", &"5", &"127.0.0.1:0"]);
    let addr = server.addr();
    let (record, _) = measure(&format!("chat --addr {addr} -c 5 -d 200ms --rounds 1"), &[]);
    assert_sound(&record);
    server.stop();
}

#[test]
fn other_addresses_of_this_machine_are_not_remote() {
    // Nothing is sent: this only asks for the way.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let outside = socket
        .connect("192.0.2.1:9")
        .and_then(|()| socket.local_addr());
    let mut listens_on = vec!["127.0.0.1:0".parse().unwrap()];
    listens_on.extend(outside.map(|addr| SocketAddr::new(addr.ip(), 0)));
    for listens_on in listens_on {
        let server = Program::start(
            CHAT_SERVER,
            &[&"--max-clients", &"3", &listens_on.to_string()],
        );
        let addr = server.addr();
        let mut addrs = vec![addr.to_string()];
        if let (IpAddr::V4(ip), Ok(_)) = (addr.ip(), TcpListener::bind("[::1]:0")) {
            addrs.push(SocketAddr::new(ip.to_ipv6_mapped().into(), addr.port()).to_string());
        }
        for addr in addrs {
            let (record, _) = measure(&format!("chat --addr {addr} -c 3 -d 200ms --rounds 1"), &[]);
            assert_sound(&record);
        }
        server.stop();
    }
}

#[test]
fn all_addresses_of_a_name_are_tried() {
    let addrs = "localhost:0".to_socket_addrs().unwrap();
    for ip in addrs.map(|addr| addr.ip()) {
        let Ok(listener) = TcpListener::bind((ip, 0)) else {
            continue;
        };
        let addr = listener.local_addr().unwrap();
        drop(listener);
        let server = Program::start(CHAT_SERVER, &[&addr.to_string()]);
        server.addr();
        let name = format!("localhost:{}", addr.port());
        let (record, _) = measure(&format!("chat --addr {name} -c 3 -d 200ms --rounds 1"), &[]);
        assert_sound(&record);
        server.stop();
        // One that is started may listen on any of them, too.
        let server = format!("mine@{name}={CHAT_SERVER} {addr}");
        let line = "chat -c 3 -d 200ms --rounds 1 --no-own --server";
        assert_sound(&measure(line, &[&server]).0);
    }
}

#[test]
fn server_on_ipv6_only_is_found_by_its_name() {
    let addrs = "localhost:0".to_socket_addrs().unwrap();
    if addrs.filter(SocketAddr::is_ipv6).count() == 0 {
        return;
    }
    let socket = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
    socket.set_only_v6(true).unwrap();
    let every_address: SocketAddr = "[::]:0".parse().unwrap();
    if socket.bind(&every_address.into()).is_err() {
        return;
    }
    socket.listen(100).unwrap();
    let listener = TcpListener::from(socket);
    let port = listener.local_addr().unwrap().port();
    let mock = mock::serve(listener, "chat");
    let line = format!("chat --addr localhost:{port} -c 3 -d 200ms --rounds 1");
    let (record, _) = measure(&line, &[]);
    assert_eq!(record.points[0].rounds[0].lost, 0);
    assert!(mock.messages() > 0);
}

#[test]
fn a_command_may_take_the_port_alone() {
    for listens_on in [
        "127.0.0.1:{port}",
        "0.0.0.0:{port}",
        ":{port}",
        "[::1]:{port}",
    ] {
        let host = listens_on.replace("{port}", "0");
        if !host.starts_with(':') && TcpListener::bind(&host).is_err() {
            continue;
        }
        let server = format!("mine={CHAT_SERVER} {listens_on}");
        let line = "chat -c 3 -d 200ms --rounds 1 --no-own --server";
        assert_sound(&measure(line, &[&server]).0);
    }
}

#[test]
fn built_in_servers_need_no_other_program() {
    let folder = TempDir::new().unwrap();
    // Its own name need not be Unicode.
    let alone = folder.path().join(OsStr::from_bytes(b"load\xfftest"));
    fs::copy(LOADTEST, &alone).unwrap();
    for line in ["chat", "echo", "idle"] {
        let words = format!("{line} -c 3 -d 200ms --rounds 1 --floor");
        let ended = Command::new(&alone)
            .args(words.split(' '))
            .output()
            .unwrap();
        assert!(ended.status.success(), "{line}: {ended:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn new_build_in_its_place_does_not_stop_a_run() {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("loadtest");
    fs::copy(LOADTEST, &program).unwrap();
    let mut command = Command::new(&program);
    command.args("echo -c 1 -d 300ms --rounds 3 --floor".split(' '));
    let mut loadtest = Program::spawn(&mut command);
    fs::remove_file(&program).unwrap();
    fs::write(&program, "another program").unwrap();
    let ended = loadtest.ended();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
}

#[test]
fn full_room_is_reported() {
    let server = format!("small={CHAT_SERVER} --max-clients 7 {{addr}}");
    let (record, _) = measure(
        "chat -c 10 -d 200ms --rounds 1 --no-own --server",
        &[&server],
    );
    let round = &record.points[0].rounds[0];
    assert_eq!((round.connected, round.lost), (7, 0), "{round:?}");
    let warnings = record.warnings.join("\n");
    assert!(warnings.contains("only 7 got in"), "{warnings}");
    assert!(warnings.contains("limit of 7 clients"), "{warnings}");
}

#[test]
fn full_echo_server_is_reported() {
    let server = format!("small={ECHO_SERVER} --max-clients 2 {{addr}}");
    // In an open loop, the clients that got in have all of the load.
    for (rate, least) in [("max", 2), ("100", 30)] {
        let (record, _) = measure(
            &format!("echo -c 50 -d 300ms --rate {rate} --rounds 1 --no-own --server"),
            &[&server],
        );
        let round = &record.points[0].rounds[0];
        let found = (round.connected, round.lost, round.dropped);
        assert_eq!(found, (2, 0, 0), "{round:?}");
        assert!(round.messages >= least, "{rate}: {round:?}");
        let warnings = record.warnings.join("\n");
        assert!(warnings.contains("only 2 got in"), "{warnings}");
    }
}

#[test]
fn address_in_use_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap();
    run(
        "chat -c 2 --no-own --server",
        &[&format!("x@{taken}=sleep 60")],
    )
    .expect_one_error("something listens on");
}

#[test]
fn address_in_use_is_reported_before_anything_is_measured() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap();
    // Its turn would come after ours, whose table would be on standard output.
    let server = format!("x@{taken}=sleep 60");
    let expected = format!("server x cannot be started: something listens on {taken} already");
    run("chat -c 2 -d 100ms --server", &[&server]).expect_one_error(&expected);
}

/// Elsewhere nothing is known of a process whose parent has exited.
#[test]
#[cfg(target_os = "linux")]
fn server_that_goes_to_the_background_is_measured_and_stopped() {
    let folder = TempDir::new().unwrap();
    let stopped = folder.path().join("stopped");
    // In its process group, and in one of its own as a daemon.
    for start in ["", "setsid"] {
        let script = format!(
            "trap \"touch {}; kill \\$!\" TERM; {CHAT_SERVER} {{addr}} & wait",
            stopped.display()
        );
        let server = format!(
            "mine=sh -c '{start} sh -c \"$0\" & sleep 0.1' {}",
            quoted(&script)
        );
        let line = "chat -c 3 -d 200ms --rounds 2 --no-own --server";
        assert_sound(&measure(line, &[&server]).0);
        assert!(stopped.exists(), "{start:?}: it was killed before its time");
        fs::remove_file(&stopped).unwrap();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn server_that_dies_in_the_background_is_reported() {
    let addr = free_addr();
    let script = format!(
        "{CHAT_SERVER} {addr} 2>/dev/null & sleep 0.5; kill $!; echo out of order >&2; exit 4"
    );
    let server = format!("x@{addr}=sh -c 'sh -c \"$0\" &' {}", quoted(&script));
    run("chat -c 3 -d 60s --no-own --server", &[&server])
        .expect_one_error("server x died (exit status 4): out of order");
}

fn quoted(word: &str) -> String {
    shell_words::quote(word).into_owned()
}

#[test]
fn server_that_never_listens_is_reported() {
    run(
        "chat -c 2 --start-timeout 500ms --no-own --server",
        &["x=sh -c 'sleep 60' {addr}"],
    )
    .expect_one_error("server x was started but does not listen");
}

#[test]
fn server_that_closes_every_connection_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    run(&format!("chat --addr {addr} -c 2"), &[])
        .expect_one_error("closed every connection at once");
}

#[test]
fn server_that_dies_under_load_is_reported() {
    // A shell that ends its room while it is in use.
    let addr = free_addr();
    let script = format!(
        "{CHAT_SERVER} {addr} 2>/dev/null & sleep 0.5; kill $!; echo out of order >&2; exit 4"
    );
    let server = format!("x@{addr}=sh -c '{script}'");
    let mut loadtest = start("chat -c 3 -d 60s --no-own --server", &[&server]);
    loadtest
        .ended()
        .expect_one_error("server x died (exit status 4): out of order");
}

#[test]
fn a_server_may_take_its_time_to_stop() {
    let folder = TempDir::new().unwrap();
    let stopped = folder.path().join("stopped");
    // With and without its standard error, whose end would show that it has gone.
    for redirect in ["2>&2", "2>/dev/null"] {
        let script = format!(
            "exec {redirect}; trap 'sleep 0.3; touch {}; exit' TERM; {CHAT_SERVER} {{addr}} & wait",
            stopped.display()
        );
        let server = format!("slow=sh -c \"{script}\"");
        measure(
            "chat -c 2 -d 100ms --rounds 1 --no-own --server",
            &[&server],
        );
        assert!(
            stopped.exists(),
            "it was killed before its time: {redirect}"
        );
        fs::remove_file(&stopped).unwrap();
    }
}
