//! The upper-casing server answers every character and every broken one as Go's does.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::common::program::{Program, text};
use crate::common::random::Random;
use crate::common::wait::DEADLINE;
use crate::side::Side;

/// Ends a request and its answer: the server leaves it as it is, and no request here holds it.
const END: &[u8] = b"|END|";

/// Go's server reads 4096 bytes at a time and destroys a character that is split over two reads.
const LONGEST: usize = 4096 - END.len();

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn every_code_point() {
    let characters = ('\0'..=char::MAX).map(|c| c.to_string().into_bytes());
    assert_eq!(characters.clone().count(), 1_112_064);
    let (requests, answers) = same_answers(characters);
    let [requests, answers] =
        [requests, answers].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    // Simple mappings all: a character for a character.
    assert_eq!(answers.chars().count(), 1_112_064);
    let changed = requests
        .chars()
        .zip(answers.chars())
        .filter(|(request, answer)| request != answer)
        .count();
    println!("{changed} characters have a simple upper case");
    assert!(
        changed > 1000,
        "only {changed} characters came back in another case"
    );
}

/// Whatever is not UTF-8: every byte, every two bytes, the edges of longer characters, and noise.
#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn invalid_bytes() {
    let pairs = (0..=u16::MAX).map(|pair| [pair.to_be_bytes().as_slice(), b" "].concat());
    let edges: [&[u8]; 14] = [
        b"\xc0\x80",
        b"\xe0\x80\x80",
        b"\xe0\x9f\xbf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xef\xbf\xbd",
        b"\xf0\x80\x80\x80",
        b"\xf0\x8f\xbf\xbf",
        b"\xf4\x8f\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xfe\xff",
        b"\xf0\x90\x90\xa8",
    ];
    // Each edge in all its beginnings, followed by a letter and by another character.
    let cut = edges
        .iter()
        .flat_map(|edge| (1..=edge.len()).map(|n| &edge[..n]));
    let cut = cut.flat_map(|bytes| [[bytes, b"a"].concat(), [bytes, "ä".as_bytes()].concat()]);
    let mut random = Random(7);
    let noise = (0..2000).map(move |_| {
        let length = 1 + random.below(200);
        // Mostly lead and continuation bytes, so that long wrong beginnings arise.
        let bytes = random.bytes(length).into_iter();
        bytes
            .map(|byte| if byte % 4 == 0 { byte } else { byte | 0x80 })
            .collect()
    });
    let all = pairs.chain(cut).chain(noise);
    // None of it can be mistaken for the end of a request.
    same_answers(all.filter(|piece| !piece.contains(&b'|')));
}

/// Sends the pieces to both servers, as many in a request as one read takes, compares the answers,
/// and returns all requests and all of Go's answers.
fn same_answers(pieces: impl Iterator<Item = Vec<u8>>) -> (Vec<u8>, Vec<u8>) {
    let servers = [Side::Go, Side::Ours]
        .map(|side| Program::serve(&mut side.command("tcp_concurrent_server")));
    let mut conns = servers.each_ref().map(|server| {
        let conn = TcpStream::connect(server.addr()).expect("cannot connect");
        conn.set_nodelay(true).expect("cannot send at once");
        conn.set_read_timeout(Some(DEADLINE))
            .expect("cannot set a deadline");
        conn
    });
    let mut all = (Vec::new(), Vec::new());
    let mut request = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        request.extend(piece);
        let full = pieces
            .peek()
            .is_none_or(|next| request.len() + next.len() > LONGEST);
        if full {
            let request = std::mem::take(&mut request);
            let [go, ours] = conns.each_mut().map(|conn| answer(conn, &request));
            if ours != go {
                let first = ours
                    .iter()
                    .zip(&go)
                    .take_while(|(ours, go)| ours == go)
                    .count();
                let near = first.saturating_sub(20);
                panic!(
                    "the answers differ from byte {first} on:\nours: {}\nGo's: {}\nto the request {}",
                    text(&ours[near..ours.len().min(first + 20)]),
                    text(&go[near..go.len().min(first + 20)]),
                    text(&request)
                );
            }
            all.0.extend(request);
            all.1.extend(go);
        }
    }
    all
}

fn answer(conn: &mut TcpStream, request: &[u8]) -> Vec<u8> {
    conn.write_all(&[request, END].concat())
        .expect("cannot send");
    let mut answer = Vec::new();
    let mut buf = [0; 16 * 1024];
    while !answer.ends_with(END) {
        let n = conn
            .read(&mut buf)
            .unwrap_or_else(|err| panic!("no answer to {}: {err}", text(request)));
        assert!(n > 0, "closed in place of an answer to {}", text(request));
        answer.extend_from_slice(&buf[..n]);
    }
    answer.truncate(answer.len() - END.len());
    answer
}
