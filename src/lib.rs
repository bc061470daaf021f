//! A Go course on network programming, rebuilt in Rust line by line, one thread a goroutine. Blocking std
//! threads, zero async.
//!
//! | section of the course | module | programs |
//! |---|---|---|
//! | two: sockets, TCP | [`tcp`] | `tcp_server`, `tcp_client`, `tcp_concurrent_server`, `tcp_concurrent_client` |
//! | two: sockets, UDP | [`udp`] | `udp_server`, `udp_client`, `udp_concurrent_server`, `udp_concurrent_client` |
//! | three: file transfer | [`mod@file`] | `file_stat`, `file_client`, `file_server` |
//! | four: the chat room | [`chat`] | `chat_server` |
//!
//! A program that is short in Go is whole in its file under `bin/`; the modules hold what two
//! programs share or what a test calls.
//!
//! What the servers share stands in modules of its own: [`accept`] (the accept loop), [`conn`] (one connection), [`ceilings`]
//! (how many clients this machine can carry), [`shutdown`] (Ctrl-C), [`lines`] (cutting reads into
//! messages), [`upper`] (Go's upper-casing), [`net`] (listening and dialling as Go does), [`fmt`]
//! (printing as Go does), [`cli`] (options, log and errors), [`mod@go`] (starting a thread), [`quick`]
//! (a read that need not sleep), [`fan_out`] (the way out to the users of the room), [`pace`] (holding a
//! client to a rate). The file programs have [`file_name`] (which names are safe), [`part`] (a file
//! while it is received), [`receipt`] (the count and the hash that confirm it), [`progress`] (the line
//! on the terminal) and [`size`] (sizes as people write them).
#![warn(missing_docs)]

pub mod chat;
pub mod cli;
pub mod error;
pub mod file;
pub mod go;
#[cfg(feature = "lab")]
pub mod lab;
pub mod server;
#[cfg(feature = "lab")]
pub mod sidebyside;
pub mod tcp;
pub mod text;
pub mod udp;
