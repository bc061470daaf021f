//! The load generator itself: its memory, its limits, and what it does before it measures.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use threadline::lab::results::record::Record;

use crate::common::program::Program;
use crate::{CHAT_SERVER, LOADTEST, assert_sound, measure, mock, start};

/// The most memory that a process has had, in bytes.
fn peak(loadtest: &Program) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", loadtest.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_bounded_whatever_the_rate() {
    for line in [
        "chat --rate 1e6 --size 4096 -c 10",
        "chat --rate 1e7 --size 14 -c 2",
        "echo --rate 1e7 --size 4096 -c 10",
        "churn --rate 1e7 -c 10",
    ] {
        let loadtest = start(&format!("{line} -d 1s --rounds 1"), &[]);
        let mut most = 0;
        // A round that is late by all that was due ends in 12 seconds of a machine with nothing else to
        // do.
        let start = Instant::now();
        while loadtest.status().is_none() && start.elapsed() < Duration::from_secs(300) {
            most = most.max(peak(&loadtest).unwrap_or(0));
            thread::sleep(Duration::from_millis(10));
        }
        assert!(loadtest.status().is_some(), "{}", loadtest.seen());
        assert!(most > 1 << 20, "{line}: {most} bytes");
        assert!(most < 100 << 20, "{line}: {most} bytes");
    }
}

/// Runs it in a shell after these commands and returns its record.
#[track_caller]
fn measure_after(commands: &str, shell: &[&str], line: &str) -> Record {
    let folder = TempDir::new().unwrap();
    let json = folder.path().join("run.json");
    let script = format!(
        "{commands} && exec {LOADTEST} {line} --json {}",
        json.display()
    );
    let (program, args) = shell.split_first().unwrap();
    let output = Command::new(program)
        .args(args)
        .arg(script)
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
    serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap()
}

#[test]
fn without_descriptors_the_run_goes_on_with_fewer_clients() {
    let chat_server = Program::start(CHAT_SERVER, &[&"127.0.0.1:0"]);
    let visited = format!("churn --rate max --addr {}", chat_server.addr());
    for (scenario, limit) in [
        ("chat", 100),
        ("echo", 100),
        ("idle", 100),
        // Fewer visitors at a time: they all come at once, and the first is to get its message within two
        // seconds of a busy machine.
        ("churn --rate max", 60),
        (&visited, 60),
    ] {
        let line = format!("{scenario} -c 300 -d 300ms --rounds 1 --start-timeout 60s");
        let record = measure_after(&format!("ulimit -n {limit}"), &["sh", "-c"], &line);
        let round = &record.points[0].rounds[0];
        // Our own server has as few descriptors. Those of visitors that left are free a moment later,
        // so it may refuse the next ones, and then it depends on the machine how many meet in it.
        let may_refuse = scenario == "churn --rate max";
        let least = if may_refuse { 1 } else { limit - 50 };
        assert!(
            (least..limit).contains(&round.connected),
            "{line}: {round:?}"
        );
        assert!(round.lost == 0 || may_refuse, "{line}: {round:?}");
        // Looking at the server needs descriptors as well.
        assert!(round.server.is_some(), "{line}: {round:?}");
        let warnings = record.warnings.join("\n");
        assert!(warnings.contains("the load generator itself"), "{warnings}");
        assert!(warnings.contains("ulimit -n"), "{warnings}");
        assert!(!warnings.contains("said"), "{warnings}");
    }
    chat_server.stop();
}

#[test]
#[ignore = "needs a user namespace"]
fn without_ports_the_next_source_address_is_used() {
    let few = "ip link set lo up && echo 40000 40099 > /proc/sys/net/ipv4/ip_local_port_range";
    let shell = ["unshare", "--map-root-user", "--net", "sh", "-c"];
    for line in [
        "chat -c 300 -d 300ms --rounds 1",
        "echo -c 300 -d 300ms --rounds 1",
        // Connections that were closed hold their ports for a minute.
        "churn -c 20 -d 1s --rate 300 --rounds 1",
    ] {
        let record = measure_after(few, &shell, line);
        assert_sound(&record);
    }
}

#[test]
fn nothing_of_the_warm_up_is_in_any_figure() {
    for (line, script, each) in [
        (
            "chat -c 3 --senders 1 --rate 200",
            "chat drop@2 double@4 damage@6",
            3,
        ),
        ("chat -c 3 --senders 1", "chat drop@2 double@4 damage@6", 3),
        ("echo -c 3 --rate 200", "echo damage@6", 1),
        ("churn -c 3 --rate 200", "chat damage@6 close@8", 1),
    ] {
        let (addr, mock) = mock::start(script);
        let line = format!("{line} -d 500ms --warm-up 500ms --rounds 1 --addr {addr}");
        let (record, _) = measure(&line, &[]);
        assert_eq!(record.warm_up, 0.5);
        let round = &record.points[0].rounds[0];
        let faults = [
            round.lost,
            round.duplicated,
            round.out_of_order,
            round.damaged,
        ];
        assert_eq!(faults, [0; 4], "{line}: {round:?}");
        assert_eq!(round.dropped, 0, "{line}: {round:?}");
        assert_eq!(round.deliveries, round.messages * each, "{line}: {round:?}");
        if record.rate.is_some() {
            assert_eq!(round.messages, 100, "{line}: {round:?}");
            assert_eq!(mock.messages(), 200, "{line}");
        }
        let steps = round.timeline.deliveries.len() as f64;
        assert!(steps * round.timeline.step >= 0.5, "{line}: {round:?}");
    }
}
