//! Statistics over the rounds of a record.

use crate::lab::results::metric::{Metric, Value};
use crate::lab::results::record::{Point, Record};

/// A figure over several rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// What is shown, compared and judged: the median, or for faults and extremes the worst round.
    pub value: Value,
    pub low: Value,
    pub high: Value,
}

impl Figure {
    /// A figure of at least one value; its median is the middle one, or the mean of the two in the middle.
    pub fn of(values: impl Iterator<Item = Value>, is_worst: bool) -> Option<Figure> {
        let mut values: Vec<Value> = values.collect();
        values.sort_by(|a, b| a.number.total_cmp(&b.number));
        let last = values.len().checked_sub(1)?;
        let [low, middle, next, high] = [0, last / 2, values.len() / 2, last];
        // What is only a lower bound may really be above all that follow it.
        let between = |a: usize, b: usize| Value {
            number: (values[a].number + values[b].number) / 2.0,
            is_bound: values[..=b].iter().any(|value| value.is_bound),
        };
        let (low, high) = (between(low, low), between(high, high));
        let value = match is_worst {
            true => high,
            false => between(middle, next),
        };
        Some(Figure { value, low, high })
    }

    /// The lowest and the highest as people read them.
    pub fn range(&self, metric: &Metric) -> String {
        match self.high.is_bound {
            true => format!("{}–{}", metric.show(self.low), metric.show(self.high)),
            false => metric.unit.show_range(self.low.number, self.high.number),
        }
    }

    /// Half the distance from the lowest to the highest, as a part of the value; 0.1 is "± 10 %".
    pub fn spread(&self) -> f64 {
        match self.value.number {
            0.0 => 0.0,
            value => ((self.high.number - self.low.number) / 2.0 / value).abs(),
        }
    }

    /// Whether the ranges of two reach into one another, so that a difference may be chance. How far up
    /// one reaches that ends in a lower bound, nobody knows.
    pub fn overlaps(&self, other: &Figure) -> bool {
        let reaches =
            |one: &Figure, other: &Figure| one.high.is_bound || other.low.number <= one.high.number;
        reaches(self, other) && reaches(other, self)
    }
}

/// A metric over the rounds of a point; none where no round tells it.
pub fn figure(point: &Point, metric: &Metric) -> Option<Figure> {
    let values = point.rounds.iter().filter_map(|round| metric.of(round));
    Figure::of(values, metric.is_worst())
}

/// How many times as large a point's figure is as that of the first server at the same number of clients, and
/// whether the rounds of both overlap; none for the first itself, nor where deliveries were lost: a server
/// that delivers less is not to look quicker.
pub fn ratio(record: &Record, point: &Point, metric: &Metric) -> Option<(f64, bool)> {
    let first = record.point(record.servers.first()?, point.clients)?;
    if first.server == point.server || lost(first) + lost(point) > 0 {
        return None;
    }
    let (own, base) = (figure(point, metric)?, figure(first, metric)?);
    let [number, of] = [own, base].map(|figure| figure.value.number);
    (number >= 0.0 && of > 0.0).then(|| (number / of, own.overlaps(&base)))
}

