//! How many clients this machine can carry when each takes threads: the ceilings that the kernel
//! sets, and which comes first.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Memory mappings that one thread takes: its stack and its signal stack, with a guard each.
const MAPPINGS_PER_THREAD: u64 = 4;

/// One limit of the kernel, and what it means for a server.
#[derive(Clone, Debug)]
pub struct Ceiling {
    /// The name by which the kernel calls it.
    pub name: &'static str,
    /// The limit itself: descriptors, threads or mappings.
    pub limit: u64,
    /// How much of it is taken already.
    pub in_use: u64,
    /// How many clients fit under it, less a margin.
    pub clients: usize,
    /// The command that raises it.
    pub remedy: String,
}

/// Raises the soft limit on open descriptors to the hard one, as the Go runtime does at start.
///
/// # Errors
/// The system refuses.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current, maximum })?)
}

/// Lists the ceilings of this machine for a server that spends so many `threads` and `descriptors` on
/// a client, the lowest first. What the system does not tell is left out.
pub fn ceilings(threads: usize, descriptors: usize) -> Vec<Ceiling> {
    let (threads, descriptors) = (threads as u64, descriptors as u64);
    let machine_threads = threads_of_the_machine();
    let cgroup = cgroup_of_pids();
    let mut ceilings: Vec<Ceiling> = [
        ceiling(
            "RLIMIT_NOFILE",
            getrlimit(Resource::Nofile).current,
            count_of("/proc/self/fd"),
            descriptors,
            "ulimit -n 1000000",
        ),
        ceiling(
            "kernel.pid_max",
            number_in("/proc/sys/kernel/pid_max"),
            machine_threads,
            threads,
            "sysctl -w kernel.pid_max=4194304",
        ),
        ceiling(
            "kernel.threads-max",
            number_in("/proc/sys/kernel/threads-max"),
            machine_threads,
            threads,
            "sysctl -w kernel.threads-max=1000000",
        ),
        ceiling(
            "vm.max_map_count",
            number_in("/proc/sys/vm/max_map_count"),
            lines_of("/proc/self/maps"),
            threads.saturating_mul(MAPPINGS_PER_THREAD),
            "sysctl -w vm.max_map_count=2000000",
        ),
        cgroup.and_then(|cgroup| {
            ceiling(
                "cgroup pids.max",
                number_in(cgroup.join("pids.max")),
                number_in(cgroup.join("pids.current")),
                threads,
                &format!("echo max > {}", cgroup.join("pids.max").display()),
            )
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    ceilings.sort_by_key(|ceiling| ceiling.clients);
    ceilings
}

/// Works out one ceiling for a client that takes `per_client` of it. None where there is no limit, or
/// a client takes nothing of it.
fn ceiling(
    name: &'static str,
    limit: Option<u64>,
    in_use: Option<u64>,
    per_client: u64,
    remedy: &str,
) -> Option<Ceiling> {
    let limit = limit?;
    let in_use = in_use.unwrap_or(0);
    // The margin is for the rest of the machine, and for what the process itself takes on the way:
    // a thread that starts without room for its signal stack aborts the whole process.
    let margin = (limit / 16).max(16);
    let free = limit.saturating_sub(in_use.saturating_add(margin));
    Some(Ceiling {
        name,
        limit,
        in_use,
        clients: usize::try_from(free.checked_div(per_client)?).unwrap_or(usize::MAX),
        remedy: remedy.to_owned(),
    })
}

/// Reads a file that holds one number; one that holds another word, such as `max`, sets no limit.
fn number_in(path: impl AsRef<Path>) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn count_of(folder: &str) -> Option<u64> {
    Some(fs::read_dir(folder).ok()?.count() as u64)
}

fn lines_of(path: &str) -> Option<u64> {
    let text = fs::read(path).ok()?;
    Some(text.iter().filter(|&&byte| byte == b'\n').count() as u64)
}

/// Threads on the whole machine: the number behind the slash in `/proc/loadavg`.
fn threads_of_the_machine() -> Option<u64> {
    let loadavg = fs::read_to_string("/proc/loadavg").ok()?;
    loadavg
        .split_whitespace()
        .nth(3)?
        .split_once('/')?
        .1
        .parse()
        .ok()
}

/// The folder of the control group that allows this process the fewest more threads, in either version
/// of cgroups: its own, or one of those around it.
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
    let free = |folder: &PathBuf| {
        let limit = number_in(folder.join("pids.max"))?;
        Some(limit.saturating_sub(number_in(folder.join("pids.current")).unwrap_or(0)))
    };
    around
        .into_iter()
        .filter_map(|folder| Some((free(&folder)?, folder)))
        .min()
        .map(|(_, folder)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceiling_leaves_a_margin() {
        let ceiling = ceiling("pid_max", Some(32_768), Some(120), 3, "").unwrap();
        assert_eq!(ceiling.clients, (32_768 - 120 - 2_048) / 3);
    }

    #[test]
    fn a_ceiling_that_is_met_allows_nobody() {
        let ceiling = ceiling("fd", Some(20), Some(19), 1, "").unwrap();
        assert_eq!(ceiling.clients, 0);
    }

    #[test]
    fn no_limit_is_no_ceiling() {
        assert!(ceiling("pids.max", None, Some(1), 1, "").is_none());
        assert!(ceiling("pids.max", Some(100), Some(1), 0, "").is_none());
    }

    #[test]
    fn the_largest_numbers_allow_nobody() {
        let (most, all) = (Some(u64::MAX), usize::MAX);
        let ceiling = ceiling("pid_max", most, most, u64::MAX, "").unwrap();
        assert_eq!(ceiling.clients, 0);
        assert!(
            ceilings(all, all)
                .iter()
                .all(|ceiling| ceiling.clients == 0)
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_tells_its_ceilings_lowest_first() {
        let found = ceilings(3, 1);
        let names: Vec<_> = found.iter().map(|ceiling| ceiling.name).collect();
        for name in [
            "RLIMIT_NOFILE",
            "kernel.pid_max",
            "kernel.threads-max",
            "vm.max_map_count",
        ] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
        assert!(
            found.is_sorted_by_key(|ceiling| ceiling.clients),
            "{found:?}"
        );
        assert!(found.iter().all(|ceiling| ceiling.in_use > 0), "{found:?}");
    }
}
