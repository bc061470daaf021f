//! What a run of `loadtest` measured, raw: the shape of `--json`, and what every table, chart and
//! threshold is made from.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::count;

/// The version of this shape. It is raised when a field changes its meaning or is removed.
pub const SCHEMA: u32 = 2;

/// The name of the built-in server that the others are compared with, as `--floor` adds it.
pub const FLOOR: &str = "floor";

/// Whether a name in a record is that of the built-in server, in `slow` with what follows it.
pub fn is_floor(name: &str) -> bool {
    name.split(',').next() == Some(FLOOR)
}

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Record {
    /// Version of this shape: [`SCHEMA`].
    #[cfg_attr(test, schemars(extend("const" = SCHEMA)))]
    pub schema: u32,
    /// Version of threadline.
    pub version: String,
    /// The commit that the program was built from, where it is known.
    pub commit: Option<String>,
    /// When the run began, in seconds since 1970.
    pub started: u64,
    /// The command line, word by word.
    pub command: Vec<String>,
    /// The machine it ran on.
    pub machine: Machine,
    /// `chat`, `echo`, `idle`, `churn` or `slow`.
    pub scenario: String,
    /// The seed of every random choice.
    pub seed: u64,
    /// Number of senders, where the scenario has them.
    pub senders: Option<usize>,
    /// Bytes of a message as its sender writes it.
    pub size: usize,
    /// Messages a second over all senders in open loop; none is closed loop.
    pub rate: Option<f64>,
    /// Seconds that each round was to last, without the warm-up.
    pub duration: f64,
    /// Seconds of load before the measurement starts, in each round. Nothing of them is in any figure.
    pub warm_up: f64,
    /// Rounds asked for, per server and number of clients.
    pub rounds: usize,
    /// Whether Ctrl-C ended the run before all rounds were measured.
    pub interrupted: bool,
    /// Names of the servers in the order of the command line; ratios are to the first. In `slow`,
    /// each stands there twice: its room as it is, and with clients that never read.
    pub servers: Vec<String>,
    /// One entry for each server and number of clients. An interrupted run has none for what it had
    /// not started.
    pub points: Vec<Point>,
    /// What makes the measurement itself doubtful, a sentence each.
    pub warnings: Vec<String>,
}

impl Record {
    /// The numbers of clients of the sweep, ascending.
    pub fn client_counts(&self) -> Vec<usize> {
        let counts: BTreeSet<usize> = self.points.iter().map(|point| point.clients).collect();
        counts.into_iter().collect()
    }

    /// The largest number of clients at which there is such a point.
    pub fn largest(&self, is_such: impl Fn(&Point) -> bool) -> Option<usize> {
        let such = self.points.iter().filter(|point| is_such(point));
        such.map(|point| point.clients).max()
    }

    /// The point of a server at a number of clients.
    pub fn point(&self, server: &str, clients: usize) -> Option<&Point> {
        let is_it = |point: &&Point| point.server == server && point.clients == clients;
        self.points.iter().find(is_it)
    }
}

/// The machine of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Machine {
    /// Processor model.
    pub cpu: String,
    /// Processors that can be used.
    pub cores: usize,
    /// Kernel name and release.
    pub kernel: String,
    /// Memory in bytes.
    pub memory: u64,
}

/// One server at one number of clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Point {
    /// Name of the server.
    pub server: String,
    /// Number of clients asked for.
    pub clients: usize,
    /// Clients beside them that never read, in scenario `slow`.
    pub stalled: usize,
    /// Every round that was measured, in order: fewer than asked for if the run was interrupted or the
    /// server failed.
    pub rounds: Vec<Round>,
    /// Why the server was not measured further, here or at an earlier number of clients.
    pub failed: Option<Failure>,
}

/// How a server failed. It takes no part in what remains of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Failure {
    /// At which number of clients.
    pub clients: usize,
    /// In which round, counted from 1.
    pub round: usize,
    /// What happened, such as `died (exit status 2)`.
    pub what: String,
    /// What the server wrote last to its standard error, if anything.
    pub last_words: Option<String>,
}

/// `go at 1,000 clients`
impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.server, count(self.clients, "client"))
    }
}

impl Point {
    /// The fewest clients that any round had in, where those are not all that were asked for.
    pub fn fewer(&self) -> Option<usize> {
        let fewest = self.rounds.iter().map(|round| round.connected).min();
        fewest.filter(|&connected| connected < self.clients)
    }
}

