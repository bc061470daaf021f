//! Axes of charts: where a value stands, and at which values there are ticks.

use crate::units::Unit;

/// From data units to a place on the axis, with the ticks to be labelled.
pub struct Axis {
    pub label: String,
    /// Where values have a label, and which.
    pub ticks: Vec<(f64, String)>,
    /// Where the axis starts and ends in a drawing.
    pub span: (f64, f64),
    is_log: bool,
    ends: (f64, f64),
}

impl Axis {
    pub fn new(label: &str, is_log: bool, ends: (f64, f64), ticks: Vec<(f64, String)>) -> Axis {
        let scale = if is_log { ", log scale" } else { "" };
        Axis {
            label: format!("{label}{scale}"),
            ticks,
            span: (0.0, 1.0),
            is_log,
            ends,
        }
    }

    /// An axis with round ticks that holds everything from `low` to `high`. Times span decades and have
    /// a log scale; the others begin at zero, or below it where there is something.
    pub fn of(unit: Unit, label: &str, (low, high): (f64, f64)) -> Axis {
        let is_log = unit == Unit::Seconds;
        let mut ticks = match is_log {
            true => factors(low, high),
            false => multiples(unit, low.min(0.0), high.max(0.0)),
        };
        let ends = (ticks[0], ticks[ticks.len() - 1]);
        if is_log && ends.1 / ends.0 > 1000.0 {
            let is_decade = |tick: &f64| (tick.log10() - tick.log10().round()).abs() < 1e-9;
            ticks.retain(is_decade);
        }
        let ticks = ticks.into_iter().map(|tick| (tick, unit.show(tick)));
        Axis::new(label, is_log, ends, ticks.collect())
    }

    /// An axis with a tick at each number and a little room on both sides, with a log scale where they
    /// span a decade or more.
    pub fn through(label: &str, numbers: &[usize]) -> Axis {
        let ticks = numbers.iter().map(|&number| number as f64);
        let ticks: Vec<_> = ticks.map(|tick| (tick, Unit::Number.show(tick))).collect();
        let first = ticks.first().map_or(1.0, |tick| tick.0).max(1.0);
        let last = ticks.last().map_or(1.0, |tick| tick.0).max(first);
        if last >= first * 10.0 {
            let room = (last / first).powf(0.04);
            return Axis::new(label, true, (first / room, last * room), ticks);
        }
        let room = ((last - first) * 0.04).max(0.5);
        Axis::new(label, false, (first - room, last + room), ticks)
    }

    /// Where a value stands.
    pub fn at(&self, value: f64) -> f64 {
        let ((from, to), (start, end)) = (self.ends, self.span);
        let value = value.clamp(from, to);
        let part = match self.is_log {
            true => (value / from).ln() / (to / from).ln(),
            false => (value - from) / (to - from),
        };
        start + (end - start) * part
    }
}

/// 1, 2, 5 times a power of ten, ascending.
fn round() -> impl Iterator<Item = f64> + Clone {
    (-6..15).flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(decade)))
}

/// The round numbers around what lies between; what is less than a millionth stands at a millionth.
fn factors(low: f64, high: f64) -> Vec<f64> {
    let low = low.max(1e-6);
    let high = high.max(low * 2.0);
    let before = round().filter(|number| *number <= low).count() - 1;
    let below = round().filter(|number| *number < high).count();
    round().take(below + 1).skip(before).collect()
}

/// The multiples of a round number (for bytes, of a power of two) around what lies between.
fn multiples(unit: Unit, low: f64, high: f64) -> Vec<f64> {
    let span = if high > low { high - low } else { 1.0 };
    let least = span / 4.5;
    let step = match unit {
        Unit::Bytes => least.max(1.0).log2().ceil().exp2(),
        _ => round().find(|step| *step >= least * 0.999).unwrap_or(least),
    };
    let first = (low / step).floor() as i64;
    let last = ((low + span) / step).ceil() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> String {
        let labels: Vec<&str> = axis.ticks.iter().map(|(_, label)| label.as_str()).collect();
        labels.join(", ")
    }

    #[test]
    fn linear_axes_have_round_ticks_from_zero() {
        for (unit, low, high, expected) in [
            (Unit::Number, 183e3, 1_064e3, "0, 500k, 1M, 1.5M"),
            (Unit::Number, 1.0, 3.0, "0, 1, 2, 3"),
            (Unit::Bytes, 4e3, 38e3, "0 B, 16 KiB, 32 KiB, 48 KiB"),
            (
                Unit::Bytes,
                -3000.0,
                9000.0,
                "−4 KiB, 0 B, 4 KiB, 8 KiB, 12 KiB",
            ),
            (Unit::Number, 0.0, 0.0, "0, 0.5, 1"),
        ] {
            let axis = Axis::of(unit, "", (low, high));
            assert_eq!(labels(&axis), expected, "{unit:?} {low} to {high}");
            assert!(axis.at(low) >= 0.0 && axis.at(high) <= 1.0);
        }
    }

    #[test]
    fn log_axes_label_decades_or_finer() {
        for (low, high, expected) in [
            (31e-6, 67e-3, "100 µs, 1 ms, 10 ms, 100 ms"),
            (0.0013, 0.0066, "1 ms, 2 ms, 5 ms, 10 ms"),
            (0.0, 0.0, "1 µs, 2 µs"),
            (3.0, 3.0, "2 s, 5 s, 10 s"),
        ] {
            let axis = Axis::of(Unit::Seconds, "", (low, high));
            assert_eq!(labels(&axis), expected, "{low} to {high}");
        }
        let axis = Axis::of(Unit::Seconds, "", (0.001, 0.1));
        assert!((axis.at(0.01) - 0.5).abs() < 1e-9);
        assert_eq!(
            axis.at(0.0),
            0.0,
            "what is below the axis stands at its start"
        );
    }

    #[test]
    fn clients_are_spread_by_factors_only_over_a_decade_or_more() {
        let through = |counts: &[usize]| Axis::through("clients", counts);
        let wide = through(&[10, 100, 1000]);
        assert!((wide.at(100.0) - 0.5).abs() < 1e-9);
        assert!(wide.label.ends_with("log scale"), "{}", wide.label);
        let narrow = through(&[100, 200, 300]);
        assert!((narrow.at(200.0) - 0.5).abs() < 1e-9);
        assert_eq!(narrow.label, "clients");
        assert!(through(&[0, 0]).at(0.0).is_finite());
    }
}
