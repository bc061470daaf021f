//! The standard streams as in Go's package `os`: if a stream is non-blocking and not ready, they wait. std would
//! return an error. Any process that shares a terminal or pipe with ours can make it non-blocking.

use std::io::{self, Read, Write};

use crate::system::{read_stream, write_stream};

/// Standard input. It reads as `os.Stdin` does: what is available, up to the length of the buffer.
#[derive(Clone, Copy, Debug)]
pub struct Stdin;

/// Standard output, which is unbuffered, as `os.Stdout` is.
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
        // Locked until everything is written, so that outputs do not mix.
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
