//! The progress bar, on standard error; nothing at all where that is no terminal.

use std::cell::Cell;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::units::count;

/// A bar over all rounds of a run.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    lost: Cell<u64>,
    /// When and what was shown last: the rate is what came since.
    shown: Cell<(Instant, u64)>,
}

impl Progress {
    /// A bar for that many rounds.
    pub fn new(rounds: usize) -> Progress {
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len}  {msg}")
            .expect("the template is sound");
        Progress {
            bar: ProgressBar::new(rounds as u64).with_style(style),
            lost: Cell::new(0),
            shown: Cell::new((Instant::now(), 0)),
        }
    }

    /// A round begins.
    pub fn begin(&self, server: &str, clients: usize) {
        self.bar
            .set_prefix(format!("{server}, {}", count(clients, "client")));
        self.shown.set((Instant::now(), 0));
        self.bar.tick();
    }

    /// Shows how a round stands at `now`.
    pub fn show(&self, now: Instant, clients: usize, deliveries: u64) {
        let (before, had) = self.shown.replace((now, deliveries));
        let rate = deliveries.saturating_sub(had) as f64 / (now - before).as_secs_f64().max(1e-3);
        let lost = self.lost.get();
        self.bar.set_message(format!(
            "{clients} connected, {rate:.0} deliveries/s, {lost} lost"
        ));
    }

    /// A round has ended.
    pub fn end(&self, lost: u64) {
        self.lost.set(self.lost.get() + lost);
        self.bar.inc(1);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
