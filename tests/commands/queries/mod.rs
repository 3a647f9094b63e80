//! `bartizan verify`, `batch`, `check`, `bounds` and `inspect`.

mod certificates;
mod refusals;
mod runs;
