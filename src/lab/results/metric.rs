//! The figures that are calculated from a round: one row per figure.

use crate::lab::results::record::{Cost, Latency, Round};
use crate::lab::results::units::Unit::{self, Bytes, Number, Seconds};
use crate::lab::results::units::thousands;

/// A figure.
#[derive(Debug)]
pub struct Metric {
    /// For `--fail-if`, CSV and the code.
    pub name: &'static str,
    /// For a table's column.
    pub heading: &'static str,
    pub unit: Unit,
    /// Whether the highest of the rounds is shown and judged, not the median: faults and extremes.
    pub worst: bool,
    of: Of,
}

/// What it is calculated from. A result that is not finite is none.
#[derive(Debug)]
enum Of {
    Round(fn(&Round) -> f64),
    Server(fn(&Cost, &Round) -> f64),
    Latency(fn(&Latency) -> u64),
}

/// The value of a figure in a round: seconds, bytes or a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    pub number: f64,
    /// Whether it is only a lower bound, because of deliveries that never came.
    pub is_bound: bool,
}

/// All figures, in the order of CSV.
pub static ALL: [Metric; 26] = [
    row("rate", "deliveries/s", Number, |r| {
        r.deliveries as f64 / r.seconds
    }),
    row("messages", "messages/s", Number, |r| {
        r.messages as f64 / r.seconds
    }),
    latency("p50", |l| l.p50),
    latency("p90", |l| l.p90),
    latency("p95", |l| l.p95),
    latency("p99", |l| l.p99),
    latency("p99.9", |l| l.p99_9),
    latency("max", |l| l.max).worst(),
    row("pause", "pause", Seconds, |r| r.pause_seconds).worst(),
    row("lost", "lost", Number, |r| r.lost as f64).worst(),
    row("duplicated", "duplicated", Number, |r| r.duplicated as f64).worst(),
    row("out-of-order", "out of order", Number, |r| {
        r.out_of_order as f64
    })
    .worst(),
    row("damaged", "damaged", Number, |r| r.damaged as f64).worst(),
    row("dropped", "dropped", Number, |r| r.dropped as f64).worst(),
    row("connect", "connect", Seconds, |r| r.connect_seconds),
    cost("cpu", "CPU s/million", Number, |c, r| {
        c.cpu_seconds * 1e6 / r.deliveries as f64
    }),
    cost("switches", "switches/delivery", Number, |c, r| {
        c.context_switches as f64 / r.deliveries as f64
    }),
    cost("rss", "RSS/client", Bytes, |c, _| {
        grown([c.rss_before, c.rss, 0], c)
    }),
    cost("virtual", "virtual/client", Bytes, |c, _| {
        grown([c.virtual_before, c.virtual_bytes, 0], c)
    }),
    cost("threads", "threads/client", Number, |c, _| {
        grown(c.threads, c)
    }),
    cost("mappings", "mappings/client", Number, |c, _| {
        grown(c.mappings, c)
    }),
    cost("descriptors", "fds/client", Number, |c, _| {
        grown(c.descriptors, c)
    }),
    cost("rss-left", "RSS left", Bytes, |c, _| {
        left([c.rss_before, 0, c.rss_after])
    }),
    cost("threads-left", "threads left", Number, |c, _| {
        left(c.threads)
    }),
    cost("mappings-left", "mappings left", Number, |c, _| {
        left(c.mappings)
    }),
    cost("descriptors-left", "fds left", Number, |c, _| {
        left(c.descriptors)
    }),
];

/// What is meant by a heading, where that is not plain.
pub const MEANINGS: [(&str, &str); 8] = [
    (
        "pause",
        "longest time in which nothing was delivered while something was due",
    ),
    ("lost", "deliveries that never came"),
    ("dropped", "clients that the server disconnected"),
    ("connect", "time until all clients were in"),
    ("cpu", "CPU seconds of the server per million deliveries"),
    ("switches", "context switches of the server per delivery"),
    ("rss", "resident memory of the server per client"),
    (
        "rss-left",
        "resident memory of the server beyond that before the first client",
    ),
];

const fn row(
    name: &'static str,
    heading: &'static str,
    unit: Unit,
    of: fn(&Round) -> f64,
) -> Metric {
    Metric {
        name,
        heading,
        unit,
        worst: false,
        of: Of::Round(of),
    }
}

const fn cost(
    name: &'static str,
    heading: &'static str,
    unit: Unit,
    of: fn(&Cost, &Round) -> f64,
) -> Metric {
    Metric {
        name,
        heading,
        unit,
        worst: false,
        of: Of::Server(of),
    }
}

