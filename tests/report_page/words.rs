//! What the page says.

use roxmltree::Node;
use threadline::lab::report::html::page;

use crate::{elements, has_class, parse, sample, samples, text};

#[test]
fn the_page_says_how_it_was_measured() {
    let html = page(&sample::sweep());
    let seen = text(parse("sweep", &html).root());
    for fact in [
        "chat, 10 to 5,000 clients: threadline, go and floor",
        "2026-09-21 14:13 UTC",
        "Example processor at 3.0 GHz, 2 processors, 24 GiB",
        "Linux 6.18.0",
        "0.1.0 (commit 3055f85)",
        "loadtest chat -c 10,100,1000,5000 --server 'go@127.0.0.1:8000=./chat' --floor --html report.html",
        "Seed 42",
        "3 rounds of 5 s per server and number of clients, servers alternating",
        "10 senders, 64 B per message, closed loop",
        "1 warning below",
        "Read these figures with care The generator used 98% of a processor against floor",
    ] {
        assert!(seen.contains(fact), "no {fact:?} in {seen}");
    }
}

#[test]
fn the_table_has_medians_spreads_and_ratios() {
    let html = page(&sample::sweep());
    let document = parse("sweep", &html);
    let tables: Vec<Node> = elements(document.root(), "table").collect();
    let columns: Vec<String> = tables
        .iter()
        .flat_map(|table| elements(*table, "thead"))
        .map(text)
        .collect();
    assert_eq!(
        columns,
        [
            "server deliveries/s messages/s pause lost connect",
            "server p50 p90 p95 p99 p99.9 max",
            "server lost duplicated out of order damaged dropped",
            "server CPU s/million switches/delivery RSS/client threads/client mappings/client fds/client",
        ]
    );
    let rows: Vec<String> = elements(document.root(), "tr").map(text).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let at = rows
        .iter()
        .position(|row| *row == "1,000 clients")
        .expect("the third size");
    assert!(
        rows[at + 1].starts_with("threadline 336k 312–363k 336 312–363 2.16 ms 0 60 ms"),
        "{rows:#?}"
    );
    assert!(
        rows[at + 2].starts_with("go 183k 170–198k ×0.54"),
        "{rows:#?}"
    );
    assert!(
        rows[at - 2].starts_with("go 245k 228–265k 2.45k 2.28–2.65k 2.16 ms 3 6 ms"),
        "the lost ones of the worst round, and no ratio beside them: {rows:#?}"
    );
    assert!(
        rows[at + 3].starts_with("floor 1.06M 990k–1.15M ×3.17"),
        "{rows:#?}"
    );
    assert!(rows.contains(&"go not measured – – – – –"), "{rows:#?}");
    let bad = document
        .descendants()
        .filter(|node| has_class(*node, "bad"));
    // Once among what it does, once among the faults.
    assert_eq!(bad.map(text).collect::<Vec<_>>(), ["3", "3"]);
}

#[test]
fn a_run_without_faults_says_so_in_one_line() {
    let mut record = sample::sweep();
    for round in record.points.iter_mut().flat_map(|point| &mut point.rounds) {
        round.lost = 0;
    }
    let html = page(&record);
    let seen = text(parse("sound", &html).root());
    assert!(
        seen.contains("Every client checked every message: nothing lost"),
        "{seen}"
    );
    assert!(!seen.contains("out of order damaged"), "{seen}");
}

#[test]
fn nothing_left_behind_is_a_result() {
    let html = page(&sample::churn());
    let document = parse("churn", &html);
    let table = elements(document.root(), "table")
        .nth(2)
        .expect("a third table");
    let rows: Vec<String> = elements(table, "tr").map(text).collect();
    assert_eq!(
        rows[0],
        "server threads left fds left mappings left RSS left CPU s/million"
    );
    assert!(
        rows[2].starts_with("threadline 990 in 0 0 0 2 MiB 3.1"),
        "{rows:#?}"
    );
}

