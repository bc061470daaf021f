//! Records with anything in them: zeros, gaps, shrinking memory, servers that are missing.

use proptest::prelude::*;
use threadline::lab::report::charts;
use threadline::lab::report::html::page;
use threadline::lab::results::record::{Cost, Latency, Point, Record, Round, Timeline};

use crate::{check_self_contained, parse};

fn record() -> impl Strategy<Value = Record> {
    let point = (
        0..3_usize,
        prop::sample::select(vec![0, 1, 7, 1000, 20_000]),
        prop::collection::vec(round(), 0..3),
    );
    let scenario = prop::sample::select(vec!["chat", "idle", "churn"]);
    (prop::collection::vec(point, 0..8), scenario).prop_map(|(points, scenario)| Record {
        scenario: scenario.to_owned(),
        servers: (0..3).map(|server| format!("s{server}")).collect(),
        points: points
            .into_iter()
            .map(|(server, clients, rounds)| Point {
                server: format!("s{server}"),
                clients,
                rounds,
                ..Point::default()
            })
            .collect(),
        ..Record::default()
    })
}

fn round() -> impl Strategy<Value = Round> {
    let number = || prop::sample::select(vec![0_u64, 1, 2, 1000, 123_456_789]);
    let latency = prop::collection::vec((number(), number()), 0..4);
    let server = prop::option::of(prop::collection::vec(number(), 6));
    let numbers = prop::collection::vec(number(), 6);
    let steps = prop::collection::vec(number(), 0..4);
    (numbers, latency, server, steps).prop_map(|(n, buckets, server, steps)| Round {
        connected: n[0] as usize,
        connect_seconds: n[1] as f64,
        seconds: n[2] as f64,
        messages: n[3],
        deliveries: n[4],
        lost: n[2],
        pause_seconds: n[3] as f64,
        timeline: Timeline {
            step: n[4] as f64 / 10.0,
            deliveries: steps,
        },
        latency: Latency {
            bound_from: (n[1] > 1).then_some(n[1]),
            p50: n[5],
            p99: n[5].saturating_mul(2),
            max: n[5],
            buckets,
            ..Latency::default()
        },
        server: server.map(|n| Cost {
            cpu_seconds: n[0] as f64,
            context_switches: n[1],
            rss_before: n[2],
            rss: n[3],
            threads: [n[4], n[5], n[4]],
            ..Cost::default()
        }),
        ..Round::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever was measured, the page is sound: zeros, gaps, shrinking memory, servers that are missing.
    #[test]
    fn no_run_makes_an_unsound_page(record in record()) {
        let html = page(&record);
        let document = parse("a random run", &html);
        check_self_contained("a random run", &document);
        for chart in charts::all(&record) {
            if let Some(svg) = chart.file() {
                parse(chart.name, &svg);
            }
        }
    }
}
