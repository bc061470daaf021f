//! Deliveries over time: a server that freezes leaves a hole that no median shows.

use crate::lab::report::axis::Axis;
use crate::lab::report::chart::{Chart, at_largest, of_each};
use crate::lab::report::plot::{Mark, Series};
use crate::lab::results::metric::metric;
use crate::lab::results::record::{Point, Record, Round, Timeline};
use crate::lab::results::units::{Unit, count, thousands};

/// The round with the longest pause of each server, at the largest number of clients.
pub fn chart(record: &Record) -> Chart {
    let (name, title) = ("timeline", "Deliveries over time");
    let Some((clients, rounds)) = at_largest(record, worst) else {
        return Chart::absent(name, title.to_owned(), record, metric("rate"));
    };
    let places = rounds.iter().enumerate();
    let series = places.filter_map(|(place, round)| Some(series(record, place, (*round)?)));
    let series: Vec<Series> = series.collect();
    let points = || series.iter().flat_map(|series| &series.line);
    let end = points().map(|(x, _)| *x).fold(0.0, f64::max);
    let high = points().map(|(_, y)| *y).fold(0.0, f64::max);
    let x = Axis::linear("seconds", Unit::Number, 0.0, end);
    let y = Axis::linear("deliveries/s", Unit::Number, 0.0, high);

    let pauses = of_each(record, &rounds, |round| {
        let pause = Unit::Seconds.show(round.pause_seconds);
        match round.lost {
            0 => pause,
            lost => format!("{pause} ({} lost)", thousands(lost)),
        }
    });
    let of = if record.rounds > 1 {
        " of the worst round"
    } else {
        ""
    };
    let title = format!("{title} at {}", count(clients, "client"));
    let finding = format!("Longest pause{of}: {pauses}");
    Chart::drawn(name, title, finding, (&x, &y), &series)
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
fn series(record: &Record, place: usize, round: &Round) -> Series {
    const MARKS: usize = 6;
    let server = &record.servers[place];
    let Timeline { step, deliveries } = &round.timeline;
    // The last step is shorter than the others and would look like a dip.
    let whole = deliveries.len().saturating_sub(1).max(1);
    let steps = || deliveries[..whole].iter().enumerate();
    let at = |i: usize| i as f64 * step;
    let rate = |deliveries: u64| deliveries as f64 / step;
    let every = whole.div_ceil(MARKS);
    let marks = steps()
        .skip(every / 2)
        .step_by(every)
        .map(|(i, &deliveries)| {
            let (time, rate) = (at(i), rate(deliveries));
            let text = Unit::Number.show(rate);
            let tip = format!("{server} at {time:.1} s: {text} deliveries/s");
            Mark::new(time + step / 2.0, rate, tip)
        });
    let line = steps().flat_map(|(i, &count)| [(at(i), rate(count)), (at(i + 1), rate(count))]);
    Series::new(server, place, line.collect(), marks.collect())
}
