use std::io::Write;
use std::net::TcpListener;
use std::time::Instant;

use super::*;

#[test]
fn clients_beyond_the_ports_of_one_address_come_from_the_next() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    let mut clients = Clients::new(vec![target]).unwrap();
    assert_eq!(clients.source(target), None);
    clients.source += 1;
    clients.connect(0).unwrap();
    let (_, peer) = listener.accept().unwrap();
    assert_eq!(peer.ip(), IpAddr::from([127, 0, 0, 2]));
}

#[test]
fn clients_of_several_servers_never_have_the_same_address() {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let targets = listeners
        .iter()
        .map(|listener| listener.local_addr().unwrap());
    let mut clients = Clients::new(targets.collect()).unwrap();
    for number in 0..300 {
        clients.connect(number).unwrap();
    }
    let all = clients.all().iter();
    let mut addrs: Vec<_> = all.map(|client| &client.prefix).collect();
    addrs.sort();
    addrs.dedup();
    assert_eq!(addrs.len(), 300);
    for listener in &listeners {
        (0..100).for_each(|_| drop(listener.accept().unwrap()));
    }
}

#[test]
fn source_address_for_another_machine_is_left_to_the_system() {
    let target = "192.0.2.1:80".parse().unwrap();
    let clients = Clients::new(vec![target]).unwrap();
    assert!(!clients.has_sources());
    assert_eq!(clients.source(target), None);
}

#[test]
fn client_gets_its_events() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut clients = Clients::new(vec![listener.local_addr().unwrap()]).unwrap();
    clients.connect(0).unwrap();
    let (mut conn, _) = listener.accept().unwrap();
    conn.write_all(b"hello").unwrap();
    drop(conn);
    let mut seen = Vec::new();
    for _ in 0..100 {
        let timeout = Some(Duration::from_millis(100));
        clients
            .poll(timeout, |number, client, event| {
                seen.push(match event {
                    Event::Connected => format!("{number} connected"),
                    Event::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    Event::Closed => format!("closed, open: {}", client.is_open()),
                    Event::Writable => "writable".to_owned(),
                });
            })
            .unwrap();
        if seen.len() == 3 {
            break;
        }
    }
    assert_eq!(seen, ["0 connected", "hello", "closed, open: false"]);
}

#[test]
fn endless_stream_does_not_starve_other_clients() {
    const SIZE: usize = 64 * 1024 * 1024;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut clients = Clients::new(vec![listener.local_addr().unwrap()]).unwrap();
    clients.connect(0).unwrap();
    let (mut conn, _) = listener.accept().unwrap();
    let talker = std::thread::spawn(move || conn.write_all(&vec![b'x'; SIZE]).unwrap());
    let (mut got, mut closed) = (0, false);
    while !closed {
        let mut reads = 0;
        let timeout = Duration::from_secs(60);
        let (before, start) = (got, Instant::now());
        clients
            .poll(Some(timeout), |_, _, event| {
                match event {
                    Event::Bytes(bytes) => got += bytes.len(),
                    Event::Closed => closed = true,
                    Event::Connected | Event::Writable => return,
                }
                reads += 1;
                // Slower than the talker, so that there is always more.
                std::thread::sleep(Duration::from_millis(1));
            })
            .unwrap();
        // And what is left before the end, and the end.
        assert!(reads <= FULL_READS + 2, "{reads} reads in one turn");
        // An event may be about data that was read with the one before, but the next must come.
        let came = got > before || closed || start.elapsed() < timeout;
        assert!(came, "{got} bytes came, then nothing");
    }
    assert_eq!(got, SIZE);
    talker.join().unwrap();
}

#[test]
fn rest_of_a_message_is_sent_when_the_socket_is_writable() {
    const SIZE: usize = 16 * 1024 * 1024;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut clients = Clients::new(vec![listener.local_addr().unwrap()]).unwrap();
    clients.connect(0).unwrap();
    let (mut conn, _) = listener.accept().unwrap();
    let reader = std::thread::spawn(move || {
        let mut got = Vec::new();
        conn.read_to_end(&mut got).unwrap();
        got
    });
    let bytes: Vec<u8> = (0..SIZE).map(|i| i as u8).collect();
    let (mut connected, mut pieces) = (false, bytes.chunks(SIZE / 16));
    for _ in 0..100_000 {
        let timeout = Some(Duration::from_millis(10));
        clients
            .poll(timeout, |_, _, event| {
                connected |= matches!(event, Event::Connected);
            })
            .unwrap();
        let client = &mut clients.all()[0];
        if !connected || !client.is_writable() {
            continue;
        }
        match pieces.next() {
            Some(piece) => client.send(piece),
            None => break,
        }
    }
    clients.all()[0].close();
    assert!(reader.join().unwrap() == bytes, "not what was sent");
}
