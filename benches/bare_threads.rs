//! The least memory that threads can take: 3,000 of them, asleep, each with the stack that a client's
//! threads have here. Three of them are the limit for every room with three threads a client.
//!
//!     cargo run --release --example bare_threads

use std::{fs, thread};

const THREADS: u64 = 3000;

fn main() {
    let before = resident();
    let (asleep, ready) = crossbeam_channel::bounded(0);
    for _ in 0..THREADS {
        let asleep = asleep.clone();
        thread::Builder::new()
            .stack_size(64 * 1024)
            .spawn(move || {
                asleep.send(()).expect("main waits");
                loop {
                    thread::park();
                }
            })
            .expect("the machine has room for them");
        ready.recv().expect("the thread is there");
    }
    let taken = (resident() - before) as f64 / THREADS as f64;
    println!("{taken:.1} KiB a thread, {:.1} KiB for three", 3.0 * taken);
}

/// Resident memory of this process in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .expect("it has a line VmRSS")
}
