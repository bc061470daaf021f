//! What is counted over time, in steps of equal length.

/// Steps into which the duration of a round is divided at most while it runs.
pub const FINE_STEPS: u64 = 10_000;

/// The same at its end: it may have been cut short.
pub const STEPS: u64 = 100;

/// The count of step `nth`.
pub fn slot(steps: &mut Vec<u64>, nth: u64) -> &mut u64 {
    let nth = nth as usize;
    if steps.len() <= nth {
        steps.resize(nth + 1, 0);
    }
    &mut steps[nth]
}

/// The shortest step of 1, 2 or 5 times a power of ten from 10 ms on that consists of whole `fine` ones
/// and divides the duration into `most` at most.
pub fn step(duration: u64, most: u64, fine: u64) -> u64 {
    let mut steps = (7..).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let fits = |&step: &u64| duration / step <= most && step % fine == 0;
    steps.find(fits).expect("there is always a longer step")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_is_a_round_number_of_milliseconds() {
        const MS: u64 = 1_000_000;
        for (millis, expected) in [(1, 10), (1000, 10), (1010, 20), (2000, 20), (60_000, 1000)] {
            assert_eq!(
                step(millis * MS, STEPS, 10 * MS),
                expected * MS,
                "{millis} ms"
            );
        }
    }
}
