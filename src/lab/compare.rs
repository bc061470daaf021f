//! `compare`: two saved runs, paired by server and number of clients.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli;
use crate::error::context;
use crate::lab::report::verdict::verdict;
use crate::lab::report::{table, words};
use crate::lab::results::metric::Metric;
use crate::lab::results::record::{Point, Record, SCHEMA};
use crate::lab::results::stats::figure;
use crate::lab::results::threshold::Threshold;
use crate::text::{printable, wrap};
use crate::units::change;

/// What `compare` is to do.
#[derive(Debug, clap::Args)]
pub struct Compare {
    /// What --json wrote before the change
    old: PathBuf,

    /// What --json wrote after it
    new: PathBuf,

    /// Exit with status 99 if a figure changed by more than this, such as 'p99>+10%' or 'rate<-5%',
    /// and the rounds of both runs do not overlap. A value, such as 'lost>0', is judged in NEW alone.
    /// Repeatable
    #[arg(long, value_name = "RULE")]
    fail_if: Vec<Threshold>,
}

impl Compare {
    /// Prints what changed, and returns the exit status.
    ///
    /// # Errors
    /// A file is not a record that can be read, or they have nothing in common.
    pub fn run(&self) -> io::Result<u8> {
        let (old, new) = (read(&self.old)?, read(&self.new)?);
        let pairs: Vec<_> = (new.points.iter())
            .filter_map(|point| Some((old.point(&point.server, point.clients)?, point)))
            .collect();
        if old.scenario != new.scenario || pairs.is_empty() {
            let [old, new] = [&old, &new].map(words::title);
            let what = format!("nothing to compare: OLD is {old}, NEW is {new}");
            return Err(io::Error::other(what));
        }
        let title = |name, record| wrap(&words::title(record), table::WIDTH, name, "     ");
        let mut tables = title("OLD  ", &old) + &title("NEW  ", &new);
        for (title, metrics) in table::tables(&new) {
            tables += &format!("\n{title}\n{}", table::fit(&rows(&pairs, &metrics)));
        }
        tables += "\n≈: the rounds of both runs overlap, so that the difference may be chance.\n";
        if tables.contains('≥') {
            tables += &wrap(words::BOUND, table::WIDTH, "", "  ");
        }
        cli::print(&tables)?;
        let rules = self.fail_if.iter();
        let crossed = rules.flat_map(|rule| rule.crossed(&new, Some(&old)));
        let crossed: Vec<_> = crossed.collect();
        Ok(verdict(&warnings(&old, &new), &crossed, &[]))
    }
}

fn read(path: &Path) -> io::Result<Record> {
    let name = path.display();
    let text = fs::read(path).map_err(context(format!("cannot read {name}")))?;
    let wrong = |err: serde_json::Error| {
        context(format!("{name} is not what --json writes"))(io::Error::from(err))
    };
    let mut value: Value = serde_json::from_slice(&text).map_err(wrong)?;
    if let Some(schema) = value["schema"].as_u64()
        && schema != u64::from(SCHEMA)
    {
        let what =
            format!("{name} has schema {schema}, and this loadtest reads {SCHEMA}: measure again");
        return Err(io::Error::other(what));
    }
    clean(&mut value);
    serde_json::from_value(value).map_err(wrong)
}

/// Makes what is in the file safe to print: it may be another's.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = printable(&text),
        Value::Array(values) => values.iter_mut().for_each(clean),
        Value::Object(fields) => fields.values_mut().for_each(clean),
        _ => {}
    }
}

fn rows(pairs: &[(&Point, &Point)], metrics: &[&Metric]) -> Vec<Vec<String>> {
    let mut rows = vec![table::head(metrics)];
    for (old, new) in pairs {
        let three = |metric: &&Metric| {
            let change = match [old, new].map(|point| figure(point, metric)) {
                [Some(old), Some(new)] if old.overlaps(&new) => "≈".to_owned(),
                [Some(old), Some(new)] => change(old.value.number, new.value.number),
                _ => String::new(),
            };
            [table::value(old, metric), table::value(new, metric), change]
        };
        let cells: Vec<_> = metrics.iter().map(three).collect();
        let of = |nth: usize| cells.iter().map(move |cells| cells[nth].clone());
        let name = format!("{} OLD", table::shortened(&old.server));
        rows.push(table::row(&old.clients.to_string(), &name, of(0)));
        rows.push(table::row("", "  NEW", of(1)));
        rows.push(table::row("", "  change", of(2)));
    }
    rows
}

/// What the two do not have in common, and what failed.
fn warnings(old: &Record, new: &Record) -> Vec<String> {
    let both = |what, of: fn(&Record) -> String| (what, of(old), of(new));
    let conditions = [
        both("load", words::load),
        both("rounds", words::rounds),
        both("machine", words::machine),
    ];
    let mut warnings = Vec::new();
    for (what, old, new) in conditions {
        if old != new {
            warnings.push(format!("the runs differ in {what}: OLD {old}; NEW {new}"));
        }
    }
    for (name, one, other) in [("OLD", old, new), ("NEW", new, old)] {
        for point in &one.points {
            if other.point(&point.server, point.clients).is_none() {
                warnings.push(format!("{point} is in {name} alone"));
            }
        }
        for failure in words::failures(one) {
            warnings.push(format!("failed in {name}: {failure}"));
        }
    }
    warnings
}
