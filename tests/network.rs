//! What the programs do on networks that this machine does not have: each test makes its own, in a network
//! namespace.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use common::ended::Ended;
use common::program::Program;

const TCP_SERVER: &str = env!("CARGO_BIN_EXE_tcp_server");
const TCP_CLIENT: &str = env!("CARGO_BIN_EXE_tcp_client");
const UPPER: &str = env!("CARGO_BIN_EXE_tcp_concurrent_server");
const CLIENT: &str = env!("CARGO_BIN_EXE_tcp_concurrent_client");
const UDP_SERVER: &str = env!("CARGO_BIN_EXE_udp_server");
const UDP_CLIENT: &str = env!("CARGO_BIN_EXE_udp_client");
const UDP_CONCURRENT_SERVER: &str = env!("CARGO_BIN_EXE_udp_concurrent_server");
const UDP_CONCURRENT_CLIENT: &str = env!("CARGO_BIN_EXE_udp_concurrent_client");
const FILE_CLIENT: &str = env!("CARGO_BIN_EXE_file_client");
const FILE_SERVER: &str = env!("CARGO_BIN_EXE_file_server");
const CHAT: &str = env!("CARGO_BIN_EXE_chat_server");

/// A network of its own with its own files under `/etc`, which lives as long as its shell.
struct Network(Program);

impl Network {
    /// Makes a network with a loopback interface, and then runs `setup`.
    #[track_caller]
    fn new(setup: &str) -> Network {
        let script = format!("set -e; ip link set lo up; {setup}\necho ready; exec cat");
        let shell = Program::start("unshare", &[&"--net", &"--mount", &"sh", &"-c", &script]);
        shell.wait_for_stdout("ready", 1);
        Network(shell)
    }

    fn start(&self, program: &str, args: &[&str]) -> Program {
        let shell = self.0.id().to_string();
        let mut command = Command::new("nsenter");
        command.args(["--target", &shell, "--net", "--mount", program]);
        Program::spawn(command.args(args))
    }

    #[track_caller]
    fn run(&self, program: &str, args: &[&str]) -> Ended {
        self.start(program, args).ended()
    }
}

/// Commands that replace a file under `/etc` in the namespace only.
fn etc(file: &str, text: &str) -> String {
    format!(
        "printf '{text}' >/run/{file}.$$ && mount --bind /run/{file}.$$ /etc/{file} && rm /run/{file}.$$\n"
    )
}

/// An interface that swallows what is sent to 10.9.9.2 and 2001:db8::2, and no name server that answers.
const SWALLOWS: &str = "
    ip link add void type dummy 2>/dev/null || ip link add void type ifb
    ip link set void up
    ip addr add 10.9.9.1/24 dev void
    ip addr add 2001:db8::1/64 dev void nodad
    ip neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev void\n";

#[test]
#[ignore = "needs root and a network namespace"]
fn unspecified_address_listens_on_both_families_despite_bindv6only() {
    let network = Network::new("sysctl -qw net.ipv6.bindv6only=1");
    for addr in [":0", "0.0.0.0:0", "[::]:0"] {
        for host in ["127.0.0.1", "[::1]"] {
            let mut tcp = network.start(TCP_SERVER, &[addr]);
            let to = format!("{host}:{}", tcp.addr().port());
            network
                .run(TCP_CLIENT, &[&to])
                .expect(0, "客户端读取到:  server is ok\n");
            assert!(tcp.ended().status.success());

            let mut udp = network.start(UDP_SERVER, &[addr]);
            let to = format!("{host}:{}", udp.addr().port());
            network
                .run(UDP_CLIENT, &[&to])
                .expect(0, "服务器发来： nice to see u in udp\n");
            assert!(udp.ended().status.success());
        }
    }
}

