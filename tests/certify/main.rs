//! The command `bartizan certify`, from the outside.

mod files;
mod refusals;
mod runs;
