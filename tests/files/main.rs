//! The file programs, over real sockets.

#[path = "../common/mod.rs"]
mod common;

mod command_line;
mod deaths;
mod disk;
mod hostile;
mod limits;
mod transfers;
#[cfg(windows)]
mod windows;

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use common::program::Program;
use common::wait::{DEADLINE, wait_until};

const SERVER: &str = env!("CARGO_BIN_EXE_file_server");
const CLIENT: &str = env!("CARGO_BIN_EXE_file_client");
const STAT: &str = env!("CARGO_BIN_EXE_file_stat");

/// What the programs print when a file has been sent, and received.
const SENT: &str = "文件发送完毕\n";
const RECEIVED: &str = "文件接收完毕\n";
const PROMPT: &str = "请输入需要传输的文件：\n";

/// Starts a server that receives into `dir`.
fn server(dir: &Path, args: &[&str]) -> Program {
    let mut command = Command::new(SERVER);
    Program::spawn(command.arg("127.0.0.1:0").arg("--dir").arg(dir).args(args))
}

/// Connects to a server; the test is the sender.
fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Connects, sends the name and takes the `ok`.
#[track_caller]
fn begin(addr: SocketAddr, name: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = connect(addr);
    stream.write_all(name.as_ref()).unwrap();
    let mut ok = [0; 2];
    stream.read_exact(&mut ok).unwrap();
    assert_eq!(&ok, b"ok");
    stream
}

/// Accepts a client, up to the `ok`; the test is the server.
fn accept(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let n = stream.read(&mut [0; 1024]).unwrap();
    assert!(n > 0, "the client has sent no name");
    stream.write_all(b"ok").unwrap();
    stream
}

/// Reads the rest of the stream, as text.
#[track_caller]
fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    if let Err(err) = stream.read_to_end(&mut rest) {
        panic!("{err} after {:?}", String::from_utf8_lossy(&rest));
    }
    String::from_utf8(rest).unwrap()
}

/// The names in a folder, in order.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Waits until the names in a folder are as they should be.
#[track_caller]
fn until_names(what: &str, dir: &Path, holds: impl Fn(&[String]) -> bool) {
    wait_until(
        what,
        || holds(&names(dir)),
        || format!("there are {:?}", names(dir)),
    );
}

/// Waits until a file has begun to arrive in `dir`.
#[track_caller]
fn until_some_has_come(dir: &Path) {
    let has_come = || {
        let mut entries = fs::read_dir(dir).unwrap();
        entries.any(|entry| {
            entry.is_ok_and(|entry| {
                entry.file_name().to_string_lossy().ends_with(".part")
                    && entry.metadata().is_ok_and(|meta| meta.len() > 0)
            })
        })
    };
    wait_until("the first bytes have arrived", has_come, || {
        format!("there are {:?}", names(dir))
    });
}

/// The name that these bytes are, if they can be one on this system.
#[cfg(unix)]
fn os_name(bytes: &[u8]) -> Option<OsString> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    Some(OsStr::from_bytes(bytes).to_owned())
}

/// The name that these bytes are, if they can be one on this system.
#[cfg(windows)]
fn os_name(bytes: &[u8]) -> Option<OsString> {
    Some(str::from_utf8(bytes).ok()?.into())
}

/// Makes a link to something that is not there. Where that takes a privilege, a file will do.
fn dangling_link(path: &Path) {
    #[cfg(unix)]
    std::os::unix::fs::symlink("nothing", path).unwrap();
    #[cfg(windows)]
    fs::write(path, "").unwrap();
}

/// Makes a named pipe, to hold a client in the middle of its file, and opens the end that feeds it.
#[cfg(unix)]
fn pipe(path: &Path) -> fs::File {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    // Opened for reading and writing, so that opening does not wait for the client.
    fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap()
}

/// Makes a file that is larger than any socket buffer.
fn long_file(path: &Path) {
    fs::File::create(path).unwrap().set_len(64 << 20).unwrap();
}
