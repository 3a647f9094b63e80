//! Whether the checker is right, judged by exact arithmetic that shares nothing with its own.

#![allow(
    clippy::as_conversions,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[path = "../oracle/mod.rs"]
#[allow(dead_code)]
mod oracle;

mod exact;
mod networks;
mod prover;
mod witness;

mod arithmetic;
mod enumeration;
mod forms;
mod volume;
