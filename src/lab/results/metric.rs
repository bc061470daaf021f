//! The figures that are worked out of a round, by the names under which tables and thresholds know
//! them.

use crate::lab::results::record::{Cost, Round};

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Metric {
    DeliveriesPerSecond,
    MessagesPerSecond,
    P50,
    P90,
    P99,
    P99_9,
    Max,
    Lost,
    Duplicated,
    OutOfOrder,
    Damaged,
    Dropped,
    Pause,
    Connect,
    CpuPerMillion,
    SwitchesPerDelivery,
    RssPerClient,
    VirtualPerClient,
    ThreadsPerClient,
    MappingsPerClient,
    DescriptorsPerClient,
    RssLeft,
    ThreadsLeft,
    MappingsLeft,
    DescriptorsLeft,
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Unit {
    Number,
    Seconds,
    Bytes,
}

use Metric::*;

impl Metric {
    /// All of them, with the name for `--fail-if` and the heading for a table's column.
    pub const ALL: [(Metric, &str, &str); 25] = [
        (DeliveriesPerSecond, "rate", "deliveries/s"),
        (MessagesPerSecond, "messages", "messages/s"),
        (P50, "p50", "p50"),
        (P90, "p90", "p90"),
        (P99, "p99", "p99"),
        (P99_9, "p99.9", "p99.9"),
        (Max, "max", "max"),
        (Lost, "lost", "lost"),
        (Duplicated, "duplicated", "duplicated"),
        (OutOfOrder, "out-of-order", "out of order"),
        (Damaged, "damaged", "damaged"),
        (Dropped, "dropped", "dropped"),
        (Pause, "pause", "pause"),
        (Connect, "connect", "connect"),
        (CpuPerMillion, "cpu", "CPU s/million"),
        (SwitchesPerDelivery, "switches", "switches/delivery"),
        (RssPerClient, "rss", "RSS/client"),
        (VirtualPerClient, "virtual", "virtual/client"),
        (ThreadsPerClient, "threads", "threads/client"),
        (MappingsPerClient, "mappings", "mappings/client"),
        (DescriptorsPerClient, "descriptors", "fds/client"),
        (RssLeft, "rss-left", "RSS left"),
        (ThreadsLeft, "threads-left", "threads left"),
        (MappingsLeft, "mappings-left", "mappings left"),
        (DescriptorsLeft, "descriptors-left", "fds left"),
    ];

    /// The name for `--fail-if`.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// The heading for a table's column.
    pub fn heading(self) -> &'static str {
        self.entry().2
    }

    fn entry(self) -> (Metric, &'static str, &'static str) {
        let found = Metric::ALL.into_iter().find(|entry| entry.0 == self);
        found.expect("every metric is in the list")
    }

    /// What it is counted in.
    pub fn unit(self) -> Unit {
        match self {
            P50 | P90 | P99 | P99_9 | Max | Pause | Connect => Unit::Seconds,
            RssPerClient | VirtualPerClient | RssLeft => Unit::Bytes,
            _ => Unit::Number,
        }
    }

    /// Whether it counts faults, of which one is as bad in any round.
    pub fn is_fault(self) -> bool {
        matches!(self, Lost | Duplicated | OutOfOrder | Damaged | Dropped)
    }

    /// Works it out: seconds, bytes or a number. None where the round does not tell.
    pub fn of(self, round: &Round) -> Option<f64> {
        let cost = round.server.as_ref();
        let each = |f: fn(&Cost) -> f64| Some(f(cost?) / cost?.clients as f64);
        let left = |f: fn(&Cost) -> [u64; 3]| {
            let [before, _, after] = f(cost?);
            Some(after as f64 - before as f64)
        };
        let per_second = |count: u64| Some(count as f64 / round.seconds);
        let latency = |micros: u64| (round.deliveries > 0).then_some(micros as f64 / 1e6);
        let per_delivery = |f: fn(&Cost) -> f64| Some(f(cost?) / round.deliveries as f64);
        let value = match self {
            DeliveriesPerSecond => per_second(round.deliveries),
            MessagesPerSecond => per_second(round.messages),
            P50 => latency(round.latency.p50),
            P90 => latency(round.latency.p90),
            P99 => latency(round.latency.p99),
            P99_9 => latency(round.latency.p99_9),
            Max => latency(round.latency.max),
            Lost => Some(round.lost as f64),
            Duplicated => Some(round.duplicated as f64),
            OutOfOrder => Some(round.out_of_order as f64),
            Damaged => Some(round.damaged as f64),
            Dropped => Some(round.dropped as f64),
            Pause => Some(round.pause_seconds),
            Connect => Some(round.connect_seconds),
            CpuPerMillion => per_delivery(|cost| cost.cpu_seconds * 1e6),
            SwitchesPerDelivery => per_delivery(|cost| cost.context_switches as f64),
            RssPerClient => each(|cost| cost.rss.saturating_sub(cost.rss_before) as f64),
            VirtualPerClient => {
                each(|cost| cost.virtual_bytes.saturating_sub(cost.virtual_before) as f64)
            }
            ThreadsPerClient => each(|cost| growth(cost.threads)),
            MappingsPerClient => each(|cost| growth(cost.mappings)),
            DescriptorsPerClient => each(|cost| growth(cost.descriptors)),
            RssLeft => cost.map(|cost| cost.rss_after as f64 - cost.rss_before as f64),
            ThreadsLeft => left(|cost| cost.threads),
            MappingsLeft => left(|cost| cost.mappings),
            DescriptorsLeft => left(|cost| cost.descriptors),
        };
        value.filter(|value| value.is_finite())
    }
}

fn growth([before, with, _]: [u64; 3]) -> f64 {
    with.saturating_sub(before) as f64
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
    fn figures_are_worked_out_of_a_round() {
        let round = round();
        for (metric, expected) in [
            (DeliveriesPerSecond, 500.0),
            (MessagesPerSecond, 50.0),
            (Connect, 0.5),
            (CpuPerMillion, 500.0),
            (SwitchesPerDelivery, 2.5),
            (RssPerClient, 2000.0),
            (ThreadsPerClient, 3.0),
            (ThreadsLeft, 1.0),
            (RssLeft, -100.0),
            (Lost, 0.0),
        ] {
            assert_eq!(metric.of(&round), Some(expected), "{metric:?}");
        }
    }

    #[test]
    fn what_was_not_measured_is_no_figure() {
        let nothing = Round::default();
        for metric in [
            DeliveriesPerSecond,
            P99,
            CpuPerMillion,
            RssPerClient,
            ThreadsLeft,
        ] {
            assert_eq!(metric.of(&nothing), None, "{metric:?}");
        }
    }

    #[test]
    fn every_metric_has_a_name_of_its_own() {
        for (i, (metric, name, heading)) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric.name(), name);
            assert_eq!(metric.heading(), heading);
            assert!(
                Metric::ALL[..i].iter().all(|other| other.1 != name),
                "{name}"
            );
        }
    }
}
