//! Many queries in one process.

pub mod queries;
