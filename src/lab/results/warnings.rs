//! What makes a measurement doubtful, one sentence per kind of doubt.

use crate::lab::results::metric::metric;
use crate::lab::results::record::{Point, Record, Round};
use crate::lab::results::stats::{figure, lost};
use crate::units::{Unit, count, percent, thousands};

/// How serious it is, and what.
type Doubt = Option<(f64, String)>;

const CHECKS: [fn(&Record, &Point) -> Doubt; 7] = [
    never_came,
    generator_is_the_bottleneck,
    others_are_busy,
    refused,
    dropped,
    wide_spread,
    overload,
];

/// Each kind once, with the point where it is worst.
pub fn warnings(record: &Record) -> Vec<String> {
    let of = |check: &fn(&Record, &Point) -> Doubt| {
        let points = record.points.iter().rev();
        let found: Vec<_> = points
            .filter_map(|point| Some((point, check(record, point)?)))
            .collect();
        let (worst, (_, text)) = found.iter().max_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
        let others = match found.len() - 1 {
            0 => String::new(),
            others => format!(" (and at {others} more)"),
        };
        Some(format!("{worst}{others}: {text}"))
    };
    CHECKS.iter().filter_map(of).collect()
}

/// A doubt where a part is above its limit; the sentence has the part as a percentage.
fn above(limit: f64, part: f64, text: impl Fn(String) -> String) -> Doubt {
    (part > limit).then(|| (part, text(percent(part))))
}

fn never_came(_: &Record, point: &Point) -> Doubt {
    let lost = lost(point);
    let came: u64 = point.rounds.iter().map(|round| round.deliveries).sum();
    let what = match lost {
        1 => "1 delivery".to_owned(),
        lost => format!("{} deliveries", thousands(lost)),
    };
    above(0.0, lost as f64 / (lost + came) as f64, |part| {
        format!("{what} never came ({part}); each counts in latency with the time waited for it")
    })
}

/// A part of one processor from which on a thread counts as saturated.
const SATURATED: f64 = 0.9;

fn generator_is_the_bottleneck(_: &Record, point: &Point) -> Doubt {
    let generator = median(point, |round| {
        Some(round.generator_cpu_seconds / round.wall_seconds)
    })?;
    let server = median(point, |round| {
        Some(round.server.as_ref()?.cpu_seconds / round.wall_seconds)
    });
    if server.is_some_and(|server| server > SATURATED) {
        return None;
    }
    let server = server.map_or("unknown".to_owned(), percent);
    above(SATURATED, generator, |part| {
        format!(
            "the load generator may be the bottleneck: its one thread is busy {part} of the time, the \
             server {server} of a processor; the server can do at least this much"
        )
    })
}

/// The part of the machine from which on what other programs take shows in the figures.
const BUSY: f64 = 0.1;

fn others_are_busy(record: &Record, point: &Point) -> Doubt {
    let part = |round: &Round| {
        Some(round.other_cpu_seconds? / round.wall_seconds / record.machine.cores as f64)
    };
    let most = point.rounds.iter().filter_map(part).fold(0.0, f64::max);
    above(BUSY, most, |part| {
        format!("other programs took up to {part} of this machine; close them and measure again")
    })
}

fn refused(_: &Record, point: &Point) -> Doubt {
    let fewer = point.fewer()?;
    let text = format!(
        "only {fewer} got in, and the figures are for those; if a limit was reached, see `loadtest limits`"
    );
    Some((1.0 - fewer as f64 / point.clients as f64, text))
}

fn dropped(record: &Record, point: &Point) -> Doubt {
    // In `slow`, disconnected clients that never read are the result, not a doubt.
    let dropped: u64 = point.rounds.iter().map(|round| round.dropped).sum();
    let text = format!(
        "the server disconnected {} in {}; what was still due to those counts as lost",
        count(dropped as usize, "client"),
        count(point.rounds.len(), "round")
    );
    (dropped > 0 && record.scenario != "slow").then_some((dropped as f64, text))
}

/// The half spread of the rate from which on rounds differ too much.
const WIDE: f64 = 0.15;

fn wide_spread(_: &Record, point: &Point) -> Doubt {
    let spread = figure(point, metric("rate"))?.spread();
    above(WIDE, spread, |part| {
        format!("the rounds differ by ± {part}; take more and longer rounds (--rounds, --duration)")
    })
}

/// By how much of its duration a round in open loop may last longer.
const LATE: f64 = 0.1;

fn overload(record: &Record, point: &Point) -> Doubt {
    let rate = record.rate?;
    let seconds = median(point, |round| Some(round.seconds))?;
    let [sent, came] = [record.duration, seconds].map(|seconds| Unit::Seconds.show(seconds));
    let text = format!(
        "the server cannot keep up with --rate {rate}: what was sent in {sent} came in {came}, so \
         latency depends on --duration"
    );
    (seconds > record.duration * (1.0 + LATE)).then_some((seconds, text))
}

/// The middle one of the rounds.
fn median(point: &Point, of: fn(&Round) -> Option<f64>) -> Option<f64> {
    let mut values: Vec<f64> = point.rounds.iter().filter_map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::results::record::Cost;

    fn record() -> Record {
        let round = |deliveries| Round {
            connected: 10,
            seconds: 1.0,
            wall_seconds: 1.0,
            deliveries,
            server: Some(Cost::default()),
            ..Round::default()
        };
        Record {
            scenario: "chat".to_owned(),
            duration: 1.0,
            servers: vec!["a".to_owned()],
            points: vec![Point {
                server: "a".to_owned(),
                clients: 10,
                rounds: [100, 101, 99].map(round).to_vec(),
                ..Point::default()
            }],
            ..Record::default()
        }
    }

    fn warning(change: impl Fn(&mut Record)) -> String {
        let mut record = record();
        change(&mut record);
        warnings(&record).join("\n")
    }

    #[test]
    fn sound_record_gives_no_warning() {
        assert_eq!(warning(|_| {}), "");
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
        assert!(text.contains("counts as lost"), "{text}");
        let text = warning(|record| record.points[0].rounds[0].deliveries = 200);
        assert!(text.contains("differ by ± 50 %"), "{text}");
        let text = warning(|record| record.points[0].rounds[0].lost = 100);
        assert!(text.contains("100 deliveries never came (25 %)"), "{text}");
        let text = warning(|record| record.points[0].rounds[0].lost = 1);
        assert!(text.contains("1 delivery never came (0 %)"), "{text}");
        let text = warning(|record| {
            record.rate = Some(100.0);
            all(record, |round| round.seconds = 1.13);
        });
        assert!(text.contains("cannot keep up"), "{text}");
        // To the digit in which they differ.
        assert!(text.contains("sent in 1 s came in 1.13 s"), "{text}");
    }

    #[test]
    fn each_kind_of_doubt_is_one_warning_with_its_worst_point() {
        let text = warning(|record| {
            for (clients, lost) in [(1, 5), (20, 100), (30, 1)] {
                let mut point = record.points[0].clone();
                point.clients = clients;
                point
                    .rounds
                    .iter_mut()
                    .for_each(|round| round.connected = clients);
                point.rounds[0].lost = lost;
                record.points.push(point);
            }
        });
        assert!(
            text.starts_with("a at 20 clients (and at 2 more): 100 deliveries never came"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1, "{text}");
    }

    #[test]
    fn processor_time_counts_for_the_time_it_was_watched() {
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
    fn slow_consumers_may_be_disconnected() {
        let text = warning(|record| {
            record.scenario = "slow".to_owned();
            record.points[0].rounds[2].dropped = 3;
        });
        assert_eq!(text, "");
    }
}
