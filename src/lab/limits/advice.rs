//! `limits --for N`: the settings for so many clients, as one block to paste.

use std::io::{self, ErrorKind};

use rustix::process::getuid;

use crate::lab::limits::{count, line, per_client};
use crate::server::futex_hash::{self, BYTES_PER_SLOT};
use crate::server::system_limits::{
    SystemLimit, available_memory, number_after, number_in, system_limits,
};
use crate::units::Unit;

/// Memory that a thread takes: what it touches of its stack, its kernel stack, and the kernel's records
/// of it; measured with 9,000 threads on Linux 6.18.
const BYTES_PER_THREAD: f64 = 37.0 * 1024.0;

/// Memory that a connection takes besides: both sockets, and what the load generator keeps of a client.
const BYTES_PER_CLIENT: f64 = 8.0 * 1024.0;

const LASTS: &str = "sysctl settings last until the next boot (to keep them: /etc/sysctl.d), ulimit as long as the shell.";

const REFUSED: &str = "Where ulimit is refused, whoever started the shell sets the limit: LimitNOFILE= in systemd, \
                       docker run --ulimit nofile=N.";

/// What to set for so many clients of a server with so many threads per client, and of the load generator
/// beside it.
///
/// # Errors
/// The kernel accepts no value that is high enough.
pub fn advice(clients: usize, threads: usize) -> io::Result<String> {
    let limits = [generator_limits(), system_limits(threads, 1)].concat();
    let as_root = getuid().is_root();
    let (block, enough) = commands(limits, clients, as_root)?;
    let wanted = format!("{} with {}", count(clients, "client"), per_client(threads));
    let mut text = String::new();
    if block.is_empty() {
        text += &line(&format!("Every limit is high enough for {wanted}."));
    } else {
        let who = if as_root { " as root" } else { "" };
        text += &line(&format!(
            "For {wanted}, paste this{who} and start server and load generator in the same shell:"
        ));
        text += &format!("\n{}\n\n{}{}", block.join("\n"), line(LASTS), line(REFUSED));
        if !enough.is_empty() {
            text += &line(&format!("High enough already: {}.", enough.join(", ")));
        }
    }
    Ok(text + &notes(clients, threads))
}

/// The commands that raise what is too low, and the names of the rest.
fn commands(
    mut limits: Vec<SystemLimit>,
    clients: usize,
    as_root: bool,
) -> io::Result<(Vec<String>, Vec<&'static str>)> {
    // The shell's limits come last: `fs.nr_open` bounds them.
    limits.sort_by_key(|limit| limit.name.starts_with("RLIMIT_"));
    let (mut block, mut enough) = (Vec::new(), Vec::new());
    for limit in limits {
        let (name, max) = (limit.name, limit.max());
        let Some(needed) = limit.needed_for(clients) else {
            let most = count(limit.clients_under(max), "client");
            let what = format!("{name} can be {max} at most, which is enough for {most}");
            return Err(io::Error::new(ErrorKind::InvalidInput, what));
        };
        if limit.value >= needed {
            enough.push(name);
        } else {
            // The next full thousand.
            let rounded = needed.checked_next_multiple_of(1000).unwrap_or(max);
            block.push(limit.command(rounded.min(max), as_root));
        }
    }
    Ok((block, enough))
}

/// What a load generator on this machine takes besides descriptors, of which it takes as many as the server.
fn generator_limits() -> Vec<SystemLimit> {
    const CONNTRACK: &str = "net.netfilter.nf_conntrack_max";
    const INT: u64 = i32::MAX as u64;
    const LONG: u64 = i64::MAX as u64;
    let files = number_in("/proc/sys/fs/file-nr");
    let tracked = number_in("/proc/sys/net/netfilter/nf_conntrack_count");
    // Without an entry the firewall tracks nothing.
    let track = tracked.map_or(0, |count| count.min(1));
    let limits = [
        // Both ends of each connection.
        SystemLimit::sysctl("fs.file-max", files, 2, LONG, LONG),
        // The highest value for `ulimit -n`.
        SystemLimit::sysctl("fs.nr_open", None, 1, INT - 1023, LONG),
        SystemLimit::sysctl(CONNTRACK, tracked, track, INT, 1_000_000),
    ];
    limits.into_iter().flatten().collect()
}

