//! The standard streams as Go's package `os` has them: they wait where a stream is non-blocking and not ready,
//! which std reports as an error. Whoever has opened a terminal or a pipe with us can make it so.

use std::io::{self, Read, Write};

use crate::system::{read_stream, write_stream};

/// Standard input, which reads as `os.Stdin` does: whatever is there, up to the length of the buffer.
#[derive(Clone, Copy, Debug)]
pub struct Stdin;

/// Standard output, without a buffer as `os.Stdout` is.
#[derive(Clone, Copy, Debug)]
pub struct Stdout;

/// Standard error.
#[derive(Clone, Copy, Debug)]
pub struct Stderr;

impl Read for Stdin {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        read_stream(io::stdin(), buf)
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Locked until all is written, so that nothing comes between.
        write_stream(io::stdout().lock(), bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_stream(io::stderr().lock(), bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
