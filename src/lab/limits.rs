//! `limits`: how many clients this machine supports, which limit is reached first, and how to raise it.

mod advice;
mod probe;

use std::io;
use std::time::Duration;

use crate::cli;
use crate::lab::load::protocol::Protocol;
use crate::lab::report::verdict::verdict;
use crate::lab::target::servers::Servers;
use crate::lab::values::{duration, positive};
use crate::server::shutdown::{self, is_closed};
use crate::server::system_limits::{SystemLimit, system_limits};
use crate::system::raise_descriptor_limit;
use crate::text::{columns, wrap};

/// What `limits` is to do.
#[derive(Clone, Debug, clap::Args)]
pub struct Limits {
    /// Threads per client: 3 in the chat, 1 in the echo
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = positive())]
    pub threads: usize,

    /// Print the settings for this many clients, as one block to paste
    #[arg(long = "for", value_name = "N", value_parser = positive())]
    pub wanted: Option<usize>,

    /// Connect clients until no more are admitted, and print why
    #[arg(long)]
    pub probe: bool,

    /// Maximum number of clients of the probe
    #[arg(short, long, value_name = "N", default_value_t = 20_000, value_parser = positive())]
    pub clients: usize,

    /// Maximum duration of the probe
    #[arg(short, long, default_value = "60s", value_parser = duration)]
    pub duration: Duration,

    /// Probe the echo server instead of the chat
    #[arg(long)]
    pub echo: bool,

    #[command(flatten)]
    pub servers: Servers,
}

/// Prints what was asked for, and returns the exit status.
///
/// # Errors
/// Standard output cannot be written, the machine cannot be made to support the wanted clients, or Ctrl-C
/// was pressed (`Interrupted`).
pub fn show(limits: &Limits) -> io::Result<u8> {
    raise_descriptor_limit()?;
    match limits.wanted {
        Some(clients) => cli::print(&advice::advice(clients, limits.threads)?)?,
        None => cli::print(&table(limits.threads))?,
    }
    let mut errors = Vec::new();
    if limits.probe {
        let shutdown = shutdown::on_signal()?;
        let protocol = match limits.echo {
            true => Protocol::Echo,
            false => Protocol::Chat,
        };
        for contender in limits.servers.contenders(None, false, protocol)? {
            let probed = probe::probe(limits, protocol, &contender, &shutdown);
            if let Ok(result) = &probed {
                cli::print(result)?;
            }
            if is_closed(&shutdown) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            errors.extend(probed.err());
        }
    }
    Ok(verdict(&[], &[], &errors))
}

/// The limits as a table, which is reached first, and what else matters.
fn table(threads: usize) -> String {
    let limits = system_limits(threads, 1);
    let mut rows = vec![["clients", "limit", "value", "used", "to raise it"].map(str::to_owned)];
    rows.extend(limits.iter().map(|limit| {
        [
            limit.clients().to_string(),
            limit.name.to_owned(),
            limit.value.to_string(),
            limit.in_use.to_string(),
            limit.how_to_raise(),
        ]
    }));
    let server = per_client(threads);
    let mut text = format!("A server with {server} can have this many clients:\n");
    text += &columns(&rows, &[1, 4]);
    let first = limits.first();
    let clients = first.map_or(0, SystemLimit::clients);
    if let Some(SystemLimit { name, .. }) = first {
        text += &format!(
            "{name} is reached first, at {}.\n",
            count(clients, "client")
        );
    }
    text += &advice::notes(clients, threads);
    text + "What a number of clients needs: loadtest limits --for N\n"
}

/// A sentence on as many lines as it needs.
fn line(text: &str) -> String {
    wrap(text, 80, "", "  ")
}

fn per_client(threads: usize) -> String {
    count(threads, "thread") + " per client"
}

/// `1 client`, `5000 clients`: a number as it is written in settings.
fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}
