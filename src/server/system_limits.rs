//! How many clients this machine supports, given the threads per client: the system's limits, which one is reached
//! first, and how to raise it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::system::{descriptor_limit, user_thread_limit};

/// Memory mappings per thread: its stack and its signal stack, with a guard page each.
const MAPPINGS_PER_THREAD: u64 = 4;

/// The highest value that the kernel accepts for `kernel.pid_max`.
const MAX_THREAD_IDS: u64 = 1 << 22;

/// The highest value that the kernel accepts for `kernel.threads-max`.
const MAX_THREADS: u64 = (1 << 30) - 1;

/// One limit of the system, and what it means for a server.
#[derive(Clone, Debug)]
pub struct SystemLimit {
    /// Its name in the system.
    pub name: &'static str,
    /// Its value: descriptors, threads or mappings.
    pub value: u64,
    /// How much of it is in use.
    pub in_use: u64,
    /// How much of it each client uses.
    per_client: u64,
    setting: Setting,
}

/// How a limit is set.
#[derive(Clone, Debug)]
struct Setting {
    by: SetBy,
    /// The highest value that the system accepts.
    max: u64,
    /// A value that is enough for almost any use.
    ample: u64,
    /// Upper limit of the margin that is kept free. It can be small if no other process shares the limit.
    max_margin: u64,
}

#[derive(Clone, Debug)]
enum SetBy {
    /// Options of `ulimit` and `prlimit`.
    Shell(&'static str, &'static str),
    /// `sysctl`, with the limit's name.
    Sysctl,
    /// A file, in which `max` means no limit.
    File(PathBuf),
}

impl SystemLimit {
    /// A limit that `sysctl` sets. None if the system does not have it.
    pub fn sysctl(
        name: &'static str,
        in_use: Option<u64>,
        per_client: u64,
        max: u64,
        ample: u64,
    ) -> Option<SystemLimit> {
        let path = Path::new("/proc/sys").join(name.replace('.', "/"));
        let setting = Setting {
            by: SetBy::Sysctl,
            max,
            ample,
            max_margin: u64::MAX,
        };
        limit(name, number_in(path), in_use, per_client, setting)
    }

    /// How many clients fit under it, with a margin.
    pub fn clients(&self) -> usize {
        self.clients_under(self.value)
    }

    /// How many clients would fit if it had this value.
    pub fn clients_under(&self, value: u64) -> usize {
        let taken = self.in_use.saturating_add(self.margin(value / 16));
        let free = value.saturating_sub(taken);
        usize::try_from(free / self.per_client).unwrap_or(usize::MAX)
    }

    /// The value that is needed for so many clients. None if the system does not accept it.
    pub fn needed_for(&self, clients: usize) -> Option<u64> {
        let needed = (clients as u64)
            .checked_mul(self.per_client)?
            .checked_add(self.in_use)?;
        let needed = needed.checked_add(self.margin(needed.div_ceil(15)))?;
        (needed <= self.setting.max).then_some(needed)
    }

    /// The highest value that the system accepts.
    pub fn max(&self) -> u64 {
        self.setting.max
    }

    /// The command that sets the limit to `value`, for root or with `sudo`.
    pub fn command(&self, value: u64, as_root: bool) -> String {
        let name = self.name;
        match (&self.setting.by, as_root) {
            (SetBy::Shell(option, _), true) => format!("ulimit {option} {value}"),
            (SetBy::Shell(_, option), false) => {
                format!("sudo prlimit --pid $$ {option}={value}:{value}")
            }
            (SetBy::Sysctl, true) => format!("sysctl -w {name}={value}"),
            (SetBy::Sysctl, false) => format!("sudo sysctl -w {name}={value}"),
            (SetBy::File(path), true) => format!("echo max > {}", path.display()),
            (SetBy::File(path), false) => format!("echo max | sudo tee {}", path.display()),
        }
    }

    /// The command, for root, that raises the limit far enough for almost any use, and at least doubles it. If the
    /// system does not accept a higher value, a text that says so.
    pub fn how_to_raise(&self) -> String {
        let Setting { max, ample, .. } = self.setting;
        if self.value >= max {
            return "the system accepts no higher value".to_owned();
        }
        self.command(ample.max(self.value.saturating_mul(2)).min(max), true)
    }

