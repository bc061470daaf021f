//! Every line of the course's Go programs beside its line here.
//!
//! The text of the course is read where its reader has it ([`listings`]), the listings that are
//! originals of ours are found in it ([`programs`]), and each is put beside our sources: cut into
//! [`tokens`] and lines ([`source`](mod@source)), [scored](score) line by line and [aligned](align).
//! [`compare`] brings it together with our `// Go:` [`notes`] and with what Rust does by itself
//! ([`language`]). [`rows`] lays a comparison out, [`highlight`](mod@highlight) colours it, and
//! [`terminal`], [`table`](mod@table) and [`pager`] show it there; [`hunks`] and [`html`] make pages.

pub mod pair;
pub mod read;
pub mod show;
