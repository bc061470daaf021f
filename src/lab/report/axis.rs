//! Axes of charts: where a value stands, and at which values there are ticks.

use crate::lab::results::units::Unit;

/// From data units to a fraction of the axis, with the ticks to be labelled.
pub struct Axis {
    pub label: String,
    /// Where values have a label, and which.
    pub ticks: Vec<(f64, String)>,
    log: bool,
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis from zero (or from below it, where there is something) to at least `high`.
    pub fn linear(label: &str, unit: Unit, low: f64, high: f64) -> Axis {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let span = if high > low { high - low } else { 1.0 };
        let step = nice_step(span / 4.5, unit);
        let first = (low / step).floor() as i64;
        let last = ((low + span) / step).ceil() as i64;
        Axis {
            label: label.to_owned(),
            log: false,
            from: first as f64 * step,
            to: last as f64 * step,
            ticks: (first..=last)
                .map(|i| (i as f64 * step, unit.show(i as f64 * step)))
                .collect(),
        }
    }

    /// A logarithmic axis that holds everything from `low` to `high`; what is less than a millionth
    /// stands at a millionth.
    pub fn log(label: &str, unit: Unit, low: f64, high: f64) -> Axis {
        let low = low.max(1e-6);
        let high = high.max(low * 2.0);
        let steps: Vec<f64> = (-6..15)
            .flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(decade)))
            .collect();
        let from = *steps.iter().rev().find(|s| **s <= low).unwrap_or(&low);
        let to = *steps.iter().find(|s| **s >= high).unwrap_or(&high);
        let decades_only = to / from > 1000.0;
        let is_decade = |s: f64| (s.log10() - s.log10().round()).abs() < 1e-9;
        Axis {
            label: label.to_owned(),
            log: true,
            from,
            to,
            ticks: steps
                .into_iter()
                .filter(|s| *s >= from && *s <= to && (!decades_only || is_decade(*s)))
                .map(|s| (s, unit.show(s)))
                .collect(),
        }
    }

    /// An axis with these ticks and a little room on both sides, logarithmic where they span a
    /// decade or more.
    pub fn through(label: &str, ticks: Vec<(f64, String)>) -> Axis {
        let first = ticks.first().map_or(1.0, |t| t.0).max(1.0);
        let last = ticks.last().map_or(1.0, |t| t.0).max(first);
        let log = last >= first * 10.0;
        let (from, to) = if log {
            let room = (last / first).powf(0.04);
            (first / room, last * room)
        } else {
            let room = ((last - first) * 0.04).max(0.5);
            (first - room, last + room)
        };
        let scale = if log { ", log scale" } else { "" };
        Axis {
            label: format!("{label}{scale}"),
            log,
            from,
            to,
            ticks,
        }
    }

    /// A logarithmic axis from 1 to `end` with these ticks.
    pub fn nines(label: &str, ticks: Vec<(f64, String)>, end: f64) -> Axis {
        Axis {
            label: label.to_owned(),
            log: true,
            from: 1.0,
            to: end,
            ticks,
        }
    }

    /// Where a value stands, from 0 at the start of the axis to 1 at its end.
    pub fn fraction(&self, value: f64) -> f64 {
        let value = value.clamp(self.from, self.to);
        if self.log {
            (value / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        }
    }
}

/// The smallest of 1, 2, 5 times a power of ten (for bytes, of the powers of two) that is not below.
fn nice_step(least: f64, unit: Unit) -> f64 {
    if unit == Unit::Bytes {
        return least.max(1.0).log2().ceil().exp2();
    }
    let magnitude = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * magnitude);
    let fits = |step: &f64| *step >= least * 0.999;
    steps.into_iter().find(fits).unwrap_or(steps[3])
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
            (
                Unit::Seconds,
                0.001,
                0.019,
                "0 µs, 5 ms, 10 ms, 15 ms, 20 ms",
            ),
            (Unit::Number, 0.0, 0.0, "0, 0.5, 1"),
        ] {
            let axis = Axis::linear("", unit, low, high);
            assert_eq!(labels(&axis), expected, "{unit:?} {low} to {high}");
            assert!(axis.fraction(low) >= 0.0 && axis.fraction(high) <= 1.0);
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
            let axis = Axis::log("", Unit::Seconds, low, high);
            assert_eq!(labels(&axis), expected, "{low} to {high}");
        }
        let axis = Axis::log("", Unit::Seconds, 0.001, 0.1);
        assert!((axis.fraction(0.01) - 0.5).abs() < 1e-9);
        assert_eq!(
            axis.fraction(0.0),
            0.0,
            "what is below the axis stands at its start"
        );
    }

    #[test]
    fn clients_are_spread_by_factors_only_over_a_decade_or_more() {
        let through = |counts: &[f64]| {
            let ticks = counts.iter().map(|c| (*c, c.to_string())).collect();
            Axis::through("clients", ticks)
        };
        let wide = through(&[10.0, 100.0, 1000.0]);
        assert!((wide.fraction(100.0) - 0.5).abs() < 1e-9);
        assert!(wide.label.ends_with("log scale"), "{}", wide.label);
        let narrow = through(&[100.0, 200.0, 300.0]);
        assert!((narrow.fraction(200.0) - 0.5).abs() < 1e-9);
        assert_eq!(narrow.label, "clients");
        assert!(through(&[0.0, 0.0]).fraction(0.0).is_finite());
    }
}
