//! How fast can one thread hand one message to N others, without any socket?
//!
//! The room's way, without its sockets: the manager hands an `Arc<[u8]>` to N channels `bounded(64)`, each drained by a
//! thread of its own that waits in a two-armed `select!`; every few of them the
//! manager lets them have their turn. A round ends when all have it; its
//! throughput is in deliveries. The room itself does this and the writes.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel};
use std::thread;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use crossbeam_channel::{bounded, select};
use threadline::go::use_batch_scheduling;

const RECEIVERS: [usize; 4] = [10, 100, 1000, 5000];

/// Receivers that are woken before they have their turn, as in the room.
const TURN: usize = 8;

/// Bursts that may wait for one receiver, as in the room.
const QUEUE: usize = 64;

/// When a round is given up.
const DEADLINE: Duration = Duration::from_secs(10);

const MESSAGE: &[u8] = b"[127.0.0.1:50000]127.0.0.1:50000: hello, everybody\r\n";

fn fan_out(c: &mut Criterion) {
    use_batch_scheduling();
    let mut group = c.benchmark_group("fan_out");
    for receivers in RECEIVERS {
        group.throughput(Throughput::Elements(receivers as u64));
        let received = &AtomicUsize::new(0);
        thread::scope(|s| {
            // Dropped, with the outlets, when the scope's closure ends, which ends the receivers.
            let (_alive, answers) = bounded::<Infallible>(0);
            let (last, lasts) = bounded(1);
            let mut outlets = Vec::new();
            for _ in 0..receivers {
                let (outlet, bursts) = bounded::<Arc<[u8]>>(QUEUE);
                let (answers, last) = (answers.clone(), last.clone());
                s.spawn(move || {
                    loop {
                        let burst = select! {
                            recv(bursts) -> burst => burst,
                            recv(answers) -> _ => return,
                        };
                        let Ok(burst) = burst else { return };
                        black_box(burst.len());
                        drop(burst);
                        if (received.fetch_add(1, AcqRel) + 1).is_multiple_of(receivers) {
                            last.send(()).ok();
                        }
                    }
                });
                outlets.push(outlet);
            }
            group.bench_function(BenchmarkId::from_parameter(receivers), |b| {
                b.iter(|| {
                    let burst: Arc<[u8]> = MESSAGE.into();
                    for (i, outlet) in outlets.iter().enumerate() {
                        outlet.try_send(Arc::clone(&burst)).expect("room for one");
                        if (i + 1).is_multiple_of(TURN) {
                            thread::yield_now();
                        }
                    }
                    lasts.recv_timeout(DEADLINE).expect("all have it in 10 s");
                });
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = fan_out
}
criterion_main!(benches);
