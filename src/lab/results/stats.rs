//! Statistics over the rounds of a record: no clock, no socket.

use crate::lab::results::metric::Metric;
use crate::lab::results::record::{Point, Record, Round};

/// A figure over several rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

impl Figure {
    /// A figure of at least one value.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Figure> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (&low, &high) = (values.first()?, values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => (values[middle - 1] + values[middle]) / 2.0,
            _ => values[middle],
        };
        Some(Figure { median, low, high })
    }

    /// Half the distance from the lowest to the highest, as a part of the median; 0.1 is "± 10 %".
    pub fn spread(&self) -> f64 {
        match self.median {
            0.0 => 0.0,
            median => ((self.high - self.low) / 2.0 / median).abs(),
        }
    }
}

/// A metric over the rounds of a point; none where no round tells it.
pub fn figure(point: &Point, metric: Metric) -> Option<Figure> {
    Figure::of(point.rounds.iter().filter_map(|round| metric.of(round)))
}

/// What a point's figures are compared with: the first server at the same number of clients.
pub fn reference<'a>(record: &'a Record, point: &Point) -> Option<&'a Point> {
    record.point(record.servers.first()?, point.clients)
}

/// How many times as large a point's figure is as the first server's; none for the first itself.
pub fn ratio(record: &Record, point: &Point, metric: Metric) -> Option<f64> {
    let reference =
        reference(record, point).filter(|reference| reference.server != point.server)?;
    let ratio = figure(point, metric)?.median / figure(reference, metric)?.median;
    ratio.is_finite().then_some(ratio)
}

/// What makes the measurement doubtful, a sentence each.
pub fn warnings(record: &Record) -> Vec<String> {
    record
        .points
        .iter()
        .flat_map(|point| {
            let at = format!("{} at {} clients", point.server, point.clients);
            [
                generator_is_the_bottleneck(point),
                others_are_busy(record, point),
                refused(point),
                dropped(record, point),
                wide_spread(point),
                overload(record, point),
            ]
            .into_iter()
            .flatten()
            .map(move |warning| format!("{at}: {warning}"))
        })
        .collect()
}

/// A part of one processor from which on a thread counts as saturated.
const SATURATED: f64 = 0.9;

fn generator_is_the_bottleneck(point: &Point) -> Option<String> {
    let busy = |cpu: f64, round: &Round| cpu / round.wall_seconds;
    let generator =
        Figure::of((point.rounds.iter()).map(|round| busy(round.generator_cpu_seconds, round)))?
            .median;
    let server = Figure::of(
        (point.rounds.iter())
            .filter_map(|round| Some(busy(round.server.as_ref()?.cpu_seconds, round))),
    );
    let idle = server.is_none_or(|server| server.median < SATURATED);
    (generator >= SATURATED && idle).then(|| {
        let server = server.map_or("unknown".to_owned(), |server| percent(server.median));
        format!(
            "the load generator may be the bottleneck: its one thread is busy {} of the time, the \
             server {server} of a processor; the server can do at least this much",
            percent(generator),
        )
    })
}

/// The part of the machine from which on what other programs take shows in the figures.
const BUSY: f64 = 0.1;

fn others_are_busy(record: &Record, point: &Point) -> Option<String> {
    let part = |round: &Round| {
        Some(round.other_cpu_seconds? / round.wall_seconds / record.machine.cores as f64)
    };
    let most = Figure::of(point.rounds.iter().filter_map(part))?.high;
    (most > BUSY).then(|| {
        format!(
            "other programs took up to {} of this machine; close them and measure again",
            percent(most)
        )
    })
}

fn refused(point: &Point) -> Option<String> {
    let fewer = point.fewer()?;
    Some(format!(
        "only {fewer} got in; a ceiling was met (see `loadtest limits`), and the figures are for those"
    ))
}

fn dropped(record: &Record, point: &Point) -> Option<String> {
    // In `slow`, that those who never read are disconnected is the result.
    let dropped: u64 = point.rounds.iter().map(|round| round.dropped).sum();
    (dropped > 0 && record.scenario != "slow").then(|| {
        format!(
            "the server disconnected {dropped} clients in {} rounds; nothing more was due to those",
            point.rounds.len()
        )
    })
}

/// The half spread of the rate from which on rounds differ too much.
const WIDE: f64 = 0.15;

fn wide_spread(point: &Point) -> Option<String> {
    let rate = figure(point, Metric::DeliveriesPerSecond)?;
    (rate.spread() > WIDE).then(|| {
        format!(
            "the rounds differ by ± {}; take more and longer rounds (--rounds, --duration)",
            percent(rate.spread())
        )
    })
}

/// By how much of its duration a round in open loop may last longer.
const LATE: f64 = 0.1;

