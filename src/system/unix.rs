//! What all Unix systems have, Linux and macOS among them.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::net::if_::{if_indextoname, if_nametoindex};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::Socket;

/// Reads what has arrived, and does not wait. None if nothing has.
pub fn read_now(conn: &TcpStream, buf: &mut [u8]) -> Option<io::Result<usize>> {
    match recv(conn, buf, RecvFlags::DONTWAIT) {
        Err(Errno::AGAIN | Errno::INTR) => None,
        read => Some(read.map(|(n, _)| n).map_err(io::Error::from)),
    }
}

/// Whether [`read_now`] can find anything.
pub const CAN_READ_NOW: bool = true;

/// Whether something has arrived that was not read, or the connection has ended.
pub fn has_unread(conn: &TcpStream) -> bool {
    let peeked = recv(conn, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
    peeked.err() != Some(Errno::AGAIN)
}

/// Lets a server have its address again at once after it has ended.
///
/// # Errors
/// The system refuses.
pub fn reuse_address(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)
}

/// The number of a network interface of this name.
pub fn interface_index(name: &str) -> Option<u32> {
    if_nametoindex(name).ok()
}

/// The name of the network interface of this number.
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

/// The name or path that these bytes are. Any can be one.
pub fn path_from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    Some(OsString::from_vec(bytes))
}

/// Why no file here can have this name, beside what is refused everywhere. Nothing.
pub fn refuse_name(_name: &[u8]) -> Option<&'static str> {
    None
}

/// The part of a path that can hold a name: everything.
pub fn without_drive(path: &OsStr) -> &[u8] {
    path.as_bytes()
}

/// Waits until the names in a folder are on the disk.
///
/// # Errors
/// The disk has failed to write.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // Some file systems, on a network for example, have no such thing.
        Err(err) if err.kind() == ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// What a new file is open to, before the umask takes its part.
pub fn new_file_permissions() -> Option<Permissions> {
    Some(Permissions::from_mode(0o666))
}
