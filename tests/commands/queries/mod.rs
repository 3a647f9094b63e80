//! `bartizan verify`, `batch`, `bounds` and `inspect`.

mod refusals;
mod runs;