/// What matters for so many clients besides the limits: memory, ports, the futex hash.
pub fn notes(clients: usize, threads: usize) -> String {
    let all_threads = clients.saturating_mul(threads);
    let memory = all_threads as f64 * BYTES_PER_THREAD + clients as f64 * BYTES_PER_CLIENT;
    let available = available_memory();
    let mut text = line(&format!(
        "Memory: about {} for {} and a load generator; {} are available.",
        Unit::Bytes.show(memory),
        count(clients, "client"),
        available.map_or("?".to_owned(), |bytes| Unit::Bytes.show(bytes as f64)),
    ));
    let range = "/proc/sys/net/ipv4/ip_local_port_range";
    if let (Some(low), Some(high)) = (number_in(range), number_after("\t", range)) {
        let ports = (high + 1).saturating_sub(low);
        text += &line(&format!(
            "Ports: {ports} per source address, of which loadtest uses as many as it needs on loopback, and one \
             to another machine."
        ));
        if clients as u64 > ports {
            text += "More ports: sysctl -w net.ipv4.ip_local_port_range='1024 65535'\n";
        }
    }
    let slots = futex_hash::slots_for(all_threads, available);
    text + &line(&match futex_hash::slots() {
        Ok(_) => format!(
            "Futex hash: for {}, chat_server asks the kernel for {slots} slots ({}).",
            count(all_threads, "thread"),
            Unit::Bytes.show((slots * BYTES_PER_SLOT) as f64)
        ),
        Err(_) => "Futex hash: this kernel has one for the whole machine. Linux 6.16 and later have one per \
                   process, which is faster with thousands of threads."
            .to_owned(),
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// What `sysctl` and `ulimit` would leave behind: the limits with the values of the block.
    fn pasted(mut limits: Vec<SystemLimit>, block: &[String]) -> Vec<SystemLimit> {
        for command in block {
            let (name, value) = match command.strip_prefix("sysctl -w ") {
                Some(setting) => setting.split_once('=').unwrap(),
                None => ("RLIMIT_NOFILE", command.strip_prefix("ulimit -n ").unwrap()),
            };
            let limit = limits.iter_mut().find(|limit| limit.name == name).unwrap();
            limit.value = value.parse().unwrap();
        }
        limits
    }

    #[test]
    fn machine_supports_the_clients_once_the_block_is_pasted() {
        for (clients, threads) in [(1, 3), (5_000, 3), (20_000, 3), (1_000_000, 1)] {
            let limits: Vec<_> = generator_limits()
                .into_iter()
                .chain(system_limits(threads, 1))
                // These two have no value to look at afterwards.
                .filter(|limit| !["cgroup pids.max", "RLIMIT_NPROC"].contains(&limit.name))
                .collect();
            let (block, enough) = commands(limits.clone(), clients, true).unwrap();
            assert_eq!(block.len() + enough.len(), limits.len());
            let limits = pasted(limits, &block);
            assert!(
                limits.iter().all(|limit| limit.clients() >= clients),
                "{clients}: {block:?} {limits:?}"
            );
            let (block, _) = commands(limits, clients, true).unwrap();
            assert_eq!(block, Vec::<String>::new());
        }
    }

    #[test]
    fn clients_that_no_kernel_supports_are_an_error() {
        let err = commands(system_limits(10, 1), 1_000_000, true).unwrap_err();
        let expected = "kernel.pid_max can be 4194304 at most, which is enough for 39";
        assert!(err.to_string().starts_with(expected), "{err}");
    }
}
