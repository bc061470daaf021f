//! The standard streams as Go's package `os` has them.

use std::io::{self, Read};

use crate::go::net;

/// Standard input, which reads as `os.Stdin` does: whatever is there, up to the length of the buffer.
#[derive(Clone, Copy, Debug)]
pub struct Stdin;

impl Read for Stdin {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        net::read(&mut io::stdin(), buf)
    }
}
