//! The pager on a terminal.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::common::wait::wait_until;
use crate::{COURSE, sidebyside, stderr};

/// Starts `sidebyside` with a terminal as its standard output, and returns the terminal's other end.
fn on_terminal(pager: &str, dir: &tempfile::TempDir) -> (Child, impl AsFd) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).expect("it can be granted");
    unlockpt(&terminal).expect("it can be unlocked");
    let name = ptsname(&terminal, Vec::new()).expect("it has a name");
    let side = File::options()
        .write(true)
        .open(name.to_str().expect("its name is UTF-8"))
        .expect("it can be opened");
    let child = sidebyside(&[COURSE, "tcp_client"])
        .env("PAGER", pager)
        .current_dir(dir)
        .stdout(side)
        .stderr(Stdio::piped())
        .spawn()
        .expect("sidebyside starts");
    (child, terminal)
}

#[test]
fn ctrl_c_goes_to_the_pager() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let has = |name: &str| dir.path().join(name).exists();
        let pager = "cat >shown; until [ -e enough ]; do sleep 0.01; done; touch end";
        let (mut child, _terminal) = on_terminal(pager, &dir);
        wait_until("the pager reads all", || has("shown"), String::new);
        let pid = Pid::from_child(&child);
        kill_process(pid, signal).expect("it runs");
        // A second one, as somebody does who sees nothing happen. Were it deadly, it would be so by
        // the time that the pager has ended.
        kill_process(pid, signal).expect("it still runs");
        fs::write(dir.path().join("enough"), "").expect("a file for the test");
        let status = child.wait().expect("it ends");
        assert!(status.success(), "{signal:?}: {status}");
        assert!(has("end"), "{signal:?}: it did not wait for the pager");
        let shown = fs::read_to_string(dir.path().join("shown")).expect("it was written");
        assert!(shown.contains("lines matched"), "{shown}");
    }
}

#[test]
fn a_pager_that_cannot_run_is_an_error() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let (child, _terminal) = on_terminal("exec ./no-such-pager 2>/dev/null", &dir);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1), "{output:#?}");
    assert!(stderr(&output).contains("error: the pager exec ./no-such-pager"));
}
