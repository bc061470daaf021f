//! The figures that are calculated from a round: one row per figure.

use Of::{Each, Fault, Grown, Latency, Left, Rate, Time};

use crate::lab::results::record::{self, Cost, Round};
use crate::units::Unit::{self, Bytes as B, Number as N, Seconds as S};
use crate::units::thousands;

/// A figure.
#[derive(Debug)]
pub struct Metric {
    /// For `--fail-if`, CSV and the code.
    pub name: &'static str,
    /// For a table's column.
    pub heading: &'static str,
    pub unit: Unit,
    of: Of,
    /// What is meant by the heading, where that is not plain.
    pub meaning: &'static str,
}

/// What it is calculated from. A result that is not finite is none.
#[derive(Debug)]
enum Of {
    /// A number, per second.
    Rate(fn(&Round) -> u64),
    /// A number that is 0 with a sound server.
    Fault(fn(&Round) -> u64),
    Time(fn(&Round) -> f64),
    Latency(fn(&record::Latency) -> u64),
    /// Per delivery.
    Each(fn(&Cost) -> f64),
    /// How much more there is with all clients than before, per client.
    Grown(fn(&Cost) -> [u64; 3]),
    /// How much more there is when all clients have left than before they came.
    Left(fn(&Cost) -> [u64; 3]),
}

/// The value of a figure in a round: seconds, bytes or a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    pub number: f64,
    /// Whether it is only a lower bound, because of deliveries that never came.
    pub is_bound: bool,
}

const RSS: fn(&Cost) -> [u64; 3] = |c| [c.rss_before, c.rss, c.rss_after];
const VIRTUAL: fn(&Cost) -> [u64; 3] = |c| [c.virtual_before, c.virtual_bytes, 0];

/// All figures, in the order of CSV.
pub static ALL: [Metric; 26] = [
    row("rate", "deliveries/s", N, Rate(|r| r.deliveries)),
    row("messages", "messages/s", N, Rate(|r| r.messages)),
    row("p50", "p50", S, Latency(|l| l.p50)),
    row("p90", "p90", S, Latency(|l| l.p90)),
    row("p95", "p95", S, Latency(|l| l.p95)),
    row("p99", "p99", S, Latency(|l| l.p99)),
    row("p99.9", "p99.9", S, Latency(|l| l.p99_9)),
    row("max", "max", S, Latency(|l| l.max)),
    row("pause", "pause", S, Time(|r| r.pause_seconds))
        .means("longest time without a delivery while one was due"),
    row("lost", "lost", N, Fault(|r| r.lost)).means("deliveries that never came"),
    row("duplicated", "duplicated", N, Fault(|r| r.duplicated)),
    row("out-of-order", "out of order", N, Fault(|r| r.out_of_order)),
    row("damaged", "damaged", N, Fault(|r| r.damaged)),
    row("dropped", "dropped", N, Fault(|r| r.dropped))
        .means("clients that the server disconnected"),
    row("connect", "connect", S, Time(|r| r.connect_seconds))
        .means("time until all clients were in"),
    row("cpu", "CPU s/million", N, Each(|c| c.cpu_seconds * 1e6))
        .means("CPU seconds of the server per million deliveries"),
    row(
        "switches",
        "switches/delivery",
        N,
        Each(|c| c.context_switches as f64),
    )
    .means("context switches of the server per delivery"),
    row("rss", "RSS/client", B, Grown(RSS)).means("resident memory of the server per client"),
    row("virtual", "virtual/client", B, Grown(VIRTUAL)),
    row("threads", "threads/client", N, Grown(|c| c.threads)),
    row("mappings", "mappings/client", N, Grown(|c| c.mappings)),
    row("descriptors", "fds/client", N, Grown(|c| c.descriptors)),
    row("rss-left", "RSS left", B, Left(RSS))
        .means("resident memory of the server more than at first"),
    row("threads-left", "threads left", N, Left(|c| c.threads)),
    row("mappings-left", "mappings left", N, Left(|c| c.mappings)),
    row("descriptors-left", "fds left", N, Left(|c| c.descriptors)),
];

const fn row(name: &'static str, heading: &'static str, unit: Unit, of: Of) -> Metric {
    Metric {
        name,
        heading,
        unit,
        of,
        meaning: "",
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
    const fn means(mut self, meaning: &'static str) -> Metric {
        self.meaning = meaning;
        self
    }

    /// Its value in a round, if the round tells it.
    pub fn of(&self, round: &Round) -> Option<Value> {
        let cost = round.server.as_ref();
        let mut is_bound = false;
        let number = match self.of {
            Rate(of) => of(round) as f64 / round.seconds,
            Fault(of) => of(round) as f64,
            Time(of) => of(round),
            Latency(_) if round.deliveries + round.lost == 0 => return None,
            Latency(of) => {
                let micros = of(&round.latency);
                is_bound = round.latency.is_bound(micros);
                micros as f64 / 1e6
            }
            Each(of) => of(cost?) / round.deliveries as f64,
            Grown(of) => {
                let [before, with, _] = of(cost?);
                with.saturating_sub(before) as f64 / cost?.clients as f64
            }
            Left(of) => {
                let [before, _, after] = of(cost?);
                after as f64 - before as f64
            }
        };
        number.is_finite().then_some(Value { number, is_bound })
    }

    /// Whether the highest of the rounds is shown and judged, not the median: faults and extremes.
    pub fn is_worst(&self) -> bool {
        self.is_fault() || ["max", "pause"].contains(&self.name)
    }

    /// Whether it counts what a sound server has none of.
    pub fn is_fault(&self) -> bool {
        matches!(self.of, Fault(_))
    }

    /// Whether it is of the server's process.
    pub fn is_of_server(&self) -> bool {
        matches!(self.of, Each(_) | Grown(_) | Left(_))
    }

    /// A value as people read it; faults are counted to the last.
    pub fn show(&self, value: Value) -> String {
        let bound = if value.is_bound { "≥" } else { "" };
        match self.of {
            Fault(_) => thousands(value.number as u64),
            _ => format!("{bound}{}", self.unit.show(value.number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::results::record::Latency;

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
    fn unmeasured_figure_is_none() {
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
    }
}
