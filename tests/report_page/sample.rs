//! Made-up runs of the shapes that real ones have.

use threadline::lab::results::record::{
    Cost, Failure, Latency, Machine, Point, Record, Round, SCHEMA, Timeline,
};

/// How one made-up server behaves.
struct Kind {
    name: &'static str,
    /// Deliveries a second at 10, 100, 1000 and 5000 clients; a count left out was not reached.
    rates: &'static [f64],
    /// Median latency in microseconds at 10 clients, and how heavy the tail is.
    median: f64,
    tail: f64,
    bytes_per_client: u64,
    threads_per_client: u64,
    cpu_per_million: f64,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "threadline",
        rates: &[301e3, 541e3, 336e3, 266e3],
        median: 31.0,
        tail: 0.75,
        bytes_per_client: 36_400,
        threads_per_client: 3,
        cpu_per_million: 3.1,
    },
    Kind {
        name: "go",
        rates: &[185e3, 245e3, 183e3],
        median: 52.0,
        tail: 0.9,
        bytes_per_client: 29_900,
        threads_per_client: 0,
        cpu_per_million: 6.4,
    },
    Kind {
        name: "floor",
        rates: &[942e3, 1127e3, 1064e3, 1066e3],
        median: 10.0,
        tail: 0.35,
        bytes_per_client: 4_700,
        threads_per_client: 0,
        cpu_per_million: 0.81,
    },
];

/// A sweep of the chat over three servers and four sizes, one of which a server did not reach.
pub(crate) fn sweep() -> Record {
    chat(&[10, 100, 1000, 5000], 3)
}

/// One size, three servers.
pub(crate) fn one_count() -> Record {
    chat(&[1000], 3)
}

/// One size, one server, one round, and nothing known of its process: the least there is.
pub(crate) fn least() -> Record {
    let mut record = chat(&[100], 1);
    record.servers.truncate(1);
    record.points.truncate(1);
    record.points[0].rounds[0].server = None;
    record
}

/// A run that sends nothing.
pub(crate) fn idle() -> Record {
    let mut record = sweep();
    record.scenario = "idle".to_owned();
    record.senders = None;
    for round in rounds(&mut record) {
        round.messages = 0;
        round.deliveries = 0;
        round.lost = 0;
        round.latency = Latency::default();
        round.timeline = Timeline::default();
        if let Some(cost) = &mut round.server {
            cost.cpu_seconds = 0.01;
        }
    }
    record
}

/// One server with and without clients that never read.
pub(crate) fn slow() -> Record {
    let mut record = chat(&[10, 100], 3);
    record.scenario = "slow".to_owned();
    record.points.retain(|point| point.server != "floor");
    record.servers = vec!["threadline".to_owned(), "threadline, 10 stalled".to_owned()];
    for point in record
        .points
        .iter_mut()
        .filter(|point| point.server == "go")
    {
        point.server = record.servers[1].clone();
        point.stalled = 10;
    }
    record
}

/// A server that freezes half-way in one of three rounds while another stays sound, and a third that
/// dies.
pub(crate) fn freezing() -> Record {
    let mut record = one_count();
    let point = &mut record.points[1];
    point.rounds[1].lost = 40_000;
    point.rounds[1].pause_seconds = 2.7;
    point.rounds[1].timeline.deliveries[25..].fill(0);
    let latency = &mut point.rounds[1].latency;
    latency.bound_from = Some(1_500_000);
    latency.buckets.push((1_500_000, 20_000));
    latency.buckets.push((2_700_000, 20_000));
    (latency.p99, latency.p99_9, latency.max) = (1_500_000, 2_700_000, 2_700_000);
    let point = &mut record.points[2];
    point.rounds.truncate(1);
    point.rounds[0].cut_short = true;
    point.failed = Some(Failure {
        clients: 1000,
        round: 2,
        what: "died (exit status 2)".to_owned(),
        last_words: Some("fatal error: concurrent map writes".to_owned()),
    });
    record
}

/// A run that looks at what is left behind, and finds nothing but memory.
pub(crate) fn churn() -> Record {
    let mut record = one_count();
    record.scenario = "churn".to_owned();
    for round in rounds(&mut record) {
        round.connected = 990;
        round.lost = 0;
    }
    record
}

/// A run in which nothing arrived.
pub(crate) fn frozen() -> Record {
    let mut record = one_count();
    for round in rounds(&mut record) {
        round.lost = round.deliveries;
        round.deliveries = 0;
        round.latency = Latency::default();
        round.timeline = Timeline::default();
    }
    record
}

/// Names and warnings that would do harm if they were not escaped, and more servers than colours.
pub(crate) fn hostile() -> Record {
    crowd(one_count())
}

/// The same over several sizes, with all lines upon each other.
pub(crate) fn hostile_sweep() -> Record {
    crowd(sweep())
}

/// A sweep of so many servers.
pub(crate) fn many(servers: usize) -> Record {
    let names = (0..servers).map(|nth| format!("server {nth}"));
    repeated(sweep(), names.collect())
}

/// Servers with long names of wide characters.
pub(crate) fn wide() -> Record {
    let name = |i| format!("{i}号名字很长的聊天服务器，它的说明也很长");
    repeated(sweep(), (0..3).map(name).collect())
}

fn crowd(mut record: Record) -> Record {
    record.command.push("--server".to_owned());
    record
        .command
        .push("<script>alert('x')</script>\u{1b}[31m".to_owned());
    record
        .warnings
        .push("\"</p><img src=x onerror=alert(1)> & <b".to_owned());
    let name = |i| format!("<i>server & \"{i}\" with a very long name</i>");
    repeated(record, (0..7).map(name).collect())
}

