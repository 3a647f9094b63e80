//! The commands, from the outside.

mod certify;
mod files;
mod queries;
mod readme;
mod reports;
