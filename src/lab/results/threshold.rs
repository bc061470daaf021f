//! `--fail-if`: what a run must not cross.

use std::str::FromStr;

use crate::lab::results::metric::{Metric, Unit};
use crate::lab::results::record::{Record, is_floor};
use crate::lab::results::stats::figure;

/// A metric, a comparison and a value, such as `p99>50ms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    text: String,
    metric: Metric,
    comparison: Comparison,
    value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Above,
    Below,
}

impl Threshold {
    /// Says where the record crosses it, a sentence each. Figures are medians over the rounds, but
    /// one fault in any round counts. The floor is not judged: it is there to be compared with.
    pub fn crossed(&self, record: &Record) -> Vec<String> {
        let points = record
            .points
            .iter()
            .filter(|point| !is_floor(&point.server));
        points
            .filter_map(|point| {
                let found = match figure(point, self.metric) {
                    Some(figure) if self.metric.is_fault() => figure.high,
                    Some(figure) => figure.median,
                    // What cannot be judged must not pass.
                    None => return Some((point, "was not measured".to_owned())),
                };
                let crossed = match self.comparison {
                    Comparison::Above => found > self.value,
                    Comparison::Below => found < self.value,
                };
                let found = format!("is {}", self.metric.unit().show(found));
                crossed.then_some((point, found))
            })
            .map(|(point, found)| {
                let (server, clients) = (&point.server, point.clients);
                let Threshold { text, metric, .. } = self;
                format!(
                    "{text}: {server} at {clients} clients: {} {found}",
                    metric.name()
                )
            })
            .collect()
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Threshold, String> {
        let operator = text
            .find(['<', '>'])
            .ok_or("expected METRIC>VALUE or METRIC<VALUE, such as p99>50ms")?;
        let (name, rest) = text.split_at(operator);
        let comparison = if rest.starts_with('>') {
            Comparison::Above
        } else {
            Comparison::Below
        };
        let metric = Metric::ALL
            .into_iter()
            .find(|entry| entry.1 == name.trim())
            .map(|entry| entry.0)
            .ok_or_else(|| {
                let names: Vec<_> = Metric::ALL.iter().map(|entry| entry.1).collect();
                format!("{:?} is none of {}", name.trim(), names.join(", "))
            })?;
        Ok(Threshold {
            text: text.to_owned(),
            metric,
            comparison,
            value: value(rest[1..].trim(), metric.unit())?,
        })
    }
}

/// Reads a value in the unit of its metric.
fn value(text: &str, unit: Unit) -> Result<f64, String> {
    let units: &[(&str, f64)] = match unit {
        Unit::Number => &[("", 1.0), ("k", 1e3), ("M", 1e6)],
        Unit::Seconds => &[("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)],
        Unit::Bytes => &[
            ("B", 1.0),
            ("KiB", 1024.0),
            ("MiB", 1024.0 * 1024.0),
            ("GiB", 1024.0 * 1024.0 * 1024.0),
        ],
    };
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let factor = units.iter().find(|entry| entry.0 == suffix.trim());
    match (number.parse::<f64>(), factor) {
        (Ok(number), Some((_, factor))) => Ok(number * factor),
        _ => {
            let names: Vec<_> = units.iter().map(|entry| entry.0).collect();
            Err(match unit {
                Unit::Number => format!("{text:?} is not a number such as 0, 2.5 or 100k"),
                _ => format!("{text:?} is not a number with one of {}", names.join(", ")),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::results::record::{Latency, Point, Round};

    fn record(server: &str) -> Record {
        let round = |p99, lost| Round {
            connected: 10,
            seconds: 1.0,
            deliveries: 1000,
            lost,
            latency: Latency {
                p99,
                ..Latency::default()
            },
            ..Round::default()
        };
        Record {
            servers: vec![server.to_owned()],
            points: vec![Point {
                server: server.to_owned(),
                clients: 10,
                rounds: vec![round(40_000, 0), round(60_000, 1), round(50_000, 0)],
                ..Point::default()
            }],
            ..Record::default()
        }
    }

    fn crossed(threshold: &str, server: &str) -> Vec<String> {
        let threshold: Threshold = threshold.parse().unwrap();
        threshold.crossed(&record(server))
    }

    #[test]
    fn what_is_crossed_is_named() {
        assert_eq!(
            crossed("p99>49ms", "a"),
            ["p99>49ms: a at 10 clients: p99 is 50 ms"]
        );
        assert_eq!(
            crossed("rate < 2k", "a"),
            ["rate < 2k: a at 10 clients: rate is 1k"]
        );
    }

    #[test]
    fn what_is_not_crossed_passes() {
        for threshold in [
            "p99>50ms",
            "p99<0.05s",
            "rate<1000",
            "rate>1k",
            "connect>1us",
        ] {
            assert_eq!(crossed(threshold, "a"), Vec::<String>::new(), "{threshold}");
        }
    }

    #[test]
    fn one_fault_in_one_round_is_enough() {
        assert_eq!(
            crossed("lost>0", "a"),
            ["lost>0: a at 10 clients: lost is 1"]
        );
    }

    #[test]
    fn what_was_not_measured_does_not_pass() {
        assert_eq!(
            crossed("rss>40KiB", "a"),
            ["rss>40KiB: a at 10 clients: rss was not measured"]
        );
    }

    #[test]
    fn the_floor_is_not_judged() {
        assert_eq!(crossed("p99>1us", "floor"), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_threshold_is_refused() {
        for (bad, why) in [
            ("p99", "METRIC>VALUE"),
            ("speed>1", "none of rate"),
            ("p99>50", "µs"),
            ("p99>fast", "fast"),
            ("rss>1kb", "KiB"),
            ("lost>many", "number"),
            ("lost>1ms", "number"),
            (">1", "none of"),
        ] {
            let err = bad.parse::<Threshold>().unwrap_err();
            assert!(err.contains(why), "{bad:?} gave {err:?}");
        }
    }
}
