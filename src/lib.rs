//! The Go network-programming course in plain Rust: one OS thread per goroutine, one crossbeam channel per Go
//! channel, blocking std, no async.
//!
//! | section of the course | module | programs |
//! |---|---|---|
//! | two: sockets, TCP | [`tcp`] | `tcp_server`, `tcp_client`, `tcp_concurrent_server`, `tcp_concurrent_client` |
//! | two: sockets, UDP | [`udp`] | `udp_server`, `udp_client`, `udp_concurrent_server`, `udp_concurrent_client` |
//! | three: file transfer | [`mod@file`] | `file_stat`, `file_client`, `file_server` |
//! | four: the chat room | [`chat`] | `chat_server` |
//!
//! Short programs are complete in their file under `bin/`. Read the four modules beside the Go listings; their
//! helpers are in the folders of the same names. Two lower layers do not depend on the course: [`server`] has what
//! every server needs, and [`mod@go`] the parts of Go's packages that are used here. Both stand on `system`, the only
//! module beside `lab` with code for one operating system. All programs use [`cli`], [`error`], [`text`] and [`units`].
//!
//! Two tools are not part of the course: `lab` is the load tester, `sidebyside` the comparison with the Go listings.
#![warn(missing_docs)]

pub mod chat;
pub mod cli;
pub mod error;
pub mod file;
pub mod go;
#[cfg(all(feature = "lab", unix))]
pub mod lab;
#[cfg(all(feature = "lab", not(unix)))]
#[path = "lab/elsewhere.rs"]
pub mod lab;
pub mod server;
#[cfg(feature = "sidebyside")]
pub mod sidebyside;
mod system;
pub mod tcp;
pub mod text;
pub mod udp;
pub mod units;
