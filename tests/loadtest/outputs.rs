//! The files that a run writes: each by itself, whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use threadline::lab::results::record::Record;

use crate::common::program::text;
use crate::common::wait::wait_until;
use crate::{LOADTEST, free_addr, run, start};

/// A short run with these options, in this folder.
fn quick(folder: &Path, options: &[&OsStr]) -> Output {
    let mut command = Command::new(LOADTEST);
    command.args(["echo", "-c", "1", "-d", "100ms", "--rounds", "1"]);
    command.args(options).current_dir(folder);
    command.output().unwrap()
}

fn words<'a>(words: &'a [&str]) -> Vec<&'a OsStr> {
    words.iter().map(OsStr::new).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[track_caller]
fn assert_is_record(text: &[u8]) {
    let record: Record = serde_json::from_slice(text).expect("one record and nothing else");
    assert_eq!(record.points.len(), 1, "{record:?}");
}

#[test]
fn old_results_stay_until_there_are_new_ones() {
    let folder = TempDir::new().unwrap();
    let old = "old and longer than what replaces it\n".repeat(10_000);
    let files = ["run.json", "run.html"].map(|name| folder.path().join(name));
    let [json, html] = files.each_ref().map(|path| {
        fs::write(path, &old).unwrap();
        path.to_str().unwrap()
    });
    let line = format!("-c 1 -d 100ms --rounds 1 --json {json} --html {html}");

    let addr = free_addr();
    run(&format!("echo --addr {addr} {line}"), &[]).expect_one_error("nobody answers at --addr");
    for path in &files {
        assert!(fs::read_to_string(path).unwrap() == old, "{path:?} is gone");
    }

    let ended = run(&format!("echo {line}"), &[]);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let json = fs::read_to_string(json).unwrap();
    serde_json::from_str::<Record>(&json).expect("nothing of the old one is left");
    let html = fs::read_to_string(html).unwrap();
    assert!(html.trim_end().ends_with("</html>"), "the old one is left");
}

