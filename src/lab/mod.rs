//! The load tester: what thread-per-client costs, on this machine, in figures that hold.

mod axis;
pub mod charts;
pub mod chat;
pub mod contender;
pub mod cost;
pub mod crowd;
mod distribution;
pub mod enter;
mod finding;
pub mod floor;
pub mod html;
pub mod ledger;
pub mod machine;
pub mod message;
pub mod metric;
pub mod options;
mod plot;
pub mod progress;
pub mod record;
pub mod room;
pub mod run;
pub mod server;
pub mod session;
pub mod stats;
pub mod table;
mod units;
