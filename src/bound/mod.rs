//! Bounds on what a network computes over a box, for the search: fast, batched, and not trusted.
//!
//! * [`layer`]: linear maps in the search's precision.
//! * [`model`]: the search's copy of a network.
//! * [`ball`]: balls of inputs.
//! * [`interval`]: interval bound propagation.
//! * [`slopes`]: linear relaxations of ReLUs.
//! * [`forms`]: forward linear forms.
//! * [`linear`]: backward linear bounds.
//! * [`ascent`]: optimised slopes and combinations of atoms.
//! * [`compact`]: a network without its inactive ReLUs.
//! * [`frame`]: one region's bounds, in which many rows are bounded.
//! * [`dual`]: optimised slopes and multipliers of assumed signs, row by row.
//! * [`elementwise`]: what that does to one row, element by element.

pub mod ascent;
pub mod ball;
pub mod compact;
pub mod dual;
pub mod elementwise;
pub mod forms;
pub mod frame;
mod fuse;
pub mod interval;
pub mod layer;
pub mod linear;
pub mod model;
pub mod slopes;

pub use ball::Ball;
pub use interval::{Bounds, Rounded};
pub use linear::Rows;
pub use model::Model;
pub use slopes::{Relaxation, Relaxations};

#[cfg(test)]
mod tests;
