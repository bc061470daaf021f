//! Figures as people write and read them: a number with a unit.

use indicatif::HumanCount;

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nothing: `2.5k`.
    Number,
    /// Time: `1.5 ms`.
    Seconds,
    /// Sizes, by powers of 1024: `40 KiB`.
    Bytes,
}

impl Unit {
    /// The units that a figure is written in, each with its factor, ascending.
    fn steps(self) -> &'static [(f64, &'static str)] {
        const KIB: f64 = 1024.0;
        const MIB: f64 = 1024.0 * KIB;
        const GIB: f64 = 1024.0 * MIB;
        const TIB: f64 = 1024.0 * GIB;
        match self {
            Unit::Number => &[(1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G")],
            Unit::Seconds => &[(1e-6, "µs"), (1e-3, "ms"), (1.0, "s")],
            Unit::Bytes => &[
                (1.0, "B"),
                (KIB, "KiB"),
                (MIB, "MiB"),
                (GIB, "GiB"),
                (TIB, "TiB"),
            ],
        }
    }

    /// Reads a figure that is not negative, such as `100k`, `1.5 ms`, `40KiB` or `64K`.
    ///
    /// # Errors
    /// One line that explains what is wrong.
    pub fn parse(self, text: &str) -> Result<f64, String> {
        let plain = text.replace("us", "µs");
        let read = |(factor, unit): &(f64, &str)| {
            let short = unit.trim_end_matches(['i', 'B']);
            let number = plain.strip_suffix(unit).or(plain.strip_suffix(short))?;
            let figure = number.trim_end().parse::<f64>().ok()? * factor;
            (figure.is_finite() && figure.is_sign_positive()).then_some(figure)
        };
        let example = match self {
            Unit::Number => "0, 2.5 or 100k",
            Unit::Seconds => "7us, 50ms or 1.5s",
            Unit::Bytes => "1000, 64K or 1.5GiB",
        };
        let figure = self.steps().iter().find_map(read);
        figure.ok_or_else(|| format!("{text:?} is not a figure such as {example}"))
    }

    /// Writes a figure of this unit with three significant digits, trailing zeros left out; what is
    /// not a number is a dash.
    pub fn show(self, value: f64) -> String {
        let (number, unit) = self.parts(value);
        number + &unit
    }

    /// Writes a range, with the unit once where both ends have the same: `1.86–2.16 ms`.
    pub fn show_range(self, low: f64, high: f64) -> String {
        let ((low, first), (high, unit)) = (self.parts(low), self.parts(high));
        let first = if first == unit { "" } else { &first };
        format!("{low}{first}–{high}{unit}")
    }

    fn parts(self, value: f64) -> (String, String) {
        if !value.is_finite() {
            return ("–".to_owned(), String::new());
        }
        let steps = self.steps();
        let sign = if value < 0.0 { "−" } else { "" };
        // 999.7 is written 1k, not 1000: the step is chosen as if the figure were rounded already.
        let fits = |(factor, _): &&(f64, &str)| value.abs() >= factor * 0.9995;
        let (factor, unit) = steps.iter().rev().find(fits).unwrap_or(&steps[0]);
        let space = if self == Unit::Number { "" } else { " " };
        let number = value.abs() / factor;
        let number = format!("{number:.*}", decimals(number, 3));
        let number = match number.contains('.') {
            true => number.trim_end_matches('0').trim_end_matches('.'),
            false => &number,
        };
        (format!("{sign}{number}"), format!("{space}{unit}"))
    }
}

/// Reads a size in bytes for clap, such as `1000`, `64K` or `1.5GiB`.
///
/// # Errors
/// As for [`Unit::parse`], or it is more than a file can have.
pub fn size(text: &str) -> Result<u64, String> {
    match Unit::Bytes.parse(text)? {
        size if size < u64::MAX as f64 => Ok(size as u64),
        _ => Err(format!("{text:?} is too large")),
    }
}

/// How many decimals show so many digits of a number that is not negative.
fn decimals(value: f64, digits: i32) -> usize {
    match value {
        0.0 => 0,
        value => (digits - 1 - value.log10().floor() as i32).clamp(0, 9) as usize,
    }
}

/// A ratio, with two decimals, or two significant digits where it is small.
pub fn ratio(value: f64) -> String {
    match value {
        100.0.. => Unit::Number.show(value),
        _ => format!("{value:.*}", decimals(value, 2).max(2)),
    }
}

/// A part as a percentage: `25 %`.
pub fn percent(part: f64) -> String {
    format!("{:.0} %", part * 100.0)
}

/// By how much a figure has changed: `+31 %`.
pub fn change(from: f64, to: f64) -> String {
    match (to - from) / from.abs() {
        part if to == from || part.abs() < 0.005 => "±0 %".to_owned(),
        part if part.is_finite() => format!("{:+.0} %", part * 100.0).replace('-', "−"),
        _ => "from 0".to_owned(),
    }
}

/// `1 client`, `1,000 clients`
pub fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(number as u64))
}

