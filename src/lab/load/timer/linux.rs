//! A timer that is one more thing to wait for.

use std::io;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

/// A timer, which is set again and again.
#[derive(Debug)]
pub struct Timer(OwnedFd);

impl Timer {
    /// Not set. When it ends, `token` happens.
    ///
    /// # Errors
    /// The kernel gives no more descriptors.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Timer> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Timer(timer))
    }

    /// Sets it to end once, in `delay`.
    ///
    /// # Errors
    /// It could not be set.
    pub fn set(&mut self, delay: Duration) -> io::Result<()> {
        // One that is set to nothing is switched off.
        let delay = delay.max(Duration::from_nanos(1));
        let once = Itimerspec {
            it_interval: Timespec::default(),
            it_value: delay.try_into().map_err(io::Error::other)?,
        };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }

    /// How long to wait for sockets at most, where `timeout` is all that the caller needs.
    pub fn timeout(&mut self, timeout: Option<Duration>) -> Option<Duration> {
        timeout
    }
}
