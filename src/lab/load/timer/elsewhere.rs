//! The poll's own timeout, which is late by up to a millisecond.

use std::io;
use std::time::{Duration, Instant};

use mio::{Registry, Token};

/// A timer, which is set again and again.
#[derive(Debug)]
pub struct Timer(Option<Instant>);

impl Timer {
    /// Not set.
    ///
    /// # Errors
    /// None.
    pub fn new(_registry: &Registry, _token: Token) -> io::Result<Timer> {
        Ok(Timer(None))
    }

    /// Sets it to end once, in `delay`.
    ///
    /// # Errors
    /// None.
    pub fn set(&mut self, delay: Duration) -> io::Result<()> {
        self.0 = Some(Instant::now() + delay);
        Ok(())
    }

    /// How long to wait for sockets at most, where `timeout` is all that the caller needs.
    pub fn timeout(&mut self, timeout: Option<Duration>) -> Option<Duration> {
        let Some(end) = self.0 else {
            return timeout;
        };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            self.0 = None;
        }
        Some(timeout.map_or(left, |timeout| timeout.min(left)))
    }
}

#[cfg(test)]
mod tests {
    use mio::Poll;

    use super::*;

    #[test]
    fn waiting_ends_once_when_the_timer_does_and_else_at_the_timeout() {
        let mut timer = Timer::new(Poll::new().unwrap().registry(), Token(0)).unwrap();
        let second = Some(Duration::from_secs(1));
        assert_eq!((timer.timeout(None), timer.timeout(second)), (None, second));
        timer.set(Duration::from_secs(60)).unwrap();
        assert!(timer.timeout(None).is_some_and(|left| Some(left) > second));
        assert_eq!(timer.timeout(second), second);
        timer.set(Duration::ZERO).unwrap();
        assert_eq!(timer.timeout(second), Some(Duration::ZERO));
        assert_eq!(timer.timeout(second), second);
    }
}