/// The first server of a record under these names.
fn repeated(mut record: Record, names: Vec<String>) -> Record {
    let first = std::mem::replace(&mut record.servers, names)[0].clone();
    let templates: Vec<Point> = (record.points.drain(..))
        .filter(|point| point.server == first)
        .collect();
    for template in templates {
        for server in &record.servers {
            record.points.push(Point {
                server: server.clone(),
                ..template.clone()
            });
        }
    }
    record
}

fn rounds(record: &mut Record) -> impl Iterator<Item = &mut Round> {
    record.points.iter_mut().flat_map(|point| &mut point.rounds)
}

fn chat(counts: &[usize], rounds: usize) -> Record {
    let points = counts
        .iter()
        .flat_map(|clients| KINDS.iter().map(move |kind| point(kind, *clients, rounds)))
        .collect();
    let command = "loadtest chat -c 10,100,1000,5000 --server go@127.0.0.1:8000=./chat --floor --html report.html";
    Record {
        schema: SCHEMA,
        version: "0.1.0".to_owned(),
        commit: Some("3055f85".to_owned()),
        started: 1_790_000_000,
        command: command.split(' ').map(str::to_owned).collect(),
        machine: Machine {
            cpu: "Example processor at 3.0 GHz".to_owned(),
            cores: 2,
            kernel: "Linux 6.18.0".to_owned(),
            memory: 24 << 30,
        },
        scenario: "chat".to_owned(),
        seed: 42,
        senders: Some(10),
        size: 64,
        rate: None,
        duration: 5.0,
        warm_up: 0.0,
        rounds,
        interrupted: false,
        servers: KINDS.iter().map(|kind| kind.name.to_owned()).collect(),
        points,
        warnings: vec![
            "The generator used 98% of a processor against floor: its figures are a lower bound."
                .to_owned(),
        ],
    }
}

fn point(kind: &Kind, clients: usize, rounds: usize) -> Point {
    let size = [10, 100, 1000, 5000]
        .iter()
        .position(|c| *c == clients)
        .expect("a known size");
    let rounds = match kind.rates.get(size) {
        Some(rate) => (0..rounds)
            .map(|r| round(kind, clients, *rate, r))
            .collect(),
        None => Vec::new(),
    };
    Point {
        server: kind.name.to_owned(),
        clients,
        rounds,
        ..Point::default()
    }
}

fn round(kind: &Kind, clients: usize, rate: f64, round: usize) -> Round {
    let sway = [1.0, 0.93, 1.08][round % 3];
    let deliveries = (rate * sway * 5.0) as u64;
    let n = clients as u64;
    Round {
        connected: clients,
        connect_seconds: clients as f64 * 6e-5 * sway,
        seconds: 5.0,
        messages: deliveries / n,
        deliveries,
        lost: if kind.name == "go" && clients == 100 {
            3
        } else {
            0
        },
        pause_seconds: 0.002 * sway,
        timeline: timeline(deliveries),
        latency: latency(kind, clients as f64, deliveries, sway),
        server: Some(Cost {
            cpu_seconds: kind.cpu_per_million * deliveries as f64 / 1e6 * sway,
            context_switches: (deliveries as f64 * 0.12 * sway) as u64,
            rss_before: 3 << 20,
            rss: (3 << 20) + (n as f64 * kind.bytes_per_client as f64 * sway) as u64,
            rss_after: 5 << 20,
            virtual_before: 80 << 20,
            virtual_bytes: (80 << 20) + n * 420_000,
            clients,
            threads: [3, 3 + n * kind.threads_per_client, 3],
            mappings: [40, 40 + n * kind.threads_per_client * 4, 40],
            descriptors: [8, 8 + n, 8],
        }),
        wall_seconds: 5.0,
        generator_cpu_seconds: 3.0,
        ..Round::default()
    }
}

/// Nothing in the first step, then the same in each.
fn timeline(deliveries: u64) -> Timeline {
    let mut steps = vec![deliveries / 50; 50];
    steps[0] = 0;
    Timeline {
        step: 0.1,
        deliveries: steps,
    }
}

/// A log-logistic distribution, in buckets a twentieth apart.
fn latency(kind: &Kind, clients: f64, deliveries: u64, sway: f64) -> Latency {
    let median = kind.median * sway * (clients / 10.0).powf(1.05);
    let at = |share: f64| median * (share / (1.0 - share)).powf(kind.tail / 3.0);
    let share_below = |v: f64| 1.0 / (1.0 + (v / median).powf(-3.0 / kind.tail));
    let last = 1.0 - 1.0 / deliveries as f64;
    let mut buckets = Vec::new();
    let (mut seen, mut upper) = (0, at(1.0 / deliveries as f64).max(1.0));
    while seen < deliveries {
        let below = if upper >= at(last) {
            deliveries
        } else {
            (deliveries as f64 * share_below(upper)) as u64
        };
        if below > seen {
            buckets.push((upper as u64, below - seen));
            seen = below;
        }
        upper *= 1.05;
    }
    Latency {
        p50: at(0.5) as u64,
        p90: at(0.9) as u64,
        p95: at(0.95) as u64,
        p99: at(0.99) as u64,
        p99_9: at(0.999) as u64,
        max: at(last) as u64,
        bound_from: None,
        buckets,
    }
}
