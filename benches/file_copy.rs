//! How large should the buffer be that a file goes through, from a file over TCP into another?
//!
//! 64 MiB from one temporary file over a loopback connection into a new one, with a buffer of the
//! same size at both ends, as `file_client` and `file_server` do it but for the hash and the progress
//! line. The source is in the page cache and nothing is flushed to the disk: this measures the
//! copying, not the disk. The files are in the system's temporary folder (TMPDIR).

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tempfile::tempfile;

const MIB: usize = 1024 * 1024;
const SIZE: usize = 64 * MIB;
const BUFFERS: [(&str, usize); 5] = [
    ("4 KiB", 4 * 1024),
    ("64 KiB", 64 * 1024),
    ("256 KiB", 256 * 1024),
    ("1 MiB", MIB),
    ("4 MiB", 4 * MIB),
];

/// When a connection on which nothing moves is given up.
const DEADLINE: Duration = Duration::from_secs(10);

/// A file of [`SIZE`] bytes in which no block is like another.
fn source() -> io::Result<File> {
    let mut f = tempfile()?;
    let words: Vec<u8> = (0..SIZE as u64 / 8).flat_map(u64::to_le_bytes).collect();
    f.write_all(&words)?;
    Ok(f)
}

/// Two ends of one loopback connection.
fn connect(listener: &TcpListener) -> io::Result<(TcpStream, TcpStream)> {
    let sender = TcpStream::connect(listener.local_addr()?)?;
    let (receiver, _) = listener.accept()?;
    sender.set_write_timeout(Some(DEADLINE))?;
    receiver.set_read_timeout(Some(DEADLINE))?;
    Ok((sender, receiver))
}

/// Copies until the end of `from`, and returns how many bytes that were.
fn copy(mut from: impl Read, mut to: impl Write, buffer: usize) -> io::Result<usize> {
    let mut buf = vec![0; buffer];
    let mut copied = 0;
    loop {
        let n = from.read(&mut buf)?;
        if n == 0 {
            return Ok(copied);
        }
        to.write_all(&buf[..n])?;
        copied += n;
    }
}

fn file_copy(c: &mut Criterion) {
    let mut source = source().expect("a temporary file of 64 MiB");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let mut group = c.benchmark_group("file_copy");
    group.throughput(Throughput::Bytes(SIZE as u64));
    for (name, buffer) in BUFFERS {
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter_batched(
                || {
                    source.rewind().unwrap();
                    let source = source.try_clone().unwrap();
                    (source, tempfile().unwrap(), connect(&listener).unwrap())
                },
                |(source, target, (sender, receiver))| {
                    thread::scope(|s| {
                        // Takes the sending end along, so that it is closed after the last byte.
                        let sent = s.spawn(move || copy(source, sender, buffer));
                        let received = copy(receiver, &target, buffer).unwrap();
                        assert_eq!(sent.join().unwrap().unwrap(), SIZE);
                        assert_eq!(received, SIZE);
                    });
                    // Returned, because what it takes to remove the file is not to be measured.
                    target
                },
                BatchSize::PerIteration,
            );
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = file_copy
}
criterion_main!(benches);
