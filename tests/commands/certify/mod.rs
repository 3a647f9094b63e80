//! `bartizan certify`.

mod refusals;
mod runs;
