//! Functions for Windows.

use std::ffi::{OsStr, OsString, c_ulong};
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::net::TcpStream;
use std::os::windows::ffi::OsStringExt;
use std::path::Path;
use std::time::Duration;

use socket2::Socket;

pub use super::windows_names::refuse_name;
use super::windows_names::{drive_length, utf16_from_bytes};

/// Does nothing: only Linux has SCHED_BATCH.
pub fn use_batch_scheduling() {}

/// Does nothing: Windows has no ignored signals.
///
/// # Errors
/// None.
pub fn block_ignored_signals() -> io::Result<()> {
    Ok(())
}

/// Does nothing: Windows has no such signal.
///
/// # Errors
/// None.
pub fn block_file_size_signal() -> io::Result<()> {
    Ok(())
}

/// How many threads this user may have. Windows has no limit.
pub fn user_thread_limit() -> Option<u64> {
    None
}

/// Fails: only Linux has such a table.
///
/// # Errors
/// Always.
pub fn futex_hash(_operation: c_ulong, _slots: c_ulong) -> io::Result<usize> {
    Err(ErrorKind::Unsupported.into())
}

/// Whether an error of a UDP socket only reports that an earlier datagram did not arrive: nobody had the port, or its
/// time to live was over.
pub fn reports_lost_datagram(err: &io::Error) -> bool {
    const WSAENETRESET: i32 = 10052;
    err.kind() == ErrorKind::ConnectionReset || err.raw_os_error() == Some(WSAENETRESET)
}

/// Always None: a non-blocking read would make the socket non-blocking for all threads.
pub fn read_now(_conn: &TcpStream, _buf: &mut [u8]) -> Option<io::Result<usize>> {
    None
}

/// Whether [`read_now`] works on this system.
pub const CAN_READ_NOW: bool = false;

/// Always false, because it is not known: a non-blocking check would make the socket non-blocking for all threads.
pub fn has_unread(_conn: &TcpStream) -> bool {
    false
}

/// Does nothing: on Windows a server can bind its address again anyway, and the option would let another program take
/// the address.
///
/// # Errors
/// None.
pub fn reuse_address(_socket: &Socket) -> io::Result<()> {
    Ok(())
}

/// Always None: no safe crate looks up interfaces on Windows, so zones must be given as numbers.
pub fn interface_index(_name: &str) -> Option<u32> {
    None
}

/// Always None: no safe crate looks up interfaces on Windows.
pub fn interface_name(_index: u32) -> Option<String> {
    None
}

/// How many descriptors this process may have open. Windows has no limit.
pub fn descriptor_limit() -> Option<u64> {
    None
}

/// Does nothing: Windows has no such limit.
///
/// # Errors
/// None.
pub fn raise_descriptor_limit() -> io::Result<()> {
    Ok(())
}

/// Converts bytes into a name or path. They must be UTF-8, in which half a surrogate pair may be encoded as in Go;
/// None for any other bytes.
pub fn path_from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    utf16_from_bytes(&bytes).map(|utf16| OsString::from_wide(&utf16))
}

/// A path without its drive.
pub fn without_drive(path: &OsStr) -> &[u8] {
    let bytes = path.as_encoded_bytes();
    &bytes[drive_length(bytes)..]
}

/// Waits until a file has been written to disk.
///
/// # Errors
/// The disk failed.
pub fn sync_file(file: &File) -> io::Result<()> {
    file.sync_all()
}

/// Does nothing: on Windows a folder cannot be opened, and the name is written together with the file.
///
/// # Errors
/// None.
pub fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Always true, because it is not known.
pub fn is_writable<T>(_to: T, _limit: Duration) -> bool {
    true
}

/// Reads once from a standard stream, none of which is non-blocking.
///
/// # Errors
/// The reading fails.
pub fn read_stream(mut from: impl Read, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buf) {
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Writes all of it to a standard stream. A console gets U+FFFD for what is not UTF-8, because std would fail, and the
/// rest of the line would be lost; a pipe or file gets the exact bytes.
///
/// # Errors
/// The writing fails.
pub fn write_stream(mut to: impl Write + IsTerminal, bytes: &[u8]) -> io::Result<()> {
    match str::from_utf8(bytes) {
        Err(_) if to.is_terminal() => to.write_all(String::from_utf8_lossy(bytes).as_bytes())?,
        _ => to.write_all(bytes)?,
    }
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_reports_about_earlier_datagrams_let_a_udp_server_go_on() {
        // WSAECONNRESET and WSAENETRESET; WSAENETDOWN, WSAEMSGSIZE and WSAENOTSOCK.
        for (code, goes_on) in [
            (10054, true),
            (10052, true),
            (10050, false),
            (10040, false),
            (10038, false),
        ] {
            let err = io::Error::from_raw_os_error(code);
            assert_eq!(reports_lost_datagram(&err), goes_on, "{err:?}");
        }
    }
}
