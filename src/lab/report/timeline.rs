//! Deliveries over time: a server that freezes leaves a hole that no median shows.

use crate::lab::report::axis::Axis;
use crate::lab::report::chart::{Chart, Drawing};
use crate::lab::report::plot::{self, Mark, Series};
use crate::lab::report::words;
use crate::lab::results::metric::metric;
use crate::lab::results::record::{Point, Record, Round, Timeline};
use crate::lab::results::units::{Unit, count, thousands};

/// The round with the longest pause of each server, at the largest number of clients.
pub fn chart(record: &Record) -> Chart {
    let name = "timeline";
    let servers = || record.servers.iter();
    let worst = |clients: usize| -> Vec<Option<&Round>> {
        servers()
            .map(|server| worst(record.point(server, clients)?))
            .collect()
    };
    let counts = record.client_counts();
    let mut found = counts
        .iter()
        .rev()
        .map(|&clients| (clients, worst(clients)));
    let Some((clients, rounds)) = found.find(|(_, rounds)| rounds.iter().any(Option::is_some))
    else {
        let drawing = Err(words::absent(record, metric("rate")));
        return Chart {
            name,
            title: "Deliveries over time".to_owned(),
            drawing,
        };
    };
    let title = format!("Deliveries over time at {}", count(clients, "client"));
    let series: Vec<Series> = (servers().zip(&rounds).enumerate())
        .filter_map(|(place, (server, round))| Some(series(place, server, &(*round)?.timeline)))
        .collect();
    let points = || series.iter().flat_map(|series| &series.line);
    let end = points().map(|(x, _)| *x).fold(0.0, f64::max);
    let high = points().map(|(_, y)| *y).fold(0.0, f64::max);
    let pauses: Vec<String> = servers()
        .zip(&rounds)
        .map(|(server, round)| pause(server, *round))
        .collect();
    let of = if record.rounds > 1 {
        " of the worst round"
    } else {
        ""
    };
    let finding = format!("Longest pause{of}: {}.", pauses.join("; "));
    let svg = plot::lines(
        &format!("{title}. {finding}"),
        &Axis::linear("seconds", Unit::Number, 0.0, end),
        &Axis::linear("deliveries/s", Unit::Number, 0.0, high),
        &series,
    );
    Chart {
        name,
        title,
        drawing: Ok(Drawing { finding, svg }),
    }
}

fn worst(point: &Point) -> Option<&Round> {
    let delivered = |round: &&Round| {
        let Timeline { step, deliveries } = &round.timeline;
        *step > 0.0 && deliveries.iter().any(|&count| count > 0)
    };
    let rounds = point.rounds.iter().filter(delivered);
    rounds.max_by(|a, b| a.pause_seconds.total_cmp(&b.pause_seconds))
}

fn pause(server: &str, round: Option<&Round>) -> String {
    let Some(round) = round else {
        return format!("{server} not measured");
    };
    let lost = match round.lost {
        0 => String::new(),
        lost => format!(" ({} lost)", thousands(lost)),
    };
    format!("{server} {}{lost}", Unit::Seconds.show(round.pause_seconds))
}

/// Steps, with marks here and there that tell the servers apart.
fn series(place: usize, server: &str, timeline: &Timeline) -> Series {
    const MARKS: usize = 6;
    // The last step is shorter than the others and would look like a dip.
    let whole = timeline.deliveries.len().saturating_sub(1).max(1);
    let steps = || timeline.deliveries[..whole].iter().enumerate();
    let at = |step: usize| step as f64 * timeline.step;
    let rate = |deliveries: u64| deliveries as f64 / timeline.step;
    let every = whole.div_ceil(MARKS);
    let marks = steps()
        .skip(every / 2)
        .step_by(every)
        .map(|(step, &deliveries)| {
            let y = rate(deliveries);
            Mark {
                x: at(step) + timeline.step / 2.0,
                y,
                range: (y, y),
                tip: format!(
                    "{server} at {:.1} s: {} deliveries/s",
                    at(step),
                    Unit::Number.show(y)
                ),
            }
        });
    Series {
        name: server.to_owned(),
        place,
        line: steps()
            .flat_map(|(step, &deliveries)| {
                [
                    (at(step), rate(deliveries)),
                    (at(step + 1), rate(deliveries)),
                ]
            })
            .collect(),
        marks: marks.collect(),
    }
}