/// Deliveries that never came, in all rounds.
pub fn lost(point: &Point) -> u64 {
    point.rounds.iter().map(|round| round.lost).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::results::metric::metric;
    use crate::lab::results::record::{Cost, Latency, Round};

    fn figure(values: &[f64]) -> Option<Figure> {
        let value = |&number| Value {
            number,
            is_bound: false,
        };
        Figure::of(values.iter().map(value), false)
    }

    fn point(server: &str, rates: &[u64]) -> Point {
        let round = |&deliveries| Round {
            seconds: 1.0,
            deliveries,
            ..Round::default()
        };
        Point {
            server: server.to_owned(),
            clients: 10,
            rounds: rates.iter().map(round).collect(),
            ..Point::default()
        }
    }

    #[test]
    fn median_is_in_the_middle() {
        let median = |values: &[f64]| figure(values).map(|figure| figure.value.number);
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), Some(3.0));
    }

    #[test]
    fn what_a_lower_bound_may_exceed_is_one_too() {
        let figure = |values: &[(f64, bool)]| {
            let values = values.iter();
            let values = values.map(|&(number, is_bound)| Value { number, is_bound });
            let Figure { value, low, high } = Figure::of(values, false).unwrap();
            [low, value, high].map(|value| value.is_bound)
        };
        // It may be the highest of all.
        assert_eq!(
            figure(&[(2.0, true), (3.0, false), (4.0, false)]),
            [true, true, true]
        );
        assert_eq!(
            figure(&[(4.0, true), (2.0, false), (3.0, false)]),
            [false, false, true]
        );
        assert_eq!(figure(&[(2.0, true), (2.0, false)]), [true, true, true]);
        assert_eq!(figure(&[(2.0, false), (2.0, true)]), [false, true, true]);
    }

    #[test]
    fn what_ends_in_a_lower_bound_may_overlap_all_above_it() {
        let figure = |numbers: [f64; 2], is_bound| {
            let values = numbers.map(|number| Value { number, is_bound });
            Figure::of(values.into_iter(), false).unwrap()
        };
        let bound = figure([2.0, 2.1], true);
        assert!(bound.overlaps(&figure([3.0, 3.1], false)));
        assert!(figure([3.0, 3.1], true).overlaps(&bound));
        assert!(!bound.overlaps(&figure([0.1, 0.2], false)));
        assert!(!figure([0.1, 0.2], false).overlaps(&bound));
    }

    #[test]
    fn spread_is_half_the_range() {
        let spread = |values: &[f64]| figure(values).unwrap().spread();
        assert_eq!(spread(&[10.0]), 0.0);
        assert_eq!(spread(&[9.0, 10.0, 11.0]), 0.1);
        assert_eq!(spread(&[0.0, 0.0, 5.0]), 0.0, "nothing to be a part of");
    }

    #[test]
    fn ratios_are_to_the_first_server_at_the_same_size() {
        let mut record = Record {
            servers: vec!["a".to_owned(), "b".to_owned()],
            points: vec![point("a", &[100, 300, 200]), point("b", &[50, 50, 60])],
            ..Record::default()
        };
        let larger = Point {
            clients: 20,
            ..point("b", &[400])
        };
        record.points.push(larger);
        let ratio = |record: &Record, i: usize| {
            ratio(record, &record.points[i], metric("rate")).map(|(ratio, _)| ratio)
        };
        assert_eq!(ratio(&record, 0), None);
        assert_eq!(ratio(&record, 1), Some(0.25));
        assert_eq!(ratio(&record, 2), None, "the first has no such point");
        for (first, other) in [(900, 1100), (1100, 900)] {
            let mut record = record.clone();
            for (point, rss_after) in record.points.iter_mut().zip([first, other]) {
                point.rounds[0].server = Some(Cost {
                    rss_before: 1000,
                    rss_after,
                    ..Cost::default()
                });
            }
            let ratio = super::ratio(&record, &record.points[1], metric("rss-left"));
            assert_eq!(ratio, None, "one has less than at first");
        }
        for i in [0, 1] {
            let mut record = record.clone();
            record.points[i].rounds[1].lost = 1;
            assert_eq!(ratio(&record, 1), None, "beside a loss");
        }
    }

    #[test]
    fn extremes_are_those_of_the_worst_round_and_bounds_are_kept() {
        let mut point = point("a", &[100, 100, 100]);
        for (round, max) in point.rounds.iter_mut().zip([40_000, 1_500_000, 42_000]) {
            round.pause_seconds = max as f64 / 1e6;
            round.latency = Latency {
                p99: max / 2,
                max,
                ..Latency::default()
            };
        }
        point.rounds[1].lost = 3;
        point.rounds[1].latency.bound_from = Some(1_000_000);
        let shown = |name| {
            let metric = metric(name);
            metric.show(super::figure(&point, metric).unwrap().value)
        };
        assert_eq!(shown("pause"), "1.5 s");
        assert_eq!(shown("max"), "≥1.5 s");
        assert_eq!(shown("lost"), "3");
        assert_eq!(shown("p99"), "21 ms", "the median of the rounds");
    }
}
