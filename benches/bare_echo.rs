//! The least that a thread a client can do: read, answer in upper case, sleep. What `loadtest echo`
//! measures of it is the limit for every server that is built this way.
//!
//!     cargo run --release --example bare_echo 127.0.0.1:9100

use std::io::{Read, Write};
use std::net::TcpListener;
use std::{env, thread};

fn main() {
    let addr = env::args().nth(1).expect("usage: bare_echo HOST:PORT");
    let listener = TcpListener::bind(addr).expect("the address is free");
    for conn in listener.incoming() {
        let mut conn = conn.expect("there are descriptors");
        thread::spawn(move || {
            conn.set_nodelay(true).ok();
            let mut buf = [0; 512];
            while let Ok(n @ 1..) = conn.read(&mut buf) {
                buf[..n].make_ascii_uppercase();
                if conn.write_all(&buf[..n]).is_err() {
                    break;
                }
            }
        });
    }
}
