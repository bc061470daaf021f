//! How many clients a server accepts: the options, and what this machine supports.

use log::{debug, warn};

use crate::server::system_limits::{available_memory, system_limits};

/// Connection limits, as command-line options.
#[derive(Clone, Debug, clap::Args)]
pub struct Limits {
    /// Maximum number of connected clients: a number, or `auto` for what this machine supports
    #[arg(long, value_name = "N|auto", default_value = "auto", value_parser = parse_max_clients)]
    pub max_clients: MaxClients,

    /// Maximum number of clients from one IP address [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_per_ip: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_clients: MaxClients::Auto,
            max_per_ip: None,
        }
    }
}

/// The value of `--max-clients`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxClients {
    /// What the lowest limit of this machine allows.
    Auto,
    /// This many.
    Fixed(usize),
}

fn parse_max_clients(text: &str) -> Result<MaxClients, String> {
    match (text, text.parse()) {
        ("auto", _) => Ok(MaxClients::Auto),
        (_, Ok(n @ 1..)) => Ok(MaxClients::Fixed(n)),
        _ => Err("expected a number greater than zero, or auto".to_owned()),
    }
}

/// The client limit, and the reason for it, which is logged once when nine tenths of the limit are in use.
#[derive(Debug)]
pub(crate) struct ClientLimit {
    pub(crate) number: usize,
    pub(crate) reason: Option<String>,
}

impl ClientLimit {
    /// The limit for a server that needs so many threads, descriptors and bytes of memory per client.
    pub(crate) fn new(
        wanted: MaxClients,
        threads: usize,
        descriptors: usize,
        memory: usize,
    ) -> ClientLimit {
        let lowest = system_limits(threads, descriptors).into_iter().next();
        let lowest = lowest.map(|lowest| {
            let (name, value, command) = (lowest.name, lowest.value, lowest.how_to_raise());
            let reason = format!("{name} is {value}; to raise it: {command}");
            (lowest.clients(), reason)
        });
        let under_memory = available_memory().and_then(|bytes| memory_limit(bytes, memory as u64));
        let lowest = lowest.into_iter().chain(under_memory).min();
        let supported = lowest.as_ref().map_or(usize::MAX, |lowest| lowest.0.max(1));
        let reason = lowest.map(|(_, reason)| reason);
        match wanted {
            MaxClients::Auto => {
                if let Some(reason) = &reason {
                    debug!("at most {supported} clients: {reason}");
                }
                ClientLimit {
                    number: supported,
                    reason,
                }
            }
            MaxClients::Fixed(number) => {
                if let (Some(reason), true) = (reason, number > supported) {
                    warn!(
                        "--max-clients {number} is more than this machine supports, about {supported}: {reason}"
                    );
                }
                ClientLimit {
                    number,
                    reason: Some("--max-clients sets the limit".to_owned()),
                }
            }
        }
    }
}

/// How many clients fit into half of the available memory, and the reason. None if a client takes next to nothing.
fn memory_limit(available: u64, per_client: u64) -> Option<(usize, String)> {
    let clients = (available / 2).checked_div(per_client)?;
    let mib = |bytes| bytes / (1024 * 1024);
    let reason = format!(
        "{} MiB of memory are available, and half of it is for clients, {} MiB each",
        mib(available),
        mib(per_client)
    );
    Some((usize::try_from(clients).unwrap_or(usize::MAX), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_half_of_the_available_memory() {
        let (clients, reason) = memory_limit(4096 << 20, 1 << 20).unwrap();
        assert_eq!(clients, 2048);
        assert_eq!(
            reason,
            "4096 MiB of memory are available, and half of it is for clients, 1 MiB each"
        );
        assert_eq!(memory_limit(4096 << 20, 0), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_that_a_client_needs_lowers_the_automatic_limit() {
        let limit = |memory| ClientLimit::new(MaxClients::Auto, 1, 1, memory).number;
        assert_eq!(limit(usize::MAX), 1);
        assert!(limit(0) > 1);
    }

    #[test]
    fn max_clients_is_a_number_or_auto() {
        assert_eq!(parse_max_clients("auto"), Ok(MaxClients::Auto));
        assert_eq!(parse_max_clients("7"), Ok(MaxClients::Fixed(7)));
        for bad in ["0", "-1", "many", ""] {
            assert!(parse_max_clients(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
