//! Files that are on the disk before they are confirmed, or are not confirmed.

use std::fs;
use std::process::Command;

use tempfile::tempdir;

use super::*;

/// A server under `strace`, which lets the calls fail that `fail` says, and writes them down in `trace`.
fn traced(dir: &Path, trace: &Path, fail: &[&str], args: &[&str]) -> Program {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=fsync,fdatasync,renameat2"]);
    command.args(fail).arg("-o").arg(trace).arg(SERVER);
    command.arg("127.0.0.1:0").arg("--dir").arg(dir).args(args);
    Program::spawn(&mut command)
}

#[test]
#[ignore = "needs strace"]
fn file_and_folder_are_synced_before_the_receipt() {
    for (args, wanted) in [
        (&[][..], "fsync renameat2 fsync "),
        (&["--no-sync"], "renameat2 "),
    ] {
        let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
        let (path, trace) = (from.path().join("name"), from.path().join("trace"));
        fs::write(&path, "content").unwrap();
        let mut server = traced(to.path(), &trace, &[], args);
        let addr = server.addr().to_string();
        Program::run(CLIENT, &[&addr, &path], b"").expect(0, SENT);
        assert!(server.ended().status.success());
        let trace = fs::read_to_string(trace).unwrap();
        let calls: String = trace
            .lines()
            .filter_map(|line| line.split_once(' ')?.1.trim().split_once('('))
            .map(|(call, _)| format!("{call} "))
            .collect();
        assert_eq!(calls, wanted, "{args:?}: {trace}");
    }
}

#[test]
#[ignore = "needs strace"]
fn failure_of_the_disk_is_reported_at_both_ends_and_nothing_stays() {
    for (which, error) in [("1", "EIO"), ("2", "EIO"), ("1", "ENOSPC"), ("2", "EDQUOT")] {
        let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
        let (path, trace) = (from.path().join("name"), from.path().join("trace"));
        fs::write(&path, "content").unwrap();
        let inject = format!("inject=fsync:error={error}:when={which}");
        let mut server = traced(to.path(), &trace, &["-e", &inject], &[]);
        let addr = server.addr().to_string();
        Program::run(CLIENT, &[&addr, &path], b"")
            .expect_one_error("the server reported: cannot write name to disk: ");
        let ended = server.ended();
        assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
        let stderr = ended.stderr;
        assert!(
            stderr.contains("error: cannot write name to disk: "),
            "{stderr}"
        );
        assert!(!String::from_utf8_lossy(&ended.stdout).contains(RECEIVED));
        assert_eq!(names(to.path()), [""; 0], "{error} at call {which}");
    }
}

#[test]
#[ignore = "needs strace"]
fn file_system_that_cannot_sync_a_folder_is_none_the_worse() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let (path, trace) = (from.path().join("name"), from.path().join("trace"));
    fs::write(&path, "content").unwrap();
    let inject = "inject=fsync:error=EINVAL:when=2";
    let mut server = traced(to.path(), &trace, &["-e", inject], &[]);
    let addr = server.addr().to_string();
    Program::run(CLIENT, &[&addr, &path], b"").expect(0, SENT);
    assert!(server.ended().status.success());
    assert_eq!(names(to.path()), ["name"]);
}