/// One round: connect, drive, count, leave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Round {
    /// Clients that were in when the measurement started. In `churn`, where visitors were disconnected:
    /// the most that were in at one time.
    pub connected: usize,
    /// Seconds until all of them were in: they had seen their own login, or the first echo.
    pub connect_seconds: f64,
    /// Whether Ctrl-C ended this round early. Its figures are of the time until then.
    pub cut_short: bool,
    /// Seconds that were measured: those of sending, and those until the last delivery after them.
    pub seconds: f64,
    /// Messages (requests, visits) sent in that time, and those that were due and could not be sent.
    pub messages: u64,
    /// Deliveries (answers, visits) that came and were right.
    pub deliveries: u64,
    /// Deliveries that never came. Each counts in `latency`, later than all that came: with the time from
    /// its intended sending to the end of the round, if that is longer.
    pub lost: u64,
    /// Deliveries that came twice.
    pub duplicated: u64,
    /// Deliveries that came in another order than at other clients or than they were sent.
    pub out_of_order: u64,
    /// Deliveries whose bytes are not those that were sent; they count as lost too.
    pub damaged: u64,
    /// Clients that the server disconnected before they left; those that never read count too. What they
    /// miss from then on counts as lost.
    pub dropped: u64,
    /// Longest time in which nothing was delivered to anyone while something was due, in seconds.
    pub pause_seconds: f64,
    /// Time from the intended sending to the delivery.
    pub latency: Latency,
    /// Deliveries over time.
    pub timeline: Timeline,
    /// What the server's process used, where it could be looked at.
    pub server: Option<Cost>,
    /// Seconds of which the CPU seconds are: `seconds`, and the waiting for what never came.
    pub wall_seconds: f64,
    /// CPU seconds of the load generator, user and system, in `wall_seconds`.
    pub generator_cpu_seconds: f64,
    /// CPU seconds that other programs took in that time, where the server's are known.
    pub other_cpu_seconds: Option<f64>,
}

/// A distribution of latencies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Latency {
    /// Median, in microseconds.
    pub p50: u64,
    /// 90th percentile, in microseconds.
    pub p90: u64,
    /// 95th percentile, in microseconds.
    pub p95: u64,
    /// 99th percentile, in microseconds.
    pub p99: u64,
    /// 99.9th percentile, in microseconds.
    pub p99_9: u64,
    /// Longest, in microseconds.
    pub max: u64,
    /// From this value on, percentiles and `max` are of deliveries that never came, and so lower bounds
    /// (`≥`), in microseconds. None if all came.
    pub bound_from: Option<u64>,
    /// The whole histogram: (upper end of the bucket in microseconds, count), empty buckets left out.
    pub buckets: Vec<(u64, u64)>,
}

impl Latency {
    /// Whether a percentile (or `max`) of this distribution is a lower bound only.
    pub fn is_bound(&self, micros: u64) -> bool {
        self.bound_from.is_some_and(|from| micros >= from)
    }
}

/// Deliveries per step of time, from the start of the measurement to the end of the round, waiting for
/// what never came included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Timeline {
    /// Seconds per step, the same in all rounds of a run that were not cut short.
    pub step: f64,
    /// Deliveries in each step. The last step may be shorter than the others.
    pub deliveries: Vec<u64>,
}

/// What a server's process used in a round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cost {
    /// CPU seconds, user and system, in the round's `wall_seconds`.
    pub cpu_seconds: f64,
    /// Context switches of all its threads, voluntary and not, in that time.
    pub context_switches: u64,
    /// Clients that were in when "with all clients" was looked at; in `churn`, when the most of them
    /// were.
    pub clients: usize,
    /// Resident bytes with no client, before the round.
    pub rss_before: u64,
    /// Resident bytes with all clients, at the end of the driving.
    pub rss: u64,
    /// Resident bytes some time after all clients left.
    pub rss_after: u64,
    /// Bytes of address space with no client, before the round.
    pub virtual_before: u64,
    /// Bytes of address space with all clients.
    pub virtual_bytes: u64,
    /// Threads with no client, with all clients, and some time after they left.
    pub threads: [u64; 3],
    /// Memory mappings with no client, with all clients, and some time after they left.
    pub mappings: [u64; 3],
    /// Open descriptors with no client, with all clients, and some time after they left.
    pub descriptors: [u64; 3],
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use schemars::generate::SchemaSettings;

    use super::Record;

    /// The schema is made from the types above. After changing them, run this test with
    /// `UPDATE_SCHEMA=1`.
    #[test]
    fn schema_in_benches_is_that_of_the_types() {
        let schema = SchemaSettings::draft2020_12().into_generator();
        let schema = schema.into_root_schema_for::<Record>();
        let made = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/record.schema.json");
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            fs::write(&path, &made).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap();
        assert!(kept == made, "benches/record.schema.json is not up to date");
    }
}
