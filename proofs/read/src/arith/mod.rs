//! What readers compute from the numbers in a file: all floating-point arithmetic of this crate.

mod decimal;
pub(crate) mod lowering;

pub use bartizan_proof::Interval;
pub use decimal::enclose_decimal;
