//! `bartizan verify`, `batch`, `volume`, `check`, `bounds` and `inspect`.

mod certificates;
mod refusals;
mod runs;
mod volume;
