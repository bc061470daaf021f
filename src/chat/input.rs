//! Reads the messages of one client from its connection.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::chat::activity::Activity;
use crate::chat::lines::{Held, Line, Lines};
use crate::chat::rate_limit::{Rate, RateLimiter};
use crate::server::conn::Conn;
use crate::server::telnet::WONT_TIMING_MARK;

/// The input of one client, read as messages.
pub struct Input<'a> {
    conn: &'a Conn,
    activity: &'a Activity<'a>,
    limiter: RateLimiter,
    lines: Lines,
}

impl<'a> Input<'a> {
    /// Limits the client to `rate`.
    pub fn new(conn: &'a Conn, activity: &'a Activity, rate: Option<Rate>) -> Input<'a> {
        // Go: does not receive urgent (out-of-band) bytes, which telnet uses for half of a command. Ours receives
        // them in order.
        let _ = SockRef::from(conn.stream()).set_out_of_band_inline(true);
        Input {
            conn,
            activity,
            limiter: RateLimiter::new(rate, Instant::now()),
            lines: Lines::default(),
        }
    }

    /// The next message, or None when the client has disconnected.
    pub fn read(&mut self) -> Option<Line<'_>> {
        let found = loop {
            if self.activity.has_stopped_reading() {
                return None;
            }
            if let Some(found) = self.lines.find() {
                break found;
            }
            if !self.fill() {
                return None;
            }
        };
        self.limiter
            .wait(self.conn.closed())
            .then(|| self.lines.get(found))
    }

    /// Reads more input. Returns false if the input has ended and nothing was held back.
    fn fill(&mut self) -> bool {
        let for_a_second = self.lines.held() == Held::ForASecond;
        if for_a_second {
            let _ = self
                .conn
                .stream()
                .set_read_timeout(Some(Duration::from_secs(1)));
        }
        self.activity.reader_waits();
        let read = self.conn.read(self.lines.space());
        if for_a_second {
            let _ = self.conn.stream().set_read_timeout(None);
        }
        match read {
            Ok(n @ 1..) => {
                let received = self.lines.take(n);
                if received.is_activity {
                    self.activity.input_came();
                }
                if received.timing_marks > 0 {
                    let _ = self
                        .conn
                        .write(&WONT_TIMING_MARK.repeat(received.timing_marks));
                }
                true
            }
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.lines.release();
                true
            }
            Ok(0) | Err(_) => self.lines.release(),
        }
    }
}
