//! `bartizan certify`.

mod radii;
mod refusals;
mod resume;
mod runs;
mod stores;
