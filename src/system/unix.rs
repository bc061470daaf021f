//! Functions for all Unix systems, including Linux and macOS.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::net::if_::{if_indextoname, if_nametoindex};
use nix::sys::signal::{SigSet, Signal};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::Socket;

/// Whether an error of a UDP socket only reports that an earlier datagram did not arrive.
pub fn reports_lost_datagram(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}

/// Reads without blocking. None if nothing has arrived.
pub fn read_now(conn: &TcpStream, buf: &mut [u8]) -> Option<io::Result<usize>> {
    match recv(conn, buf, RecvFlags::DONTWAIT) {
        Err(Errno::AGAIN | Errno::INTR) => None,
        read => Some(read.map(|(n, _)| n).map_err(io::Error::from)),
    }
}

/// Whether [`read_now`] works on this system.
pub const CAN_READ_NOW: bool = true;

/// Whether unread data has arrived, or the connection has ended.
pub fn has_unread(conn: &TcpStream) -> bool {
    let peeked = recv(conn, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
    peeked.err() != Some(Errno::AGAIN)
}

/// Lets a server bind its address again immediately after it has exited.
///
/// # Errors
/// The system refuses.
pub fn reuse_address(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)
}

/// Blocks SIGXFSZ, in this thread and all later ones, so that a file over the size limit of this process is an error
/// as on a full disk.
///
/// # Errors
/// It cannot be blocked.
pub fn block_file_size_signal() -> io::Result<()> {
    Ok(SigSet::from(Signal::SIGXFSZ).thread_block()?)
}

/// The index of the network interface with this name.
pub fn interface_index(name: &str) -> Option<u32> {
    if_nametoindex(name).ok()
}

/// The name of the network interface with this index.
pub fn interface_name(index: u32) -> Option<String> {
    let name = if_indextoname(index).ok()?;
    Some(name.to_string_lossy().into_owned())
}

/// How many descriptors this process may have open.
pub fn descriptor_limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Raises the soft limit on open descriptors to the hard one.
///
/// # Errors
/// The system refuses.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current, maximum })?)
}

/// Converts bytes into a name or path. On Unix any bytes are valid.
pub fn path_from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    Some(OsString::from_vec(bytes))
}

/// Why a file name is invalid on this system only. On Unix there is no such reason.
pub fn refuse_name(_name: &[u8]) -> Option<&'static str> {
    None
}

/// A path without its drive. On Unix it has none.
pub fn without_drive(path: &OsStr) -> &[u8] {
    path.as_bytes()
}

/// Waits until a file has been written to disk.
///
/// # Errors
/// The disk failed.
pub fn sync_file(file: &File) -> io::Result<()> {
    match file.sync_all() {
        // On macOS this also empties the cache of the disk (F_FULLFSYNC), which network file systems do not support.
        Err(_) if cfg!(target_vendor = "apple") => Ok(rustix::fs::fsync(file)?),
        synced => synced,
    }
}

/// Waits until the names in a folder have been written to disk.
///
/// # Errors
/// The disk failed.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    match sync_file(&File::open(path)?) {
        // Some file systems, for example network file systems, do not support it.
        Err(err) if err.kind() == ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}
