//! The trusted half of bartizan.
//!
//! Everything that could make the tool say "verified" of a false claim lives in this crate and in the crate of readers
//! beside it (`read/`), and nowhere else: the arithmetic, the rules and the types of verdicts here, the file formats
//! there. It knows nothing of the engine that searches;
//! only data cross the wall: a certificate's bytes or a point goes in, a [`Verified`] or [`Violated`] comes out.
//!
//! Modules, in the order in which they build on each other:
//!
//! * [`arith`]: rigorous floating-point arithmetic; the only place where floats are added or multiplied.
//! * [`digest`], [`error`]: names of things and what can be wrong with them.
//! * [`network`], [`property`]: the languages of networks and properties.
//! * [`semantics`]: which computations of a network are meant.
//! * [`certificate`]: what a proof says.
//! * `pool`: the threads and the time of a check.
//! * [`check`]: whether it is true.
//! * [`verdict`]: the facts that result.

#[allow(clippy::float_arithmetic)]
pub mod arith;
pub mod digest;
pub mod error;

pub mod network;
pub mod property;
pub mod semantics;

pub mod certificate;
pub mod check;
mod pool;
pub mod verdict;

pub use arith::Interval;
pub use digest::Digest;
pub use error::{PropertyError, Refusal, Rejected, SemanticsError};
pub use network::Network;
pub use property::Property;
pub use semantics::Semantics;
pub use verdict::{ProvedBounds, ProvedVolume, Shares, Verified, Violated};
