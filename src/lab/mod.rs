//! The load tester: what thread-per-client costs, on this machine, in figures that hold.
//!
//! | step | modules |
//! |---|---|
//! | what is asked for | [`options`], [`contender`] (who is measured), [`threshold`] (`--fail-if`) |
//! | a run | [`run`] (sizes, rounds, servers in turn), [`server`] (start, watch, stop), [`session`] (what a round has at hand), [`progress`] |
//! | a round | [`chat`] (and `slow`), [`echo`], [`idle`], [`churn`]; [`limits`] by itself |
//! | the generator | [`crowd`] and [`client`] (sockets by readiness, on one thread), [`enter`] and [`room`] (the chat's protocol), [`message`], [`ledger`] (what came to whom), [`meter`] (latency, schedule) |
//! | what is measured against | [`floor`], [`cost`] (`/proc`), [`machine`] |
//! | what comes out | [`record`] (raw), [`metric`] and [`stats`] (worked out of it), [`table`], [`html`], [`charts`], [`output`] |

mod axis;
pub mod charts;
pub mod chat;
pub mod churn;
pub mod client;
pub mod contender;
pub mod cost;
pub mod crowd;
mod distribution;
pub mod echo;
pub mod enter;
mod finding;
pub mod floor;
pub mod html;
pub mod idle;
pub mod ledger;
pub mod limits;
pub mod machine;
pub mod message;
pub mod meter;
pub mod metric;
pub mod options;
pub mod output;
mod plot;
pub mod progress;
pub mod record;
pub mod room;
pub mod run;
pub mod server;
pub mod session;
pub mod stats;
pub mod table;
pub mod threshold;
mod units;
