//! The commands, from the outside.

mod certify;
mod cluster;
mod files;
mod queries;
mod readme;
mod reports;
