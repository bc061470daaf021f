//! What does it cost to hand a message from one thread to another, by kind of channel, and how much
//! dearer is a receiver that waits in `select!` than one that waits in `recv`?
//!
//! - `ping_pong`: one message there and one back, both ends waiting: the latency of two hand-overs.
//! - `stream`: 1,000 messages one way as fast as they go, until the receiver has the last.
//! - `wake_100`: one manager sends to 100 receivers that are parked, each on a channel of its own: the
//!   time until the last `send` returns, which is what waking costs the manager.

use std::convert::Infallible;
use std::thread;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use crossbeam_channel::{Receiver, RecvError, Sender, bounded, select, unbounded};

const KINDS: [(&str, Option<usize>); 3] = [
    ("bounded(0)", Some(0)),
    ("bounded(64)", Some(64)),
    ("unbounded", None),
];

const STREAM: usize = 1000;
const RECEIVERS: usize = 100;

/// Pause before a round, not measured, in which the receivers park again.
const PARKING: Duration = Duration::from_millis(5);

/// When a round is given up.
const DEADLINE: Duration = Duration::from_secs(10);

fn channel(capacity: Option<usize>) -> (Sender<usize>, Receiver<usize>) {
    capacity.map_or_else(unbounded, bounded)
}

/// The next message. The second receiver is the other arm, on which nothing ever comes.
type Next = fn(&Receiver<usize>, &Receiver<Infallible>) -> Result<usize, RecvError>;

fn by_select(messages: &Receiver<usize>, other: &Receiver<Infallible>) -> Result<usize, RecvError> {
    select! {
        recv(messages) -> message => message,
        recv(other) -> _ => Err(RecvError),
    }
}

/// A group with one figure for each kind of channel and way of waiting.
fn each_kind(
    c: &mut Criterion,
    name: &str,
    messages: usize,
    bench: impl Fn(&mut BenchmarkGroup<WallTime>, &str, Option<usize>, Next),
) {
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(messages as u64));
    for (kind, capacity) in KINDS {
        let by_recv: Next = |messages, _| messages.recv();
        bench(&mut group, &format!("{kind}, recv"), capacity, by_recv);
        bench(&mut group, &format!("{kind}, select!"), capacity, by_select);
    }
}

fn ping_pong(c: &mut Criterion) {
    each_kind(c, "ping_pong", 2, |group, name, capacity, next| {
        thread::scope(|s| {
            // Dropped when the scope's closure ends, which ends the other thread.
            let (_alive, other) = bounded(0);
            let (ping, pings) = channel(capacity);
            let (pong, pongs) = channel(capacity);
            let others = other.clone();
            s.spawn(move || {
                while let Ok(message) = next(&pings, &others) {
                    pong.send(message).ok();
                }
            });
            group.bench_function(name, |b| {
                b.iter(|| {
                    ping.send(1).unwrap();
                    next(&pongs, &other).unwrap()
                });
            });
        });
    });
}

fn stream(c: &mut Criterion) {
    each_kind(c, "stream", STREAM, |group, name, capacity, next| {
        thread::scope(|s| {
            let (_alive, other) = bounded(0);
            let (message, messages) = channel(capacity);
            let (last, lasts) = bounded(1);
            s.spawn(move || {
                while let Ok(n) = next(&messages, &other) {
                    if n == STREAM {
                        last.send(()).ok();
                    }
                }
            });
            group.bench_function(name, |b| {
                b.iter(|| {
                    (1..=STREAM).for_each(|n| message.send(n).unwrap());
                    lasts.recv().unwrap();
                });
            });
        });
    });
}

fn wake(c: &mut Criterion) {
    each_kind(c, "wake_100", RECEIVERS, |group, name, capacity, next| {
        thread::scope(|s| {
            let (_alive, other) = bounded(0);
            let (done, dones) = bounded(RECEIVERS);
            let outlets = [(); RECEIVERS].map(|()| {
                let (message, messages) = channel(capacity);
                let (other, done) = (other.clone(), done.clone());
                s.spawn(move || {
                    while next(&messages, &other).is_ok() {
                        done.send(()).ok();
                    }
                });
                message
            });
            group.bench_function(name, |b| {
                let round = |_| {
                    thread::sleep(PARKING);
                    let start = Instant::now();
                    outlets.iter().for_each(|outlet| outlet.send(1).unwrap());
                    let woken = start.elapsed();
                    (0..RECEIVERS).for_each(|_| dones.recv_timeout(DEADLINE).expect("in 10 s"));
                    woken
                };
                b.iter_custom(|rounds| (0..rounds).map(round).sum());
            });
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = ping_pong, stream, wake
}
criterion_main!(benches);
