//! bartizan
pub mod attack;
pub mod bound;
pub mod certify;
pub mod lp;
pub mod matrix;
pub mod outcome;
pub mod query;
pub mod real;
pub mod verify;