#[test]
fn results_can_go_into_a_pipe() {
    let ended = run(
        "echo -c 1 -d 100ms --rounds 1 --json /dev/stdout --html /dev/stderr",
        &[],
    );
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let out = text(&ended.stdout);
    let json = out.lines().next().unwrap_or_default();
    serde_json::from_str::<Record>(json).expect(&out);
    assert!(ended.stderr.contains("</html>"), "{}", ended.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_fails_takes_no_other_with_it() {
    let folder = TempDir::new().unwrap();
    for bad in ["--json", "--html"] {
        let good = if bad == "--json" { "--html" } else { "--json" };
        let ended = quick(
            folder.path(),
            &words(&[bad, "/dev/full", good, "good", "--svg", "charts"]),
        );
        let stderr = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{stderr}");
        let expected = format!("error: cannot write {bad} /dev/full: No space left on device");
        assert!(stderr.contains(&expected), "{stderr}");
        assert!(text(&ended.stdout).contains("deliveries/s"), "no table");
        assert_eq!(names(folder.path()), ["charts", "good"]);
        assert!(fs::metadata(folder.path().join("good")).unwrap().len() > 1000);
        let charts = names(&folder.path().join("charts"));
        assert!(
            charts.contains(&"echo-deliveries.svg".to_owned()),
            "{charts:?}"
        );
        fs::remove_file(folder.path().join("good")).unwrap();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn every_output_that_fails_is_reported() {
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("charts/echo-deliveries.svg")).unwrap();
    let options = [
        "--json",
        "/dev/full",
        "--html",
        "/dev/full",
        "--svg",
        "charts",
    ];
    let ended = quick(folder.path(), &words(&options));
    assert_eq!(ended.status.code(), Some(1));
    let stderr = text(&ended.stderr);
    for what in [
        "--json /dev/full",
        "--html /dev/full",
        "--svg charts/echo-deliveries.svg",
    ] {
        assert!(
            stderr.contains(&format!("error: cannot write {what}: ")),
            "{stderr}"
        );
    }
    assert!(text(&ended.stdout).contains("deliveries/s"), "no table");
    assert!(
        names(&folder.path().join("charts")).len() > 3,
        "the other charts"
    );
}

#[test]
fn file_is_replaced_by_renaming_with_its_mode_and_behind_its_link() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("old.json"), "old").unwrap();
    fs::set_permissions(at("old.json"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::hard_link(at("old.json"), at("kept")).unwrap();
    symlink("old.json", at("link")).unwrap();
    symlink("new.html", at("dangling")).unwrap();
    let ended = quick(
        folder.path(),
        &words(&["--json", "link", "--html", "dangling"]),
    );
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    assert_eq!(
        names(folder.path()),
        ["dangling", "kept", "link", "new.html", "old.json"]
    );
    assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
    assert!(fs::symlink_metadata(at("dangling")).unwrap().is_symlink());
    assert_is_record(&fs::read(at("old.json")).unwrap());
    assert_eq!(fs::metadata(at("old.json")).unwrap().mode() & 0o777, 0o640);
    assert_eq!(fs::read(at("kept")).unwrap(), b"old", "it was written over");
}

#[test]
fn dash_is_standard_output_and_tables_go_to_standard_error() {
    let folder = TempDir::new().unwrap();
    let ended = quick(folder.path(), &words(&["--json", "-"]));
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    assert_is_record(&ended.stdout);
    assert!(text(&ended.stderr).contains("deliveries/s"), "no table");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn only_one_output_can_be_standard_output() {
    let folder = TempDir::new().unwrap();
    for options in [&["--json", "-", "--html", "-"][..], &["--svg", "-"]] {
        let ended = quick(folder.path(), &words(options));
        assert_eq!(ended.status.code(), Some(2), "{}", text(&ended.stderr));
        assert!(text(&ended.stderr).contains("standard output"));
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

#[test]
fn standard_output_by_its_name_is_not_overwritten_by_the_tables() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("out");
    let file = File::create(&path).unwrap();
    let ended = Command::new(LOADTEST)
        .args("echo -c 1 -d 100ms --rounds 1 --json /dev/stdout".split(' '))
        .stdout(file)
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    let out = fs::read_to_string(&path).unwrap();
    let (json, tables) = out.split_once('\n').unwrap();
    assert_is_record(json.as_bytes());
    assert!(tables.contains("deliveries/s"), "{tables}");
}

#[test]
fn named_pipe_is_written_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let reader = std::thread::spawn({
        let path = path.clone();
        move || fs::read(path).unwrap()
    });
    let ended = quick(folder.path(), &words(&["--json", "pipe"]));
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    assert_is_record(&reader.join().unwrap());
    assert_eq!(names(folder.path()), ["pipe"]);
}

/// A file may not grow beyond so many blocks of 512 bytes, as on a full disk.
#[test]
#[cfg(target_os = "linux")]
fn old_file_stays_whole_if_the_new_one_does_not_fit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.html");
    fs::write(&path, "old").unwrap();
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$@\"";
    let ended = Command::new("sh")
        .args(["-c", script, "sh", LOADTEST])
        .args("echo -c 1 -d 100ms --rounds 1 --html run.html".split(' '))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let stderr = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("error: cannot write --html run.html: "),
        "{stderr}"
    );
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(
        names(folder.path()),
        ["run.html"],
        "nothing is left beside it"
    );
}

#[test]
fn path_that_cannot_be_written_is_an_error_before_the_run() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    for path in ["folder", "new/", "missing/run.json"] {
        let ended = quick(folder.path(), &words(&["--json", path]));
        assert_eq!(ended.status.code(), Some(1), "{path}");
        assert_eq!(text(&ended.stdout), "", "it ran: {path}");
        let expected = format!("error: cannot write --json {path}: ");
        assert!(
            text(&ended.stderr).starts_with(&expected),
            "{}",
            text(&ended.stderr)
        );
    }
    assert_eq!(names(folder.path()), ["folder"]);
}

#[test]
fn two_outputs_cannot_be_one_file() {
    let folder = TempDir::new().unwrap();
    symlink("run", folder.path().join("link")).unwrap();
    for other in ["run", "./run", "link"] {
        let ended = quick(folder.path(), &words(&["--json", "run", "--html", other]));
        assert_eq!(ended.status.code(), Some(1), "{other}");
        assert_eq!(text(&ended.stdout), "", "it ran: {other}");
        let expected =
            format!("error: cannot write --html {other}: it is the file of --json run\n");
        assert_eq!(text(&ended.stderr), expected);
    }
    // A device takes what it gets.
    let both = ["--json", "/dev/null", "--html", "/dev/null"];
    assert!(quick(folder.path(), &words(&both)).status.success());
}

#[test]
fn ctrl_c_ends_the_waiting_for_the_reader_of_a_pipe() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let mut loadtest = start("echo -c 1 -d 100ms --json", &[path.to_str().unwrap()]);
    // It may be pressed before it is caught.
    let caught = || {
        let status = fs::read_to_string(format!("/proc/{}/status", loadtest.id()));
        let status = status.unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        mask.is_none_or(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 2 != 0))
    };
    wait_until("Ctrl-C is caught", caught, || loadtest.seen());
    loadtest.signal("INT");
    let ended = loadtest.ended();
    assert_eq!(ended.status.code(), Some(130), "{}", ended.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn paths_need_not_be_unicode() {
    let folder = TempDir::new().unwrap();
    use std::os::unix::ffi::OsStrExt;
    let name = OsStr::from_bytes(b"caf\xe9.html");
    let ended = quick(
        folder.path(),
        &[
            OsStr::new("--html"),
            name,
            OsStr::new("--json"),
            OsStr::from_bytes(b"\xff"),
            OsStr::new("--svg"),
            OsStr::from_bytes(b"\xfe/\xfe"),
        ],
    );
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    let page = fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(
        page.contains("caf\u{fffd}.html"),
        "the command line is on the page"
    );
}
