//! What is different on Windows.

use std::ffi::{OsStr, OsString, c_ulong};
use std::fs::Permissions;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::windows::ffi::OsStringExt;
use std::path::Path;

use socket2::Socket;

pub use super::windows_names::refuse_name;
use super::windows_names::{drive_length, utf16_from_bytes};

/// Only Linux has batch work.
pub fn use_batch_scheduling() {}

/// There are no signals that could be ignored.
///
/// # Errors
/// None.
pub fn block_ignored_signals() -> io::Result<()> {
    Ok(())
}

/// How many threads this user may have. There is no limit.
pub fn user_thread_limit() -> Option<u64> {
    None
}

/// Only Linux has such a table.
///
/// # Errors
/// Always.
pub fn futex_hash(_operation: c_ulong, _slots: c_ulong) -> io::Result<usize> {
    Err(ErrorKind::Unsupported.into())
}

/// Reads what has arrived. A read that does not wait would change the socket for everyone who uses it.
pub fn read_now(_conn: &TcpStream, _buf: &mut [u8]) -> Option<io::Result<usize>> {
    None
}

/// Whether [`read_now`] can find anything.
pub const CAN_READ_NOW: bool = false;

/// Whether something has arrived that was not read. Not known: to look without waiting would change the socket
/// for everyone who uses it.
pub fn has_unread(_conn: &TcpStream) -> bool {
    false
}

/// A server has its address again at once anyway. The option would let another program take the address.
///
/// # Errors
/// None.
pub fn reuse_address(_socket: &Socket) -> io::Result<()> {
    Ok(())
}

/// The number of a network interface of this name. No safe crate looks it up here, so that zones are numbers.
pub fn interface_index(_name: &str) -> Option<u32> {
    None
}

/// The name of the network interface of this number. No safe crate looks it up here.
pub fn interface_name(_index: u32) -> Option<String> {
    None
}

/// How many sockets and files this process may have open. There is no limit.
pub fn descriptor_limit() -> Option<u64> {
    None
}

/// There is nothing to raise.
///
/// # Errors
/// None.
pub fn raise_descriptor_limit() -> io::Result<()> {
    Ok(())
}

/// The name or path that these bytes are: UTF-8, or what Go too makes of a name with half a surrogate pair. None
/// for any other bytes.
pub fn path_from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    utf16_from_bytes(&bytes).map(|utf16| OsString::from_wide(&utf16))
}

/// The part of a path that can hold a name: what is behind the drive.
pub fn without_drive(path: &OsStr) -> &[u8] {
    let bytes = path.as_encoded_bytes();
    &bytes[drive_length(bytes)..]
}

/// Names are on the disk when the file is: a folder cannot be opened here.
///
/// # Errors
/// None.
pub fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// New files are open to whom the folder is.
pub fn new_file_permissions() -> Option<Permissions> {
    None
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

/// Writes all of it to a standard stream.
///
/// # Errors
/// The writing fails.
pub fn write_stream(mut to: impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)?;
    to.flush()
}