/// A whole number with its thousands apart: `5,000`.
pub fn thousands(number: u64) -> String {
    HumanCount(number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        for (unit, value, expected) in [
            (Unit::Number, 0.0, "0"),
            (Unit::Number, 7.0, "7"),
            (Unit::Number, 0.456_78, "0.457"),
            (Unit::Number, 0.000_123_45, "0.000123"),
            (Unit::Number, 336_412.0, "336k"),
            (Unit::Number, 999.7, "1k"),
            (Unit::Number, 999_700.0, "1M"),
            (Unit::Number, 1_064_000.0, "1.06M"),
            (Unit::Number, -2500.0, "−2.5k"),
            (Unit::Seconds, 850e-6, "850 µs"),
            (Unit::Seconds, 0.012_345, "12.3 ms"),
            (Unit::Seconds, 0.0034, "3.4 ms"),
            (Unit::Seconds, 75.0, "75 s"),
            (Unit::Bytes, 512.0, "512 B"),
            (Unit::Bytes, 72_090.0, "70.4 KiB"),
            (Unit::Bytes, 25_769_803_776.0, "24 GiB"),
            (Unit::Number, f64::NAN, "–"),
            (Unit::Bytes, f64::INFINITY, "–"),
        ] {
            assert_eq!(unit.show(value), expected, "{unit:?} {value}");
        }
    }

    #[test]
    fn written_figure_can_be_read() {
        for (unit, text, expected) in [
            (Unit::Number, "0", 0.0),
            (Unit::Number, "1e6", 1e6),
            (Unit::Number, "2.5k", 2500.0),
            (Unit::Number, "1000M", 1e9),
            (Unit::Seconds, "50ms", 0.05),
            (Unit::Seconds, "50 us", 50e-6),
            (Unit::Seconds, "7µs", 7e-6),
            (Unit::Bytes, "1.5KiB", 1536.0),
        ] {
            let read = unit.parse(text).unwrap();
            assert!(
                (read - expected).abs() <= expected * 1e-9,
                "{text} gave {read}"
            );
        }
        for (unit, bad) in [
            (Unit::Number, "many"),
            (Unit::Number, "-1"),
            (Unit::Number, "inf"),
            (Unit::Number, "NaN"),
            (Unit::Number, "-0"),
            (Unit::Seconds, "50"),
            (Unit::Bytes, "1kb"),
            (Unit::Bytes, "K"),
            (Unit::Bytes, "5iB"),
            (Unit::Bytes, "5X"),
        ] {
            assert!(unit.parse(bad).is_err(), "{bad} was read");
        }
    }

    #[test]
    fn sizes_are_numbers_with_an_optional_unit() {
        for (text, expected) in [
            ("0", 0),
            ("1000", 1000),
            ("64K", 64 << 10),
            ("10MiB", 10 << 20),
            ("1.5G", 3 << 29),
            ("1T", 1 << 40),
        ] {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        for bad in ["", "-1", "iB", "99999999999T", "99999999999999999999"] {
            assert!(size(bad).is_err(), "{bad:?} was accepted as a size");
        }
    }

    #[test]
    fn count_of_one_is_singular() {
        assert_eq!(count(1, "client"), "1 client");
        assert_eq!(count(0, "client"), "0 clients");
        assert_eq!(count(5000, "round"), "5,000 rounds");
    }

    #[test]
    fn ranges_have_their_unit_once() {
        assert_eq!(Unit::Seconds.show_range(0.00186, 0.00216), "1.86–2.16 ms");
        assert_eq!(Unit::Number.show_range(876e3, 1.02e6), "876k–1.02M");
        assert_eq!(Unit::Bytes.show_range(-100.0, 900.0), "−100–900 B");
    }

    #[test]
    fn ratios_have_two_decimals_or_two_digits() {
        for (value, expected) in [
            (0.0, "0.00"),
            (0.0553, "0.055"),
            (0.614_6, "0.61"),
            (1.0, "1.00"),
            (4.007, "4.01"),
            (1234.0, "1.23k"),
            (f64::INFINITY, "–"),
        ] {
            assert_eq!(ratio(value), expected, "{value}");
        }
    }

    #[test]
    fn changes_have_a_sign() {
        for (from, to, expected) in [
            (100.0, 131.0, "+31 %"),
            (100.0, 50.0, "−50 %"),
            (-100.0, -50.0, "+50 %"),
            (1000.0, 999.0, "±0 %"),
            (0.0, 0.0, "±0 %"),
            (0.0, 3.0, "from 0"),
        ] {
            assert_eq!(change(from, to), expected, "{from} to {to}");
        }
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (5000, "5,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), expected);
        }
    }
}
