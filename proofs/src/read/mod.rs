//! Readers. A reader that misreads proves the wrong network, so readers are part of the trusted crate: they check every
//! length and offset, refuse by name what they do not know, bound every allocation by what the file can hold, and
//! never panic.

mod nnet;
mod onnx;
mod protobuf;

pub use nnet::read_nnet;
pub use onnx::read_onnx;