#[test]
#[ignore = "needs root and a network namespace"]
fn unspecified_address_listens_on_ipv4_if_ipv6_is_disabled() {
    let network = Network::new("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
    for addr in [":0", "0.0.0.0:0", "[::]:0"] {
        let mut tcp = network.start(TCP_SERVER, &[addr]);
        let to = format!("127.0.0.1:{}", tcp.addr().port());
        network
            .run(TCP_CLIENT, &[&to])
            .expect(0, "客户端读取到:  server is ok\n");
        assert!(tcp.ended().status.success());

        let mut udp = network.start(UDP_CONCURRENT_SERVER, &[addr]);
        let to = format!("127.0.0.1:{}", udp.addr().port());
        network
            .run(UDP_CLIENT, &[&to])
            .expect(0, "服务器发来： I-AM-SERVER\n");
        udp.signal("INT");
        assert!(udp.ended().status.success());
    }
}

#[test]
#[ignore = "needs root and a network namespace"]
fn unreachable_ipv6_address_delays_a_dial_by_300_ms() {
    let hosts = etc("hosts", "2001:db8::2 both\\n10.9.9.1 both\\n");
    let network = Network::new(&format!("{SWALLOWS}{hosts}"));
    let server = network.start(UPPER, &["10.9.9.1:0"]);
    let start = Instant::now();
    let client = network.run(TCP_CLIENT, &[&format!("both:{}", server.addr().port())]);
    let took = start.elapsed();
    client.expect(0, "客户端读取到:  R U OK??\n");
    let wanted = Duration::from_millis(300)..Duration::from_secs(20);
    assert!(wanted.contains(&took), "it took {took:?}");
}

#[test]
#[ignore = "needs root and a network namespace"]
fn clients_are_never_connected_to_themselves() {
    let network = Network::new("sysctl -qw net.ipv4.ip_local_port_range='40000 40003'");
    for _ in 0..20 {
        network
            .run(TCP_CLIENT, &["127.0.0.1:40000"])
            .expect_one_error("127.0.0.1:40000: ");
        network
            .run(UDP_CLIENT, &["127.0.0.1:40000"])
            .expect_one_error("127.0.0.1:40000");
    }
}

#[test]
#[ignore = "needs root and a network namespace"]
fn zones_are_interface_names_for_listening_and_dialling() {
    let network = Network::new("ip addr add fe80::1/64 dev lo nodad");
    let mut server = network.start(TCP_SERVER, &["[fe80::1%lo]:9000"]);
    server.wait_for_stderr("listening on [fe80::1%lo]:9000");
    network
        .run(TCP_CLIENT, &["[fe80::1%lo]:9000"])
        .expect(0, "客户端读取到:  server is ok\n");
    assert!(server.ended().status.success());

    let mut server = network.start(UDP_CONCURRENT_SERVER, &["[fe80::1%lo]:8003"]);
    server.wait_for_stderr("listening on [fe80::1%lo]:8003");
    network
        .run(UDP_CLIENT, &["[fe80::1%lo]:8003"])
        .expect(0, "服务器发来： I-AM-SERVER\n");
    let printed = server.stdout();
    assert!(
        printed.starts_with("接收到客户端[[fe80::1%lo]:"),
        "{printed:?}"
    );
    server.signal("TERM");
    assert!(server.ended().status.success());
}

#[test]
#[ignore = "needs root and a network namespace"]
fn listener_on_a_name_uses_its_ipv4_address() {
    let network = Network::new(&etc("hosts", "::1 localhost\\n127.0.0.1 localhost\\n"));
    for server in [TCP_SERVER, CHAT, UDP_SERVER, UDP_CONCURRENT_SERVER] {
        let server = network.start(server, &["localhost:9000"]);
        assert_eq!(server.addr().to_string(), "127.0.0.1:9000");
    }
    let taken = network.start(UPPER, &["127.0.0.1:9000"]);
    taken.addr();
    // As in Go, it does not go to the IPv6 address instead.
    network
        .start(CHAT, &["localhost:9000"])
        .wait_for_stderr("cannot listen on localhost:9000");
}

#[test]
#[ignore = "needs root and a network namespace"]
fn datagram_to_a_broadcast_address_is_sent() {
    let network = Network::new("");
    let mut server = network.start(UDP_SERVER, &[":8002"]);
    server.addr();
    let _client = network.start(UDP_CLIENT, &["127.255.255.255:8002"]);
    server.wait_for_stdout("客户端发送： Hello! I'm client in UDP!", 1);
    assert!(server.ended().status.success());
}

#[test]
#[ignore = "needs root and a network namespace"]
fn ctrl_c_ends_programs_that_resolve_or_connect() {
    let resolver = etc("resolv.conf", "nameserver 10.9.9.2\\n");
    let lookup = etc("nsswitch.conf", "hosts: files dns\\n");
    let network = Network::new(&format!("{SWALLOWS}{resolver}{lookup}"));
    let name = "no-such-name.example:9000";
    let connects = ("tcp", " 0209090A:2328 02 ");
    let connects6 = ("tcp6", ":2328 02 ");
    let looks_up = ("udp", " 0209090A:0035 01 ");
    for (program, args, (file, socket), status) in [
        (TCP_CLIENT, &["10.9.9.2:9000"][..], connects, Some(0)),
        (CLIENT, &["10.9.9.2:9000"], connects, Some(0)),
        (CLIENT, &["[2001:db8::2]:9000"], connects6, Some(0)),
        (
            FILE_CLIENT,
            &["10.9.9.2:9000", "/etc/hosts"],
            connects,
            Some(1),
        ),
        (TCP_CLIENT, &[name], looks_up, Some(0)),
        (CLIENT, &[name], looks_up, Some(0)),
        (FILE_CLIENT, &[name, "/etc/hosts"], looks_up, Some(1)),
        (UDP_CLIENT, &[name], looks_up, Some(0)),
        (UDP_CONCURRENT_CLIENT, &[name], looks_up, Some(0)),
        // These have nothing to tidy up yet, so that the signal itself ends them.
        (CHAT, &[name], looks_up, None),
        (UPPER, &[name], looks_up, None),
        (UDP_CONCURRENT_SERVER, &[name], looks_up, None),
        (FILE_SERVER, &[name], looks_up, None),
        (TCP_SERVER, &[name], looks_up, Some(0)),
        (UDP_SERVER, &[name], looks_up, Some(0)),
    ] {
        let mut client = network.start(program, args);
        let sockets = format!("/proc/{}/net/{file}", client.id());
        client.wait("open its socket", |_| {
            fs::read_to_string(&sockets).is_ok_and(|sockets| sockets.contains(socket))
        });
        let start = Instant::now();
        client.signal("INT");
        let ended = client.ended();
        let took = start.elapsed();
        assert!(
            took < Duration::from_secs(3),
            "{program} {args:?}: {took:?}"
        );
        assert_eq!(
            ended.status.code(),
            status,
            "{program} {args:?}: {}",
            ended.stderr
        );
    }
}
