//! The cost of the work on the bytes: cutting a read into messages, cleaning one, upper-casing.
//!
//! Messages are cut and cleaned in the buffer that the read has filled. The long inputs fill it, 4096 bytes.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use threadline::chat::lines::{LONGEST, Lines};
use threadline::go::strings::to_upper;
use threadline::text::clean;

/// A line as a person types it.
const TYPED: &str = "hello, everybody, how are you?";

/// `text` over and over, as often as it fits whole into one read.
fn fill(text: &[u8]) -> Vec<u8> {
    text.repeat(LONGEST / text.len())
}

/// A group with one figure for each input.
fn each_input(
    c: &mut Criterion,
    name: &str,
    inputs: &[(&str, Vec<u8>)],
    mut run: impl FnMut(&[u8]),
) {
    let mut group = c.benchmark_group(name);
    for (kind, input) in inputs {
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(kind), input, |b, input| {
            b.iter(|| run(black_box(input)));
        });
    }
}

fn cut_reads(c: &mut Criterion) {
    let inputs = [
        ("typical: one line", format!("{TYPED}\n").into_bytes()),
        ("long: many lines", fill(format!("{TYPED}\n").as_bytes())),
        ("long: one line", fill(TYPED.as_bytes())),
        (
            "long: lines of CRLF",
            fill(format!("{TYPED}\r\n").as_bytes()),
        ),
        (
            "dirty: escapes",
            fill(format!("\x1b[2J{TYPED}\x07\n").as_bytes()),
        ),
        ("dirty: line ends only", fill(b"\r\n")),
    ];
    let mut lines = Lines::default();
    each_input(c, "messages", &inputs, |read| {
        lines.space()[..read.len()].copy_from_slice(read);
        lines.take(read.len());
        // The next read comes into an empty buffer.
        lines.release();
        while let Some(found) = lines.find() {
            black_box(lines.get(found));
        }
    });
}

fn clean_message(c: &mut Criterion) {
    let inputs = [
        ("typical", TYPED.into()),
        ("long", fill(TYPED.as_bytes())),
        ("long: Chinese", fill("大家好".as_bytes())),
        (
            "dirty: escapes",
            fill(format!("\x1b[2J{TYPED}\x07").as_bytes()),
        ),
        ("dirty: control bytes only", fill(b"\x07")),
    ];
    each_input(c, "clean", &inputs, |bytes| {
        black_box(clean(bytes));
    });
}

fn upper_case(c: &mut Criterion) {
    let inputs = [
        ("typical", TYPED.into()),
        ("long: ASCII", fill(TYPED.as_bytes())),
        ("long: Chinese", fill("大家好".as_bytes())),
        ("long: invalid bytes", fill(b"\xff")),
    ];
    each_input(c, "to_upper", &inputs, |bytes| {
        black_box(to_upper(bytes));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = cut_reads, clean_message, upper_case
}
criterion_main!(benches);