const fn latency(name: &'static str, of: fn(&Latency) -> u64) -> Metric {
    Metric {
        name,
        heading: name,
        unit: Seconds,
        worst: false,
        of: Of::Latency(of),
    }
}

/// The figure of that name, if there is one.
pub fn find(name: &str) -> Option<&'static Metric> {
    ALL.iter().find(|metric| metric.name == name)
}

/// The figure of a name that is in the code.
pub fn metric(name: &str) -> &'static Metric {
    find(name).unwrap_or_else(|| panic!("there is no figure {name}"))
}

/// All names.
pub fn names() -> String {
    ALL.each_ref().map(|metric| metric.name).join(", ")
}

impl Metric {
    const fn worst(mut self) -> Metric {
        self.worst = true;
        self
    }

    /// Its value in a round, if the round tells it.
    pub fn of(&self, round: &Round) -> Option<Value> {
        let (number, is_bound) = match self.of {
            Of::Round(of) => (of(round), false),
            Of::Server(of) => (of(round.server.as_ref()?, round), false),
            Of::Latency(_) if round.deliveries + round.lost == 0 => return None,
            Of::Latency(of) => {
                let micros = of(&round.latency);
                (micros as f64 / 1e6, round.latency.is_bound(micros))
            }
        };
        number.is_finite().then_some(Value { number, is_bound })
    }

    /// Whether it counts what a sound server has none of.
    pub fn is_fault(&self) -> bool {
        self.worst && self.unit == Number
    }

    /// Whether it is of the server's process.
    pub fn is_of_server(&self) -> bool {
        matches!(self.of, Of::Server(_))
    }

    /// A value as people read it; faults are counted to the last.
    pub fn show(&self, value: Value) -> String {
        match value {
            Value { number, .. } if self.is_fault() => thousands(number as u64),
            Value {
                number,
                is_bound: true,
            } => format!("≥{}", self.unit.show(number)),
            Value { number, .. } => self.unit.show(number),
        }
    }
}

/// How much more there is with all clients than before, per client.
fn grown([before, with, _]: [u64; 3], cost: &Cost) -> f64 {
    with.saturating_sub(before) as f64 / cost.clients as f64
}

/// How much more there is when all clients have left than before they came.
fn left([before, _, after]: [u64; 3]) -> f64 {
    after as f64 - before as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round() -> Round {
        Round {
            connected: 10,
            connect_seconds: 0.5,
            seconds: 2.0,
            messages: 100,
            deliveries: 1000,
            server: Some(Cost {
                cpu_seconds: 0.5,
                context_switches: 2500,
                rss_before: 1000,
                rss: 21_000,
                rss_after: 900,
                clients: 10,
                threads: [2, 32, 3],
                ..Cost::default()
            }),
            ..Round::default()
        }
    }

    #[test]
    fn figures_are_calculated_from_a_round() {
        let round = round();
        for (name, expected) in [
            ("rate", 500.0),
            ("messages", 50.0),
            ("connect", 0.5),
            ("cpu", 500.0),
            ("switches", 2.5),
            ("rss", 2000.0),
            ("threads", 3.0),
            ("threads-left", 1.0),
            ("rss-left", -100.0),
            ("lost", 0.0),
        ] {
            let value = metric(name).of(&round).map(|value| value.number);
            assert_eq!(value, Some(expected), "{name}");
        }
    }

    #[test]
    fn what_was_not_measured_is_no_figure() {
        let nothing = Round::default();
        for name in ["rate", "p99", "cpu", "rss", "threads-left"] {
            assert_eq!(metric(name).of(&nothing), None, "{name}");
        }
    }

    #[test]
    fn percentiles_among_deliveries_that_never_came_are_lower_bounds() {
        let mut round = round();
        round.latency = Latency {
            p50: 100,
            p99: 2_000_000,
            max: 3_000_000,
            bound_from: Some(1_500_000),
            ..Latency::default()
        };
        let shown = |name, round: &Round| metric(name).show(metric(name).of(round).unwrap());
        assert_eq!(shown("p50", &round), "100 µs");
        assert_eq!(shown("p99", &round), "≥2 s");
        assert_eq!(shown("max", &round), "≥3 s");
        // Nothing at all came, and that is no reason to show no latency.
        round.deliveries = 0;
        round.lost = 7;
        assert_eq!(shown("p99", &round), "≥2 s");
    }

    #[test]
    fn every_figure_has_a_name_of_its_own() {
        for (i, entry) in ALL.iter().enumerate() {
            let same = ALL.iter().position(|other| other.name == entry.name);
            assert_eq!(same, Some(i), "{}", entry.name);
        }
        for (name, _) in MEANINGS {
            metric(name);
        }
    }
}
