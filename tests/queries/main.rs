//! The commands `bartizan verify`, `batch`, `bounds` and `inspect`, from the outside.

mod files;
mod refusals;
mod runs;
