//! Sizes in bytes with units, such as `64K`.

const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/// Parses a size such as `1000`, `64K`, `10MiB` or `2G`, for clap's `value_parser`. Units are powers of 1024.
///
/// # Errors
/// One line that explains what is wrong.
pub fn parse(text: &str) -> Result<u64, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.strip_suffix("iB").unwrap_or(unit) {
        "" if unit.is_empty() => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => {
            return Err(
                "expected a number of bytes, or one with a unit, such as 64K, 10M or 2G".to_owned(),
            );
        }
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| format!("{number:?} is not a number, or is too large"))
}

/// Formats a size with the largest unit that fits.
pub fn display(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} {}", UNITS[0]);
    }
    let unit = (bytes.ilog2() as usize / 10).min(UNITS.len() - 1);
    format!(
        "{:.1} {}",
        bytes as f64 / (1u64 << (10 * unit)) as f64,
        UNITS[unit]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_with_an_optional_unit() {
        assert_eq!(parse("0"), Ok(0));
        assert_eq!(parse("1000"), Ok(1000));
        assert_eq!(parse("64K"), Ok(64 << 10));
        assert_eq!(parse("10MiB"), Ok(10 << 20));
        assert_eq!(parse("2G"), Ok(2 << 30));
        assert_eq!(parse("1T"), Ok(1 << 40));
        for bad in [
            "",
            "K",
            "-1",
            "1.5G",
            "5X",
            "1 K",
            "iB",
            "5iB",
            "99999999999T",
            "99999999999999999999",
        ] {
            assert!(parse(bad).is_err(), "{bad:?} was accepted as a size");
        }
    }

    #[test]
    fn sizes_are_shown_in_the_largest_unit_that_fits() {
        assert_eq!(display(0), "0 bytes");
        assert_eq!(display(1023), "1023 bytes");
        assert_eq!(display(1024), "1.0 KiB");
        assert_eq!(display(1536 << 20), "1.5 GiB");
        assert_eq!(display(u64::MAX), "16777216.0 TiB");
    }
}
