//! What the handler and the reader of one client share: when the last input came, and whether the reader must stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::server::conn::Conn;
use crate::system::has_unread;

/// How long a woken thread may take until it runs, on a busy machine.
const WAKING: Duration = Duration::from_millis(20);

/// The input of one client.
pub struct Activity<'a> {
    conn: &'a Conn,
    start: Instant,
    /// When the last input came, in milliseconds after `start`.
    last_input: AtomicU64,
    reader_busy: AtomicBool,
    stopped_reading: AtomicBool,
}

impl Activity<'_> {
    /// A client that logs in now.
    pub fn new(conn: &Conn) -> Activity<'_> {
        Activity {
            conn,
            start: Instant::now(),
            last_input: AtomicU64::default(),
            reader_busy: AtomicBool::default(),
            stopped_reading: AtomicBool::default(),
        }
    }

    /// Records that the client has sent a message, part of one, or an empty line. The reader is busy until it calls
    /// [`Activity::reader_waits`].
    pub fn input_came(&self) {
        self.reader_busy.store(true, Relaxed);
        self.last_input.store(self.millis(), Relaxed);
    }

    /// Records that the reader has processed all input, and reads more.
    pub fn reader_waits(&self) {
        self.reader_busy.store(false, Relaxed);
    }

    /// How long the client may still send nothing, of `timeout`: zero if that is over. All of it, if input waits to
    /// be processed, because after a pause of the process a timeout and such input can be due at the same time.
    ///
    /// Always zero for a client that does not read, so that nobody waits for it.
    pub fn left_of(&self, timeout: Duration) -> Duration {
        let left = || {
            if self.conn.is_stalled() {
                Duration::ZERO
            } else if self.reader_busy.load(Relaxed) || has_unread(self.conn.stream()) {
                timeout
            } else {
                let silent = self.millis().saturating_sub(self.last_input.load(Relaxed));
                timeout.saturating_sub(Duration::from_millis(silent))
            }
        };
        let now = left();
        if !now.is_zero() {
            return now;
        }
        // The reader may have read input from the socket without having recorded it yet.
        thread::sleep(WAKING);
        left()
    }

    /// Makes the reader stop, as if the client had closed its side.
    pub fn stop_reading(&self) {
        self.stopped_reading.store(true, Relaxed);
    }

    /// Whether [`Activity::stop_reading`] was called.
    pub fn has_stopped_reading(&self) -> bool {
        self.stopped_reading.load(Relaxed)
    }

    fn millis(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::chat::tests::connect;

    const TIMEOUT: Duration = Duration::from_secs(60);

    #[test]
    fn timeout_counts_from_the_last_input() {
        let (_client, conn) = connect();
        let mut activity = Activity::new(&conn);
        activity.start = Instant::now()
            .checked_sub(Duration::from_secs(110))
            .unwrap();
        assert_eq!(activity.left_of(TIMEOUT), Duration::ZERO);
        activity.last_input = AtomicU64::new(60_000);
        let left = activity.left_of(TIMEOUT);
        assert!(
            !left.is_zero() && left <= Duration::from_secs(10),
            "{left:?} left"
        );
        activity.input_came();
        activity.reader_waits();
        let left = activity.left_of(TIMEOUT);
        assert!(left > Duration::from_secs(10), "{left:?} left");
    }

    #[test]
    fn input_that_is_not_processed_prevents_the_timeout() {
        let (mut client, conn) = connect();
        let activity = Activity::new(&conn);
        assert_eq!(activity.left_of(Duration::ZERO), Duration::ZERO);
        activity.input_came();
        assert_eq!(activity.left_of(TIMEOUT), TIMEOUT);
        activity.reader_waits();
        client.write_all(b"x").unwrap();
        conn.stream().peek(&mut [0]).unwrap();
        assert_eq!(activity.left_of(TIMEOUT), TIMEOUT);
    }
}
