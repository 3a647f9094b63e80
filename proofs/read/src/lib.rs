//! Readers of networks (ONNX, NNet) and properties (VNN-LIB). A reader that misreads proves the wrong network, so readers
//! are trusted like the checker: they check every length and offset, refuse by name what they do not know, bound every
//! allocation by what the file can hold, and never panic.
//!
//! Modules, in the order in which they build on each other:
//!
//! * [`error`]: what can be wrong with a file.
//! * [`arith`]: decimals, and what lowering computes from the numbers in a file.
//! * `protobuf`, `onnx`: ONNX models.
//! * `nnet`: NNet models.
//! * `vnnlib`: VNN-LIB properties.

pub mod error;

#[allow(clippy::float_arithmetic)]
pub mod arith;

mod nnet;
mod onnx;
mod protobuf;
mod vnnlib;

pub use arith::enclose_decimal;
pub use error::ReadError;
pub use nnet::read_nnet;
pub use onnx::read_onnx;
pub use vnnlib::read_vnnlib;

use bartizan_proof::{digest, network, property};