fn overload(record: &Record, point: &Point) -> Option<String> {
    let rate = record.rate?;
    let seconds = Figure::of(point.rounds.iter().map(|round| round.seconds))?.median;
    (seconds > record.duration * (1.0 + LATE)).then(|| {
        format!(
            "the server cannot keep up with --rate {rate}: what was sent in {} s came in {seconds:.1} \
             s, so latency depends on --duration",
            record.duration
        )
    })
}

fn percent(part: f64) -> String {
    format!("{:.0} %", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::results::record::Cost;

    fn point(server: &str, rates: &[u64]) -> Point {
        let rounds = rates.iter().map(|&deliveries| Round {
            connected: 10,
            seconds: 1.0,
            wall_seconds: 1.0,
            deliveries,
            server: Some(Cost::default()),
            ..Round::default()
        });
        Point {
            server: server.to_owned(),
            clients: 10,
            rounds: rounds.collect(),
            ..Point::default()
        }
    }

    fn record(points: Vec<Point>) -> Record {
        Record {
            servers: points.iter().map(|point| point.server.clone()).collect(),
            scenario: "chat".to_owned(),
            duration: 1.0,
            points,
            ..Record::default()
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        let median = |values: &[f64]| Figure::of(values.iter().copied()).map(|f| f.median);
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), Some(3.0));
    }

    #[test]
    fn the_spread_is_half_the_range() {
        let spread = |values: &[f64]| Figure::of(values.iter().copied()).unwrap().spread();
        assert_eq!(spread(&[10.0]), 0.0);
        assert_eq!(spread(&[9.0, 10.0, 11.0]), 0.1);
        assert_eq!(spread(&[0.0, 0.0, 5.0]), 0.0, "nothing to be a part of");
    }

    #[test]
    fn ratios_are_to_the_first_server_at_the_same_size() {
        let mut record = record(vec![
            point("a", &[100, 300, 200]),
            point("b", &[50, 50, 60]),
        ]);
        let larger = Point {
            clients: 20,
            ..point("b", &[400])
        };
        record.points.push(larger);
        let ratio = |i: usize| ratio(&record, &record.points[i], Metric::DeliveriesPerSecond);
        assert_eq!(ratio(0), None);
        assert_eq!(ratio(1), Some(0.25));
        assert_eq!(ratio(2), None, "the first server has no such point");
    }

    #[test]
    fn a_sound_record_warns_of_nothing() {
        assert_eq!(
            warnings(&record(vec![point("a", &[100, 101, 99])])),
            Vec::<String>::new()
        );
    }

    fn warning(change: impl Fn(&mut Record)) -> String {
        let mut record = record(vec![point("a", &[100, 101, 99])]);
        change(&mut record);
        warnings(&record).join("\n")
    }

    #[test]
    fn each_doubt_has_its_warning() {
        let all = |record: &mut Record, f: fn(&mut Round)| {
            record.points[0].rounds.iter_mut().for_each(f);
        };
        let text = warning(|record| all(record, |round| round.generator_cpu_seconds = 0.97));
        assert!(text.contains("generator may be the bottleneck"), "{text}");
        let text = warning(|record| {
            all(record, |round| {
                round.generator_cpu_seconds = 0.97;
                round.server.as_mut().unwrap().cpu_seconds = 0.95;
            })
        });
        assert_eq!(text, "", "both are busy");
        let text = warning(|record| {
            record.machine.cores = 2;
            record.points[0].rounds[1].other_cpu_seconds = Some(0.5);
        });
        assert!(text.contains("other programs took up to 25 %"), "{text}");
        let text = warning(|record| record.points[0].rounds[1].connected = 7);
        assert!(text.contains("only 7 got in"), "{text}");
        let text = warning(|record| record.points[0].rounds[2].dropped = 3);
        assert!(text.contains("disconnected 3 clients"), "{text}");
        let text = warning(|record| record.points[0].rounds[0].deliveries = 200);
        assert!(text.contains("differ by ± 50 %"), "{text}");
        let text = warning(|record| {
            record.rate = Some(100.0);
            all(record, |round| round.seconds = 1.5);
        });
        assert!(text.contains("cannot keep up"), "{text}");
    }

    #[test]
    fn a_processor_is_as_busy_as_it_was_in_the_time_it_was_watched() {
        // One second in which something came, and three of waiting for what never came.
        let watched = |change: fn(&mut Round)| {
            warning(|record| {
                record.machine.cores = 2;
                for round in &mut record.points[0].rounds {
                    round.wall_seconds = 4.0;
                    change(round);
                }
            })
        };
        let text = watched(|round| round.generator_cpu_seconds = 0.97);
        assert_eq!(text, "", "busy a quarter of the time");
        let text = watched(|round| round.other_cpu_seconds = Some(4.0));
        assert!(text.contains("other programs took up to 50 %"), "{text}");
    }

    #[test]
    fn those_who_never_read_may_be_disconnected() {
        let text = warning(|record| {
            record.scenario = "slow".to_owned();
            record.points[0].rounds[2].dropped = 3;
        });
        assert_eq!(text, "");
    }
}
