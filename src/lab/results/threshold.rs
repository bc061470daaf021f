//! `--fail-if`: what a figure must not cross, by itself or against an older run.

use std::str::FromStr;

use crate::lab::results::metric::{self, Metric, Value};
use crate::lab::results::record::{Point, Record, is_floor};
use crate::lab::results::stats::{Figure, figure};
use crate::units::change;

/// A metric, a comparison and a limit, such as `p99>50ms` or `p99>+10%`.
#[derive(Clone, Debug)]
pub struct Threshold {
    text: String,
    metric: &'static Metric,
    is_upper: bool,
    limit: f64,
    /// Whether the limit is a part of the value in an older run: 0.1 is 10 % more.
    pub is_change: bool,
}

impl Threshold {
    /// Says where the record crosses it, a sentence each; `old` is what changes are compared with. What
    /// cannot be judged is crossed. The floor is not judged: it is there to be compared with.
    pub fn crossed(&self, record: &Record, old: Option<&Record>) -> Vec<String> {
        let Threshold { text, metric, .. } = self;
        let judged = record.points.iter();
        let judged = judged.filter(|point| !is_floor(&point.server));
        let crossed = judged.filter_map(|point| {
            let why = match self.is_change {
                true => self.is_worse(point, old?.point(&point.server, point.clients)?),
                false => self.is_wrong(point),
            }?;
            Some(format!("{text}: {point}: {} {why}", metric.name))
        });
        crossed.collect()
    }

    fn is_wrong(&self, point: &Point) -> Option<String> {
        let Some(Figure { value, .. }) = figure(point, self.metric) else {
            return Some("was not measured".to_owned());
        };
        let is_beyond = self.is_beyond(value, self.limit);
        is_beyond.then(|| format!("is {}", self.metric.show(value)))
    }

    /// A difference within the rounds of either run may be chance, and crosses nothing.
    fn is_worse(&self, point: &Point, old: &Point) -> Option<String> {
        let [Some(new), Some(old)] = [point, old].map(|point| figure(point, self.metric)) else {
            return Some("was not measured in both runs".to_owned());
        };
        let (from, to) = (old.value, new.value);
        let limit = from.number + from.number.abs() * self.limit;
        let is_worse = self.is_beyond(to, limit) && !new.overlaps(&old);
        let by = change(from.number, to.number);
        let [from, to] = [from, to].map(|value| self.metric.show(value));
        is_worse.then(|| format!("went from {from} to {to} ({by})"))
    }

    fn is_beyond(&self, value: Value, limit: f64) -> bool {
        match self.is_upper {
            // The true value is higher still, nobody knows how much.
            true => value.number > limit || value.is_bound,
            false => value.number < limit,
        }
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Threshold, String> {
        let operator = text
            .find(['<', '>'])
            .ok_or("expected METRIC>VALUE or METRIC<VALUE, such as p99>50ms")?;
        let (name, rest) = text.split_at(operator);
        let metric = metric::find(name.trim())
            .ok_or_else(|| format!("{:?} is none of {}", name.trim(), metric::names()))?;
        let limit = rest[1..].trim();
        let change = limit
            .strip_suffix('%')
            .and_then(|part| part.trim().parse::<f64>().ok())
            .filter(|percent| percent.is_finite());
        Ok(Threshold {
            text: text.to_owned(),
            metric,
            is_upper: rest.starts_with('>'),
            limit: match change {
                Some(percent) => percent / 100.0,
                None => metric.unit.parse(limit)?,
            },
            is_change: change.is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::results::record::{Cost, Latency, Point, Round};

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
        threshold.crossed(&record(server), None)
    }

    #[test]
    fn crossed_rule_is_reported() {
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
    fn rule_that_is_not_crossed_passes() {
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
    fn unmeasured_figure_crosses_its_rule() {
        assert_eq!(
            crossed("rss>40KiB", "a"),
            ["rss>40KiB: a at 10 clients: rss was not measured"]
        );
    }

    #[test]
    fn lower_bound_crosses_every_upper_limit() {
        let mut record = record("a");
        for round in &mut record.points[0].rounds {
            round.latency.bound_from = Some(30_000);
        }
        let crossed = |rule: &str| rule.parse::<Threshold>().unwrap().crossed(&record, None);
        assert_eq!(
            crossed("p99>60s"),
            ["p99>60s: a at 10 clients: p99 is ≥50 ms"]
        );
        assert_eq!(crossed("p99<40ms"), Vec::<String>::new());
    }

    #[test]
    fn change_is_crossed_where_the_rounds_do_not_overlap() {
        let runs = |p99s: [u64; 3]| {
            let mut record = record("a");
            for (round, p99) in record.points[0].rounds.iter_mut().zip(p99s) {
                round.latency.p99 = p99;
            }
            record
        };
        let old = runs([40_000, 50_000, 60_000]);
        let crossed = |rule: &str, new: [u64; 3]| {
            let rule: Threshold = rule.parse().unwrap();
            assert!(rule.is_change);
            rule.crossed(&runs(new), Some(&old))
        };
        assert_eq!(
            crossed("p99>+10%", [61_000, 75_000, 80_000]),
            ["p99>+10%: a at 10 clients: p99 went from 50 ms to 75 ms (+50 %)"]
        );
        let passes = |rule: &str, new| {
            assert_eq!(crossed(rule, new), Vec::<String>::new(), "{rule} {new:?}")
        };
        passes("p99>+10%", [59_000, 75_000, 80_000]);
        passes("p99>+60%", [61_000, 75_000, 80_000]);
        passes("p99>+10%", [1000, 2000, 3000]);
        assert_eq!(crossed("p99 < -50 %", [1000, 2000, 3000]).len(), 1);
        // What the server keeps may be less than at first.
        let left = |rss_after| {
            let mut record = runs([1; 3]);
            for round in &mut record.points[0].rounds {
                round.server = Some(Cost {
                    rss_before: 1000,
                    rss_after,
                    ..Cost::default()
                });
            }
            record
        };
        let rule: Threshold = "rss-left>+10%".parse().unwrap();
        let crossed = |new| rule.crossed(&left(new), Some(&left(900))).len();
        assert_eq!([crossed(905), crossed(950)], [0, 1]);
        // Nothing to be compared with, or nothing that can be.
        let rule: Threshold = "p99>+10%".parse().unwrap();
        let mut elsewhere = runs([90_000; 3]);
        elsewhere.points[0].clients = 20;
        assert_eq!(rule.crossed(&elsewhere, Some(&old)), Vec::<String>::new());
        elsewhere.points[0].clients = 10;
        elsewhere.points[0].rounds.clear();
        assert_eq!(rule.crossed(&elsewhere, Some(&old)).len(), 1, "it failed");
    }

    #[test]
    fn the_floor_is_not_judged() {
        assert_eq!(crossed("p99>1us", "floor"), Vec::<String>::new());
    }

    #[test]
    fn invalid_threshold_is_rejected() {
        for (bad, why) in [
            ("p99", "METRIC>VALUE"),
            ("speed>1", "none of rate"),
            ("p99>50", "50ms"),
            ("p99>+x%", "50ms"),
            ("p99>infinity%", "50ms"),
            ("p99>fast", "fast"),
            ("rss>1kb", "64K"),
            ("lost>many", "2.5"),
            ("lost>1ms", "2.5"),
            (">1", "none of"),
        ] {
            let err = bad.parse::<Threshold>().unwrap_err();
            assert!(err.contains(why), "{bad:?} gave {err:?}");
        }
    }
}
