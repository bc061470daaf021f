//! Ends the waiting for sockets to the microsecond. On Linux the timeout of a poll is whole milliseconds.

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

    /// Sets it to end once, in `delay`. No delay would switch it off.
    ///
    /// # Errors
    /// It could not be set.
    pub fn set(&mut self, delay: Duration) -> io::Result<()> {
        let once = Itimerspec {
            it_interval: Timespec::default(),
            it_value: delay.try_into().map_err(io::Error::other)?,
        };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}