#[test]
fn a_room_with_stalled_clients_stands_beside_itself() {
    let html = page(&sample::slow());
    let seen = text(parse("slow", &html).root());
    // It leads with the longest pause, and the chart over time comes first.
    let lead = "Longest pause. At 100 clients: threadline 2.16 ms; threadline, 10 stalled 2.16 ms.";
    assert!(seen.contains(lead), "{seen}");
    let document = parse("slow", &html);
    let first = elements(document.root(), "figure").next().expect("a chart");
    assert_eq!(first.attribute("id"), Some("timeline"));
}

#[test]
fn missing_chart_has_a_reason() {
    for (name, reason) in [
        (
            "idle",
            "Not drawn, because nothing was sent in this run (idle): Deliveries per second",
        ),
        (
            "frozen",
            "Not drawn, because nothing was delivered: Deliveries per second",
        ),
        (
            "least",
            "Not drawn, because loadtest had no server process to look at: Memory per client",
        ),
        (
            "empty",
            "Not drawn, because no round was measured: Deliveries per second",
        ),
    ] {
        let record = samples()
            .into_iter()
            .find(|(n, _)| *n == name)
            .expect("a sample")
            .1;
        let html = page(&record);
        let seen = text(parse(name, &html).root());
        assert!(seen.contains(reason), "{name}: no {reason:?} in {seen}");
    }
}

#[test]
fn names_and_warnings_are_text_and_no_more() {
    let html = page(&sample::hostile());
    let document = parse("hostile", &html);
    assert_eq!(elements(document.root(), "i").count(), 0);
    assert_eq!(
        elements(document.root(), "b")
            .filter(|b| text(*b).contains("server"))
            .count(),
        0
    );
    let seen = text(document.root());
    assert!(
        seen.contains("\"</p><img src=x onerror=alert(1)> & <b"),
        "{seen}"
    );
    assert!(seen.contains("<script>alert("), "{seen}");
    assert!(!html.contains('\u{1b}'));
}

#[test]
fn servers_that_do_not_differ_are_not_ranked() {
    let html = page(&sample::hostile());
    let seen = text(parse("hostile", &html).root());
    assert!(
        seen.contains("266k (≈)") || seen.contains("336k (≈)"),
        "{seen}"
    );
    assert!(!seen.contains("(×1.00)"), "{seen}");
    assert!(seen.contains("≈: the rounds of both overlap"), "{seen}");
}

#[test]
fn freeze_and_failure_are_on_the_page() {
    let html = page(&sample::freezing());
    let document = parse("freezing", &html);
    let seen = text(document.root());
    for fact in [
        "Failed: floor at 1,000 clients, round 2: died (exit status 2): fatal error: concurrent map writes.",
        "Never delivered: go 40,000 at 1,000 clients.",
        "go 2.7 s (40,000 lost)",
        "floor failed, 1 of 3 rounds, cut short",
        "≥2.7 s",
        "≥: deliveries never came",
        "those of the worst round",
    ] {
        assert!(seen.contains(fact), "no {fact:?} in {seen}");
    }
    // The hole: the line of the frozen server lies on the axis.
    let figure =
        elements(document.root(), "figure").find(|f| f.attribute("id") == Some("timeline"));
    let svg = figure.expect("the chart over time");
    let line = |name: &str| {
        let mut groups = svg.descendants().filter(|node| has_class(*node, "series"));
        let group = groups
            .find(|group| text(*group).ends_with(name))
            .expect(name);
        let line = group.descendants().find(|node| has_class(*node, "line"));
        line.and_then(|line| line.attribute("d"))
            .expect("a line")
            .to_owned()
    };
    let ends = |line: &str| line.rsplit(' ').next().map(str::to_owned);
    let base = svg.descendants().find(|node| has_class(*node, "base"));
    let base = base.and_then(|base| base.attribute("d")).expect("the axis");
    let axis = base.split([' ', 'H']).nth(1).map(str::to_owned);
    assert_eq!(ends(&line("go")), axis, "{base}");
    assert_ne!(ends(&line("threadline")), axis);
}
