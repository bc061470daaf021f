//! Standard streams. Another process that shares them can make them non-blocking.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Reads once, and waits until it can.
///
/// # Errors
/// The reading fails.
pub fn read_stream(mut from: impl Read + AsFd, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buf) {
            Err(err) if err.kind() == ErrorKind::WouldBlock => wait(&from, PollFlags::IN)?,
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Writes all bytes, bypassing the buffer of `to`: after an error a buffered writer does not report how much it wrote.
///
/// # Errors
/// The writing fails.
pub fn write_stream(mut to: impl Write + AsFd, mut bytes: &[u8]) -> io::Result<()> {
    to.flush()?;
    while !bytes.is_empty() {
        match rustix::io::write(&to, bytes) {
            Err(Errno::AGAIN) => wait(&to, PollFlags::OUT)?,
            Err(Errno::INTR) => {}
            written => bytes = &bytes[written?..],
        }
    }
    Ok(())
}

/// Whether a short write to a stream would not block, after waiting for at most `limit`.
pub fn is_writable(to: impl AsFd, limit: Duration) -> bool {
    let limit = Timespec::try_from(limit).ok();
    loop {
        match poll(&mut [PollFd::new(&to, PollFlags::OUT)], limit.as_ref()) {
            Err(Errno::INTR) => {}
            ready => return ready != Ok(0),
        }
    }
}

fn wait(stream: &impl AsFd, ready: PollFlags) -> io::Result<()> {
    match poll(&mut [PollFd::new(stream, ready)], None) {
        Err(Errno::INTR) => Ok(()),
        polled => Ok(polled.map(drop)?),
    }
}

#[cfg(test)]
mod tests {
    use std::io::pipe;
    use std::thread;
    use std::time::Duration;

    use rustix::fs::{OFlags, fcntl_setfl};

    use super::*;

    /// More than a pipe holds.
    const MUCH: usize = 1 << 20;

    #[test]
    fn non_blocking_streams_are_waited_for() {
        let (mut reader, writer) = pipe().unwrap();
        fcntl_setfl(&reader, OFlags::NONBLOCK).unwrap();
        fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
        assert_eq!(
            reader.read(&mut [0]).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        thread::scope(|s| {
            s.spawn(move || {
                // Not before the reader waits, most of the time.
                thread::sleep(Duration::from_millis(20));
                write_stream(&writer, &vec![b'x'; MUCH]).unwrap();
            });
            let (mut n, mut buf) = (0, vec![0; 4096]);
            loop {
                match read_stream(&reader, &mut buf).unwrap() {
                    0 => break,
                    more => n += more,
                }
            }
            assert_eq!(n, MUCH);
        });
    }
}
