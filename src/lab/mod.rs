//! The load tester: what thread-per-client costs, on this machine, in figures that hold.

pub mod chat;
pub mod churn;
pub mod contender;
pub mod cost;
pub mod crowd;
pub mod echo;
pub mod enter;
pub mod floor;
pub mod idle;
pub mod ledger;
pub mod limits;
pub mod machine;
pub mod message;
pub mod meter;
pub mod metric;
pub mod options;
pub mod output;
pub mod progress;
pub mod record;
pub mod room;
pub mod run;
pub mod server;
pub mod session;
pub mod stats;
pub mod table;
pub mod threshold;
