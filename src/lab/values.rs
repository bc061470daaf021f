//! The values of the command line, for clap.

use std::time::Duration;

use clap::builder::RangedU64ValueParser;

use crate::cli;
use crate::lab::results::metric;
use crate::lab::results::threshold::Threshold;
use crate::units::Unit;

/// The value of `--rate`: messages per second in open loop, or none in closed loop. clap would take an
/// `Option` itself for an option that may be left out.
pub type Rate = Option<f64>;

pub fn fail_if() -> String {
    format!(
        "Exit with status 99 if a figure crosses this: 'p99>50ms', 'lost>0', 'rate<100k', \
         'rss>40KiB' (per client). Repeatable. Judged is the median of the rounds, and the worst round \
         for max, pause, lost and other faults. What was not measured counts as crossed. Figures: {}",
        metric::names()
    )
}

/// A rule for one run.
pub fn rule(text: &str) -> Result<Threshold, String> {
    match text.parse::<Threshold>()? {
        rule if rule.is_change => {
            Err("a change in % needs two runs: see `loadtest compare`".to_owned())
        }
        rule => Ok(rule),
    }
}

/// The most of anything that is counted. It is more than a machine carries or anyone waits for, and
/// sums and products of it still fit.
const MOST: usize = 1_000_000;

/// How long anything may take. Sums and products of it in nanoseconds still fit.
pub fn duration(text: &str) -> Result<Duration, String> {
    const MOST_HOURS: u32 = 10_000;
    match cli::duration(text)? {
        long if long > Duration::from_secs(3600) * MOST_HOURS => {
            Err(format!("expected {MOST_HOURS}h at most"))
        }
        duration => Ok(duration),
    }
}

pub fn positive() -> RangedU64ValueParser<usize> {
    within(1, MOST)
}

pub fn within(least: usize, most: usize) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(least as u64..=most as u64)
}

pub fn rate(text: &str) -> Result<Rate, String> {
    const MOST: f64 = 1e7;
    match (text, Unit::Number.parse(text)) {
        ("max", _) => Ok(None),
        (_, Ok(rate)) if rate > 0.0 && rate <= MOST => Ok(Some(rate)),
        _ => Err(format!(
            "expected messages per second, above 0 and up to {MOST}, such as 200 or 10k; or max"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_values_are_rejected() {
        for bad in ["0", "-5", "many", "1e9", "inf", "NaN"] {
            assert!(rate(bad).is_err(), "{bad:?} was taken for a rate");
        }
        for bad in ["0s", "10001h", "5124096h", "99999999999h"] {
            assert!(duration(bad).is_err(), "{bad:?} was taken for a duration");
        }
        assert_eq!(duration("10000h"), Ok(Duration::from_secs(36_000_000)));
    }
}
