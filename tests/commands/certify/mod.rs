//! `bartizan certify`.

mod coverage;
mod memory;
mod radii;
mod refusals;
mod resume;
mod runs;
mod semantics;
mod stores;
