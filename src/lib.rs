//! bartizan
pub mod attack;
pub mod bound;
pub mod matrix;
pub mod query;
pub mod real;
