//! Deliveries over time: a server that freezes leaves a hole that no median shows.

use crate::lab::report::axis::Axis;
use crate::lab::report::plot::{Mark, Plot, Series, bounds};
use crate::lab::report::words;
use crate::lab::results::record::{Point, Record, Round, Timeline};
use crate::units::{Unit, count, thousands};

/// The round with the longest pause of each server, at the largest number of clients.
pub fn plot(record: &Record) -> Option<Plot> {
    let clients = record.largest(|point| worst(point).is_some())?;
    let series = |server: &String| Some(series(server, worst(record.point(server, clients)?)?));
    let series: Vec<_> = record.servers.iter().map(series).collect();
    let [seconds, rates] = bounds(&series)?;
    let pauses = words::each(record, clients, |point| {
        let round = worst(point)?;
        let pause = Unit::Seconds.show(round.pause_seconds);
        Some(match round.lost {
            0 => pause,
            lost => format!("{pause} ({} lost)", thousands(lost)),
        })
    });
    let label = format!("seconds at {}", count(clients, "client"));
    Some(Plot {
        finding: format!("The round with the longest pause. {pauses}"),
        x: Axis::of(Unit::Number, &label, seconds),
        y: Axis::of(Unit::Number, "deliveries/s", rates),
        series,
    })
}

fn worst(point: &Point) -> Option<&Round> {
    let delivered = |round: &&Round| {
        let Timeline { step, deliveries } = &round.timeline;
        *step > 0.0 && deliveries.iter().any(|&count| count > 0)
    };
    let rounds = point.rounds.iter().filter(delivered);
    rounds.max_by(|a, b| a.pause_seconds.total_cmp(&b.pause_seconds))
}

/// Steps, with marks here and there that tell the servers apart.
fn series(server: &str, round: &Round) -> Series {
    const MARKS: usize = 6;
    let Timeline { step, deliveries } = &round.timeline;
    // The last step is shorter than the others and would look like a dip.
    let whole = deliveries.len().saturating_sub(1).max(1);
    let every = whole.div_ceil(MARKS);
    let (mut line, mut marks) = (Vec::new(), Vec::new());
    for (i, &count) in deliveries[..whole].iter().enumerate() {
        let rate = count as f64 / step;
        let [start, end] = [i, i + 1].map(|i| i as f64 * step);
        line.extend([(start, rate), (end, rate)]);
        if i % every == every / 2 {
            let shown = Unit::Number.show(rate);
            marks.push(Mark {
                x: start + step / 2.0,
                y: [rate; 3],
                tip: format!("{server} at {start:.1} s: {shown} deliveries/s"),
            });
        }
    }
    Series { line, marks }
}
