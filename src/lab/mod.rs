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

pub mod limits;
pub mod load;
pub mod machine;
pub mod options;
pub mod progress;
pub mod report;
pub mod results;
pub mod run;
pub mod scenario;
pub mod target;