    /// Kept free for the rest of the machine and for the process itself: if a new thread finds no room for its signal
    /// stack, the whole process aborts.
    fn margin(&self, part: u64) -> u64 {
        part.clamp(16, self.setting.max_margin)
    }
}

/// Lists the limits of this machine for a server with so many `threads` and `descriptors` per client. The limit that
/// is reached first comes first. Limits that the system does not report are omitted.
pub fn system_limits(threads: usize, descriptors: usize) -> Vec<SystemLimit> {
    let (threads, descriptors) = (threads as u64, descriptors as u64);
    let machine_threads = number_after("/", "/proc/loadavg");
    let mut limits: Vec<SystemLimit> = [
        limit(
            "RLIMIT_NOFILE",
            descriptor_limit(),
            count_in("/proc/self/fd"),
            descriptors,
            shell("-n", "--nofile", 64),
        ),
        limit(
            "RLIMIT_NPROC",
            user_thread_limit(),
            // An upper bound: the system reports no count per user.
            machine_threads,
            threads,
            shell("-u", "--nproc", u64::MAX),
        ),
        SystemLimit::sysctl(
            "kernel.pid_max",
            machine_threads,
            threads,
            MAX_THREAD_IDS,
            MAX_THREAD_IDS,
        ),
        SystemLimit::sysctl(
            "kernel.threads-max",
            machine_threads,
            threads,
            MAX_THREADS,
            1_000_000,
        ),
        SystemLimit::sysctl(
            "vm.max_map_count",
            lines_of("/proc/self/maps"),
            threads.saturating_mul(MAPPINGS_PER_THREAD),
            i32::MAX as u64,
            2_000_000,
        ),
        cgroup_of_pids().and_then(|cgroup| {
            let max = cgroup.join("pids.max");
            limit(
                "cgroup pids.max",
                number_in(&max),
                number_in(cgroup.join("pids.current")),
                threads,
                Setting {
                    by: SetBy::File(max),
                    max: u64::MAX,
                    ample: u64::MAX,
                    max_margin: u64::MAX,
                },
            )
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    limits.sort_by_key(SystemLimit::clients);
    limits
}

/// None if there is no limit, or a client uses nothing of it.
fn limit(
    name: &'static str,
    value: Option<u64>,
    in_use: Option<u64>,
    per_client: u64,
    setting: Setting,
) -> Option<SystemLimit> {
    (per_client > 0).then_some(SystemLimit {
        name,
        value: value?,
        in_use: in_use.unwrap_or(0),
        per_client,
        setting,
    })
}

fn shell(option: &'static str, long: &'static str, max_margin: u64) -> Setting {
    Setting {
        by: SetBy::Shell(option, long),
        max: u64::MAX,
        ample: 1_000_000,
        max_margin,
    }
}

/// Bytes of memory that are available without swapping.
pub fn available_memory() -> Option<u64> {
    Some(number_after("MemAvailable:", "/proc/meminfo")? * 1024)
}

/// Reads the number after a mark in a file. None if there is a word, such as `max`.
pub fn number_after(mark: &str, path: impl AsRef<Path>) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let (_, rest) = text.split_once(mark)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Reads the number at the start of a file.
pub fn number_in(path: impl AsRef<Path>) -> Option<u64> {
    number_after("", path)
}

/// The number of entries in a directory.
fn count_in(directory: &str) -> Option<u64> {
    Some(fs::read_dir(directory).ok()?.count() as u64)
}

/// The number of lines of a file.
pub fn lines_of(path: &str) -> Option<u64> {
    let text = fs::read(path).ok()?;
    Some(text.iter().filter(|&&byte| byte == b'\n').count() as u64)
}

/// The directory of the cgroup (version 1 or 2) that leaves this process the fewest threads: its own cgroup, or one
/// of its parents.
fn cgroup_of_pids() -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?.trim_start_matches('/'));
        match controllers {
            "" => Some(Path::new("/sys/fs/cgroup").join(path)),
            _ if controllers.split(',').any(|name| name == "pids") => {
                Some(Path::new("/sys/fs/cgroup/pids").join(path))
            }
            _ => None,
        }
    });
    let around: Vec<PathBuf> = own
        .flat_map(|own| own.ancestors().map(Path::to_path_buf).collect::<Vec<_>>())
        .collect();
    let free = |directory: &PathBuf| {
        let max = number_in(directory.join("pids.max"))?;
        Some(max.saturating_sub(number_in(directory.join("pids.current")).unwrap_or(0)))
    };
    around
        .into_iter()
        .filter_map(|directory| Some((free(&directory)?, directory)))
        .min()
        .map(|(_, directory)| directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limit of threads, of which each client uses three.
    fn threads(value: u64, in_use: u64) -> SystemLimit {
        limit(
            "threads",
            Some(value),
            Some(in_use),
            3,
            shell("-u", "--nproc", u64::MAX),
        )
        .unwrap()
    }

    /// A limit of descriptors, of which each client uses one.
    fn descriptors(value: u64, in_use: u64) -> SystemLimit {
        limit(
            "descriptors",
            Some(value),
            Some(in_use),
            1,
            shell("-n", "--nofile", 64),
        )
        .unwrap()
    }

    #[test]
    fn limit_leaves_a_margin() {
        assert_eq!(threads(32_768, 120).clients(), (32_768 - 120 - 2_048) / 3);
        assert_eq!(descriptors(20_000, 10).clients(), 20_000 - 10 - 64);
        assert_eq!(descriptors(200, 10).clients(), 200 - 10 - 16);
    }

    #[test]
    fn used_up_limit_allows_no_client() {
        assert_eq!(descriptors(20, 19).clients(), 0);
        assert_eq!(threads(u64::MAX, u64::MAX).clients(), 0);
    }

    #[test]
    fn missing_or_unused_limit_is_omitted() {
        let setting = || shell("-n", "--nofile", 64);
        assert!(limit("none", None, Some(1), 1, setting()).is_none());
        assert!(limit("nothing", Some(100), Some(1), 0, setting()).is_none());
    }

    #[test]
    fn needed_value_is_enough_and_hardly_more() {
        for clients in [1, 2, 7, 100, 5_000, 20_000, 1_000_000] {
            for in_use in [0, 1, 9, 250, 60_000] {
                for limit in [threads(0, in_use), descriptors(0, in_use)] {
                    let value = limit.needed_for(clients).unwrap();
                    let fit = SystemLimit { value, ..limit }.clients();
                    let spare = 1 + clients / 1_000;
                    assert!(
                        (clients..=clients + spare).contains(&fit),
                        "{clients} clients, {in_use} in use: {value} is for {fit}"
                    );
                }
            }
        }
    }

    #[test]
    fn value_that_the_system_does_not_accept_is_not_suggested() {
        let mut limit = threads(32_768, 100);
        limit.setting.max = MAX_THREAD_IDS;
        assert!(limit.needed_for(1_300_000).is_some());
        assert_eq!(limit.needed_for(1_400_000), None);
        assert_eq!(limit.needed_for(usize::MAX), None);
    }

    #[test]
    fn command_that_raises_a_limit_never_lowers_it() {
        let command = |value| descriptors(value, 10).how_to_raise();
        assert_eq!(command(1_024), "ulimit -n 1000000");
        assert_eq!(command(1 << 20), "ulimit -n 2097152");
        let mut threads = threads(4_000_000, 100);
        threads.setting.max = MAX_THREAD_IDS;
        assert_eq!(threads.how_to_raise(), "ulimit -u 4194304");
        threads.value = MAX_THREAD_IDS;
        assert_eq!(threads.how_to_raise(), "the system accepts no higher value");
    }

    #[test]
    fn commands_are_for_root_or_with_sudo() {
        let limit = descriptors(1_024, 10);
        assert_eq!(limit.command(2_000, true), "ulimit -n 2000");
        let command = limit.command(2_000, false);
        assert_eq!(command, "sudo prlimit --pid $$ --nofile=2000:2000");
    }

    #[test]
    fn largest_numbers_allow_no_client() {
        let limits = system_limits(usize::MAX, usize::MAX);
        assert!(
            limits.iter().all(|limit| limit.clients() == 0),
            "{limits:?}"
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_limits_are_listed_lowest_first() {
        let limits = system_limits(3, 1);
        let names: Vec<_> = limits.iter().map(|limit| limit.name).collect();
        for name in [
            "RLIMIT_NOFILE",
            "kernel.pid_max",
            "kernel.threads-max",
            "vm.max_map_count",
        ] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
        assert!(limits.is_sorted_by_key(SystemLimit::clients), "{limits:?}");
        assert!(limits.iter().all(|limit| limit.in_use > 0), "{limits:?}");
        assert!(available_memory().unwrap() > 1 << 20);
    }
}
