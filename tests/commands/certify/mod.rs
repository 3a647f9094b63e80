//! `bartizan certify`.

mod refusals;
mod runs;
mod stores;
